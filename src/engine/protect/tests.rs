use super::*;
use crate::engine::fixture;
use crate::engine::metadata;
use image::AnimationDecoder;

/// The output of protecting a fixture, as bytes.
fn output(name: &str, strength: Strength, seed: u8) -> Vec<u8> {
    let to = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut order = Protection {
        content: fixture::content(name),
        name: name.to_owned(),
        to: to.path().to_owned(),
        strength,
        draw: SeededRng::from_digest([seed; 32]),
        thumbnail: true,
    };
    let protected = protect(&mut order, &mut fixture::memory()).expect("a protected picture");
    let bytes = std::fs::read(to.path()).expect("the output");
    assert_eq!(protected.body_bytes, bytes.len() as u64);
    assert!(
        protected
            .thumbnail
            .is_some_and(|bytes| bytes.starts_with(&[0xff, 0xd8]))
    );
    bytes
}

fn decoded(name: &str, bytes: Vec<u8>) -> Picture {
    let format = RasterFormat::of_name(name).expect("a format of ours");
    let media = FileKind::Picture(format);
    fixture::decode(&ImageSource { bytes, media }, DecodeMode::Full).expect("a whole picture")
}

#[test]
fn lossless_formats_move_by_the_amplitude_at_most_and_everywhere() {
    for name in ["plain.png", "plain.webp", "plain.bmp", "plain.tiff"] {
        for strength in [Strength::Low, Strength::Standard, Strength::High] {
            let before = fixture::picture(name).pixels.into_rgb8();
            let after = decoded(name, output(name, strength, 1)).pixels.into_rgb8();
            assert_eq!(before.dimensions(), after.dimensions(), "{name}");
            let most = before
                .iter()
                .zip(after.iter())
                .map(|(before, after)| before.abs_diff(*after));
            let (least, most) =
                most.fold((255, 0), |(least, most), by| (by.min(least), by.max(most)));
            assert_eq!((least, most), (1, strength.amplitude()), "{name}");
        }
    }
}

#[test]
fn a_jpeg_stays_close_and_keeps_what_it_says() {
    let after = output("camera.jpg", Strength::High, 1);
    assert_eq!(
        metadata::read(&after, RasterFormat::Jpeg),
        metadata::read(&fixture::bytes("camera.jpg"), RasterFormat::Jpeg)
    );
    let after = decoded("camera.jpg", after);
    let before = fixture::picture("camera.jpg");
    assert_eq!(before.orientation, after.orientation);
    assert_eq!(before.exif, after.exif);
    let (before, after) = (before.pixels.into_rgb8(), after.pixels.into_rgb8());
    let by: u64 = before
        .iter()
        .zip(after.iter())
        .map(|(before, after)| u64::from(before.abs_diff(*after)))
        .sum();
    let mean_hundredths = by * 100 / before.len() as u64;
    assert!((100..800).contains(&mean_hundredths), "{mean_hundredths}");
}

/// Every field of a TIFF's EXIF but for where its pixels are, as text.
fn fields(bytes: &[u8]) -> Vec<String> {
    let read = exif::Reader::new().read_from_container(&mut std::io::Cursor::new(bytes));
    let read = read.expect("EXIF");
    let of_pixels = |field: &&exif::Field| !(254..270).contains(&field.tag.number());
    let more = [273, 277, 278, 279, 282, 283, 284, 296, 317, 339];
    let shown = read
        .fields()
        .filter(of_pixels)
        .filter(|field| !more.contains(&field.tag.number()))
        .map(|field| format!("{} {}", field.tag, field.display_value()));
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

#[test]
fn exif_and_gps_are_kept_in_tiff() {
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
fn exif_is_kept_in_webp_and_png() {
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
fn a_gif_keeps_its_frames() {
    let frames = |bytes: &[u8]| {
        image::codecs::gif::GifDecoder::new(io::Cursor::new(bytes))
            .and_then(|decoder| decoder.into_frames().collect_frames())
            .expect("frames")
    };
    let (before, after) = (
        fixture::bytes("plain.gif"),
        output("plain.gif", Strength::Standard, 1),
    );
    assert_ne!(before, after);
    let (before, after) = (frames(&before), frames(&after));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.delay(), after.delay());
        let samples = before.buffer().iter().zip(after.buffer().iter());
        assert!(samples.clone().any(|(before, after)| before != after));
        assert!(samples.into_iter().all(|(b, a)| b.abs_diff(*a) <= 4));
    }
}

#[test]
fn the_same_draw_gives_the_same_bytes_and_another_others() {
    for name in ["plain.jpg", "plain.png", "plain.gif"] {
        let once = output(name, Strength::Low, 1);
        assert_eq!(once, output(name, Strength::Low, 1), "{name}");
        assert_ne!(once, output(name, Strength::Low, 2), "{name}");
        assert_ne!(once, fixture::bytes(name), "{name}");
    }
}

#[test]
fn alpha_stays_and_every_depth_can_be_written() {
    let mut draw = SeededRng::from_digest([1; 32]);
    let mut noise = Noise::new(Strength::High, &mut draw);
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
        let picture = Picture {
            sides_px: (pixels.width(), pixels.height()),
            pixels,
            orientation: image::metadata::Orientation::NoTransforms,
            exif: None,
            icc: None,
        };
        let to = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut out = BufWriter::new(to.reopen().expect("the file"));
        encode(picture, format, &tiff::TiffMetadata::default(), &mut out).expect("an output");
        out.flush().expect("written");
        let bytes = std::fs::read(to.path()).expect("the output");
        let media = FileKind::Picture(format);
        let again = fixture::decode(&ImageSource { bytes, media }, DecodeMode::Full);
        let again = again.expect("a whole picture");
        assert_eq!((again.pixels.width(), again.pixels.height()), (5, 4));
    }
}
