use super::*;
use crate::engine::fixture;
use crate::engine::metadata;
use image::AnimationDecoder;

/// Protects a fixture and returns the output.
fn output(name: &str, strength: Strength, seed: u8) -> Vec<u8> {
    let to = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut task = Protection {
        content: fixture::content(name),
        name: name.to_owned(),
        to: to.path().to_owned(),
        strength,
        rng: SeededRng::from_digest([seed; 32]),
        thumbnail: true,
    };
    let protected = protect(&mut task, &mut fixture::memory()).expect("a protected picture");
    let bytes = std::fs::read(to.path()).expect("the output");
    assert_eq!(protected.body_bytes, bytes.len() as u64);
    assert!(
        protected
            .thumbnail
            .is_some_and(|bytes| bytes.starts_with(&[0xff, 0xd8]))
    );
    bytes
}

fn decoded(name: &str, bytes: Vec<u8>) -> DecodedImage {
    let format = RasterFormat::of_name(name).expect("a known extension");
    let kind = FileKind::Picture(format);
    fixture::decode(&ImageSource { bytes, kind }, DecodeMode::Full).expect("a complete picture")
}

#[test]
fn protect_lossless_formats_changes_every_sample_by_at_most_the_amplitude() {
    for name in ["plain.png", "plain.webp", "plain.bmp", "plain.tiff"] {
        for strength in [Strength::Low, Strength::Standard, Strength::High] {
            let before = fixture::picture(name).pixels.into_rgb8();
            let after = decoded(name, output(name, strength, 1)).pixels.into_rgb8();
            assert_eq!(before.dimensions(), after.dimensions(), "{name}");
            let changes = before
                .iter()
                .zip(after.iter())
                .map(|(before, after)| before.abs_diff(*after));
            let (min, max) = changes.fold((255, 0), |(min, max), by| (by.min(min), by.max(max)));
            assert_eq!((min, max), (1, strength.amplitude()), "{name}");
        }
    }
}

#[test]
fn protect_jpeg_stays_close_and_keeps_metadata() {
    let jpeg = output("camera.jpg", Strength::High, 1);
    assert_eq!(
        metadata::read(&jpeg, RasterFormat::Jpeg),
        metadata::read(&fixture::bytes("camera.jpg"), RasterFormat::Jpeg)
    );
    let after = decoded("camera.jpg", jpeg);
    let before = fixture::picture("camera.jpg");
    assert_eq!(before.orientation, after.orientation);
    assert_eq!(before.exif, after.exif);
    let changes: u64 = before
        .pixels
        .into_rgb8()
        .iter()
        .zip(after.pixels.into_rgb8().iter())
        .map(|(before, after)| u64::from(before.abs_diff(*after)))
        .sum();
    let mean_hundredths = changes * 100 / (240 * 320 * 3);
    assert!((100..800).contains(&mean_hundredths), "{mean_hundredths}");
}

/// Returns the EXIF fields of a TIFF as text, without those that describe how pixels are stored.
fn fields(bytes: &[u8]) -> Vec<String> {
    let exif = exif::Reader::new()
        .read_from_container(&mut std::io::Cursor::new(bytes))
        .expect("EXIF");
    let storage_tags = [273, 277, 278, 279, 282, 283, 284, 296, 317, 339];
    let is_metadata = |field: &&exif::Field| {
        let tag = field.tag.number();
        !(254..270).contains(&tag) && !storage_tags.contains(&tag)
    };
    let mut fields: Vec<String> = exif
        .fields()
        .filter(is_metadata)
        .map(|field| format!("{} {}", field.tag, field.display_value()))
        .collect();
    fields.sort();
    fields
}

#[test]
fn protect_tiff_keeps_exif_and_gps() {
    let before = fixture::bytes("camera.tiff");
    let after = output("camera.tiff", Strength::High, 1);
    let stored = fields(&after);
    assert_eq!(stored, fields(&before));
    for text in [
        "Model \"Canon EOS R5\"",
        "PhotographicSensitivity 200",
        "GPSLatitudeRef N",
    ] {
        assert!(
            stored.iter().any(|field| field == text),
            "{text}: {stored:?}"
        );
    }
    assert_eq!(
        metadata::read(&after, RasterFormat::Tiff),
        metadata::read(&before, RasterFormat::Tiff)
    );
}

#[test]
fn protect_webp_and_png_keep_exif() {
    let webp = output("plain.webp", Strength::Low, 1);
    assert_eq!(
        decoded("plain.webp", webp).exif,
        fixture::picture("plain.webp").exif
    );
    let exif = fixture::picture("camera.jpg").exif.expect("EXIF");
    let mut png = Vec::new();
    let pixels = DynamicImage::new_rgb8(3, 2);
    png::write(&pixels, Some(exif.clone()), None, &mut png).expect("a PNG");
    assert_eq!(decoded("x.png", png).exif, Some(exif));
}

#[test]
fn protect_gif_keeps_its_frames_and_delays() {
    let frames = |bytes: &[u8]| {
        image::codecs::gif::GifDecoder::new(io::Cursor::new(bytes))
            .and_then(|decoder| decoder.into_frames().collect_frames())
            .expect("frames")
    };
    let before_bytes = fixture::bytes("plain.gif");
    let after_bytes = output("plain.gif", Strength::Standard, 1);
    assert_ne!(before_bytes, after_bytes);
    let (before, after) = (frames(&before_bytes), frames(&after_bytes));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.delay(), after.delay());
        let samples = before.buffer().iter().zip(after.buffer().iter());
        assert!(samples.clone().any(|(before, after)| before != after));
        assert!(samples.into_iter().all(|(b, a)| b.abs_diff(*a) <= 4));
    }
}

#[test]
fn protect_output_depends_on_the_seed_and_is_reproducible() {
    for name in ["plain.jpg", "plain.png", "plain.gif"] {
        let once = output(name, Strength::Low, 1);
        assert_eq!(once, output(name, Strength::Low, 1), "{name}");
        assert_ne!(once, output(name, Strength::Low, 2), "{name}");
        assert_ne!(once, fixture::bytes(name), "{name}");
    }
}

#[test]
fn noise_keeps_alpha_and_every_pixel_format_can_be_encoded() {
    let mut rng = SeededRng::from_digest([1; 32]);
    let mut noise = Noise::new(Strength::High, &mut rng);
    for (mut pixels, format) in [
        (DynamicImage::new_luma_a8(5, 4), RasterFormat::Tiff),
        (DynamicImage::new_luma_a16(5, 4), RasterFormat::Tiff),
        (DynamicImage::new_rgba32f(5, 4), RasterFormat::Tiff),
        (DynamicImage::new_luma_a16(5, 4), RasterFormat::Png),
        (DynamicImage::new_rgba16(5, 4), RasterFormat::Png),
        (DynamicImage::new_luma_a8(5, 4), RasterFormat::WebP),
        (DynamicImage::new_luma8(5, 4), RasterFormat::Jpeg),
        (DynamicImage::new_luma8(5, 4), RasterFormat::Bmp),
    ] {
        noise.add_to(&mut pixels);
        assert!(pixels.to_rgba16().pixels().all(|p| p[0] > 0), "{format:?}");
        if pixels.color().has_alpha() {
            assert!(pixels.to_rgba16().pixels().all(|p| p[3] == 0), "{format:?}");
        }
        let image = DecodedImage {
            sides_px: (pixels.width(), pixels.height()),
            pixels,
            orientation: image::metadata::Orientation::NoTransforms,
            exif: None,
            icc: None,
        };
        let to = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut out = BufWriter::new(to.reopen().expect("the file"));
        encode(image, format, &tiff::TiffMetadata::default(), &mut out).expect("an output");
        out.flush().expect("written");
        let bytes = std::fs::read(to.path()).expect("the output");
        let kind = FileKind::Picture(format);
        let image = fixture::decode(&ImageSource { bytes, kind }, DecodeMode::Full)
            .expect("a complete picture");
        assert_eq!((image.pixels.width(), image.pixels.height()), (5, 4));
    }
}
