use super::*;
use crate::engine::{HeatmapStyle, fixture};

const PIXEL_COUNT: u64 = 8_000 * 8_000;

fn head(format: RasterFormat, color: ColorType) -> ImageHeader {
    ImageHeader {
        format,
        sides_px: (8_000, 8_000),
        color,
        pixels_bytes: PIXEL_COUNT * u64::from(color.bytes_per_pixel()),
    }
}

#[test]
fn decoding_16_bits_takes_twice_as_much_as_8_bits() {
    let decoding = |color| for_decoding(&head(RasterFormat::Png, color), b"");
    assert_eq!(decoding(ColorType::Rgba8), 4 * PIXEL_COUNT);
    assert_eq!(decoding(ColorType::Rgba16), 8 * PIXEL_COUNT);
}

#[test]
fn decoding_a_progressive_jpeg_adds_its_coefficients() {
    let decoding = |name| {
        let bytes = fixture::bytes(name);
        let frame = structure::jpeg_frame(&bytes).expect("a frame");
        let pixels = u64::from(frame.width_px) * u64::from(frame.height_px);
        let head = ImageHeader {
            format: RasterFormat::Jpeg,
            sides_px: (frame.width_px.into(), frame.height_px.into()),
            color: ColorType::Rgb8,
            pixels_bytes: 3 * pixels,
        };
        (for_decoding(&head, &bytes), pixels)
    };
    let (baseline, pixels) = decoding("photo.jpg");
    assert_eq!(baseline, 3 * pixels);
    let (progressive, pixels) = decoding("progressive.jpg");
    // 16 bits per sample, one to three components, padded to blocks.
    assert!(progressive >= 5 * pixels, "{progressive} for {pixels}");
    assert!(progressive <= 10 * pixels, "{progressive} for {pixels}");
}

#[test]
fn encoding_takes_the_pixels_and_the_encoders_copies() {
    let encoding = for_encoding(&head(RasterFormat::Png, ColorType::Rgba16));
    assert_eq!(encoding, 8 * PIXEL_COUNT + OVERHEAD_BYTES);
    let webp = for_encoding(&head(RasterFormat::WebP, ColorType::Rgba8));
    assert_eq!(webp, 13 * PIXEL_COUNT + OVERHEAD_BYTES);
}

#[test]
fn rendering_takes_as_much_as_the_largest_image() {
    let rgb8 = head(RasterFormat::Png, ColorType::Rgb8);
    let thumbnail = InspectOptions {
        thumbnail: true,
        ..InspectOptions::default()
    };
    let maps = InspectOptions {
        heatmap: Some(HeatmapStyle {
            background: crate::engine::Background::Opaque,
            scale: crate::engine::Scale::Raw,
        }),
        ..thumbnail
    };
    assert_eq!(for_drawing(&rgb8, InspectOptions::default()), 0);
    let rgb8_bytes = rgb8.pixels_bytes + OVERHEAD_BYTES;
    assert_eq!(for_drawing(&rgb8, thumbnail), rgb8_bytes + 100 * 100 * 6);
    assert_eq!(for_drawing(&rgb8, maps), rgb8_bytes + 1_600 * 1_600 * 6);
    let rgba16 = head(RasterFormat::Png, ColorType::Rgba16);
    let rgba16_bytes = rgba16.pixels_bytes + OVERHEAD_BYTES;
    assert_eq!(
        for_drawing(&rgba16, thumbnail),
        rgba16_bytes + 100 * 100 * 18
    );
    assert_eq!(
        for_placeholder((8_000, 4_000), thumbnail),
        OVERHEAD_BYTES + 100 * 50 * 7
    );
    let card = for_placeholder((8_000, 4_000), maps);
    assert_eq!(card, OVERHEAD_BYTES + 1_600 * 800 * 29);
    // Small cards are not enlarged.
    assert_eq!(
        for_placeholder((10, 10), maps),
        OVERHEAD_BYTES + 10 * 10 * 29
    );
}

#[test]
fn for_file_is_the_length_plus_copies_of_metadata() {
    for (name, times) in [
        ("photo.jpg", 2),
        ("plain.webp", 4),
        ("plain.bmp", 2),
        ("plain.tiff", 60),
        ("plain.heic", 2),
        ("plain.pdf", 2),
    ] {
        let bytes = fixture::bytes(name);
        let kind = FileKind::of_name(name).expect("a format");
        let need = for_file(kind, &bytes) - OVERHEAD_BYTES;
        let length = bytes.len() as u64;
        assert!(
            (length..=times * length).contains(&need),
            "{name}: {need} of {length}"
        );
    }
}

#[test]
fn truncated_file_with_large_declared_size_never_panics() {
    for name in [
        "plain.png",
        "plain.webp",
        "plain.tiff",
        "plain.gif",
        "progressive.jpg",
    ] {
        let bytes = fixture::bytes(name);
        let kind = FileKind::of_name(name).expect("a format");
        let FileKind::Picture(format) = kind else {
            panic!("{name}")
        };
        let head = ImageHeader {
            sides_px: (u32::MAX, 16_384),
            pixels_bytes: u64::from(u32::MAX),
            ..head(format, ColorType::Rgba16)
        };
        for length in (0..bytes.len()).step_by(13) {
            let truncated = &bytes[..length];
            assert!(for_file(kind, truncated) >= length as u64, "{name}");
            assert!(
                for_decoding(&head, truncated) >= head.pixels_bytes,
                "{name}"
            );
        }
    }
}
