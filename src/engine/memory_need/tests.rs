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
fn decoding_16_bits_takes_twice_what_8_take() {
    let decoding = |color| of_decoding(&head(RasterFormat::Png, color), b"");
    assert_eq!(decoding(ColorType::Rgba8), 4 * PIXEL_COUNT);
    assert_eq!(decoding(ColorType::Rgba16), 8 * PIXEL_COUNT);
}

#[test]
fn decoding_a_progressive_jpeg_takes_its_coefficients_besides() {
    let of = |name| {
        let bytes = fixture::bytes(name);
        let frame = structure::jpeg_frame(&bytes).expect("a frame");
        let pixels = u64::from(frame.width_px) * u64::from(frame.height_px);
        let head = ImageHeader {
            format: RasterFormat::Jpeg,
            sides_px: (frame.width_px.into(), frame.height_px.into()),
            color: ColorType::Rgb8,
            pixels_bytes: 3 * pixels,
        };
        (of_decoding(&head, &bytes), pixels)
    };
    let (baseline, pixels) = of("photo.jpg");
    assert_eq!(baseline, 3 * pixels);
    let (progressive, pixels) = of("progressive.jpg");
    // 16 bits for each sample, of at least one component and at most three, padded to blocks
    assert!(progressive >= 5 * pixels, "{progressive} for {pixels}");
    assert!(progressive <= 10 * pixels, "{progressive} for {pixels}");
}

#[test]
fn encoding_a_png_holds_its_pixels_once() {
    let encoding = of_encoding(&head(RasterFormat::Png, ColorType::Rgba16));
    assert_eq!(encoding, 8 * PIXEL_COUNT + OVERHEAD_BYTES);
    let webp = of_encoding(&head(RasterFormat::WebP, ColorType::Rgba8));
    assert_eq!(webp, 13 * PIXEL_COUNT + OVERHEAD_BYTES);
}

#[test]
fn drawing_takes_what_the_largest_thing_wanted_takes() {
    let head = head(RasterFormat::Png, ColorType::Rgb8);
    let thumbnail = InspectOptions {
        thumbnail: true,
        ..InspectOptions::default()
    };
    let maps = InspectOptions {
        heatmap: Some(HeatmapStyle {
            ground: crate::engine::Background::Opaque,
            scale: crate::engine::Scale::Raw,
        }),
        ..thumbnail
    };
    assert_eq!(of_drawing(&head, InspectOptions::default()), 0);
    let length = head.pixels_bytes + OVERHEAD_BYTES;
    assert_eq!(of_drawing(&head, thumbnail), length + 100 * 100 * 6);
    assert_eq!(of_drawing(&head, maps), length + 1_600 * 1_600 * 6);
    let words = self::head(RasterFormat::Png, ColorType::Rgba16);
    let length = words.pixels_bytes + OVERHEAD_BYTES;
    assert_eq!(of_drawing(&words, thumbnail), length + 100 * 100 * 18);
    assert_eq!(
        of_card((8_000, 4_000), thumbnail),
        OVERHEAD_BYTES + 100 * 50 * 7
    );
    let card = of_card((8_000, 4_000), maps);
    assert_eq!(card, OVERHEAD_BYTES + 1_600 * 800 * 29);
    // none is enlarged
    assert_eq!(of_card((10, 10), maps), OVERHEAD_BYTES + 10 * 10 * 29);
}

#[test]
fn a_file_takes_its_length_and_copies_of_its_metadata() {
    for (name, times) in [
        ("photo.jpg", 2),
        ("plain.webp", 4),
        ("plain.bmp", 2),
        ("plain.tiff", 60),
        ("plain.heic", 2),
        ("plain.pdf", 2),
    ] {
        let bytes = fixture::bytes(name);
        let media = FileKind::of_name(name).expect("a format");
        let need = of_file(media, &bytes) - OVERHEAD_BYTES;
        let length = bytes.len() as u64;
        assert!(
            (length..=times * length).contains(&need),
            "{name}: {need} of {length}"
        );
    }
}

#[test]
fn declaring_what_the_file_does_not_hold_never_panics() {
    for name in [
        "plain.png",
        "plain.webp",
        "plain.tiff",
        "plain.gif",
        "progressive.jpg",
    ] {
        let bytes = fixture::bytes(name);
        let media = FileKind::of_name(name).expect("a format");
        let FileKind::Picture(format) = media else {
            panic!("{name}")
        };
        let head = ImageHeader {
            sides_px: (u32::MAX, 16_384),
            pixels_bytes: u64::from(u32::MAX),
            ..head(format, ColorType::Rgba16)
        };
        for length in (0..bytes.len()).step_by(13) {
            let torn = &bytes[..length];
            assert!(of_file(media, torn) >= length as u64, "{name}");
            assert!(of_decoding(&head, torn) >= head.pixels_bytes, "{name}");
        }
    }
}
