use super::*;
use crate::engine::fixture;

const COMPLETE: [&str; 12] = [
    "photo.jpg",
    "camera.jpg",
    "editor.jpg",
    "manifest.jpg",
    "progressive.jpg",
    "bench.jpg",
    "parameters.png",
    "plain.png",
    "plain.webp",
    "plain.bmp",
    "plain.tiff",
    "plain.gif",
];

/// Decodes `bytes` in both modes, asserts that both give the same error, and returns the full
/// result.
fn decode(format: RasterFormat, bytes: Vec<u8>) -> Result<DecodedImage, FileDefect> {
    let kind = FileKind::Picture(format);
    let source = ImageSource { bytes, kind };
    let luma = fixture::decode(&source, DecodeMode::LumaOnly);
    let full = fixture::decode(&source, DecodeMode::Full);
    assert_eq!(luma.as_ref().err(), full.as_ref().err());
    full
}

#[test]
fn decode_complete_fixtures_succeeds() {
    for name in COMPLETE {
        let picture = fixture::picture(name);
        let (width, height) = picture.pixels.dimensions();
        assert!(width >= 160 && height >= 120, "{name}");
    }
    assert_eq!(
        fixture::picture("camera.jpg").orientation,
        Orientation::Rotate90
    );
    assert!(fixture::picture("plain.webp").exif.is_some());
}

#[test]
fn decode_truncated_file_is_corrupt_in_every_format() {
    for name in COMPLETE {
        let source = fixture::source(name);
        for eighths in 1..8 {
            let bytes = source.bytes[..source.bytes.len() * eighths / 8].to_vec();
            let format = RasterFormat::of_name(name).expect("a picture's name");
            let found = decode(format, bytes).err();
            assert!(
                matches!(found, Some(FileDefect::Corrupt(_))),
                "{name} cut to {eighths}/8: {found:?}"
            );
        }
    }
}

#[test]
fn decode_jpeg_with_garbled_scan_is_corrupt() {
    for name in ["camera.jpg", "progressive.jpg"] {
        let mut bytes = fixture::bytes(name);
        let middle = bytes.len() / 2;
        crate::platform::rng::SeededRng::from_digest([1; 32])
            .fill(&mut bytes[middle..middle + 1000]);
        let found = decode(RasterFormat::Jpeg, bytes).err();
        assert!(
            matches!(found, Some(FileDefect::Corrupt(_))),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn decode_small_file_declaring_gigapixels_is_too_large_in_every_format() {
    let wide = 60_000_u16;
    let mut gif = fixture::bytes("plain.gif");
    gif[6..8].copy_from_slice(&wide.to_le_bytes());
    gif[8..10].copy_from_slice(&wide.to_le_bytes());
    let mut bmp = fixture::bytes("plain.bmp");
    bmp[18..22].copy_from_slice(&u32::from(wide).to_le_bytes());
    bmp[22..26].copy_from_slice(&u32::from(wide).to_le_bytes());
    let mut jpeg = fixture::bytes("plain.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .expect("a frame header");
    jpeg[frame + 5..frame + 7].copy_from_slice(&wide.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&wide.to_be_bytes());
    // Width minus 1 and height minus 1, 14 bits each.
    let mut webp_lossless = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f".to_vec();
    webp_lossless.resize(34, 0);
    // Width minus 1 and height minus 1, 24 bits each.
    let webp_extended =
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff".to_vec();
    let mut bmp_huge = bmp.clone();
    bmp_huge[18..22].copy_from_slice(&3_000_000_u32.to_le_bytes());
    let mut png_huge = fixture::bytes("bomb.png");
    png_huge[16..20].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    let checksum = rawzip::crc32(&png_huge[12..29]).to_be_bytes();
    png_huge[29..33].copy_from_slice(&checksum);
    // The size is checked before the truncation is found.
    let mut png_truncated = fixture::bytes("bomb.png");
    png_truncated.truncate(png_truncated.len() / 2);
    for (format, bytes) in [
        (RasterFormat::Png, fixture::bytes("bomb.png")),
        (RasterFormat::Png, png_truncated),
        (RasterFormat::Gif, gif),
        (RasterFormat::Bmp, bmp),
        (RasterFormat::Jpeg, jpeg),
        (RasterFormat::WebP, webp_lossless),
        (RasterFormat::WebP, webp_extended),
        (RasterFormat::Bmp, bmp_huge),
        (RasterFormat::Png, png_huge),
        (
            RasterFormat::Tiff,
            tiff_of(u32::from(wide), u32::from(wide)),
        ),
    ] {
        let found = decode(format, bytes).err();
        assert!(
            matches!(found, Some(FileDefect::TooLarge(_))),
            "{format:?}: {found:?}"
        );
    }
}

/// Returns a TIFF in 8-bit grey whose only strip is much too short.
fn tiff_of(width: u32, height: u32) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x08\0".to_vec();
    for (tag, kind, value) in [
        (256_u16, 4_u16, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 4, height),
        (279, 4, 64),
    ] {
        tiff.extend_from_slice(&tag.to_le_bytes());
        tiff.extend_from_slice(&kind.to_le_bytes());
        tiff.extend_from_slice(&1_u32.to_le_bytes());
        tiff.extend_from_slice(&value.to_le_bytes());
    }
    tiff.extend_from_slice(&[0; 4]);
    tiff
}

#[test]
fn read_file_above_the_limit_is_a_file_size_defect() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file()
        .set_len(input::FILE_BYTES_MAX + 1)
        .expect("a sparse file");
    let found = fixture::read(&fixture::open(file.path()), "long.jpg");
    assert!(matches!(
        found,
        Err(EngineError::Defect(FileDefect::FileSize(_)))
    ));
}

#[test]
fn hostile_bytes_never_panic() {
    let names = COMPLETE
        .iter()
        .chain(&["truncated.jpg", "not-a-picture.jpg"]);
    for name in names.filter(|name| **name != "photo.jpg") {
        let bytes = fixture::bytes(name);
        let Some(format) = RasterFormat::of_name(name) else {
            panic!("{name} has no format");
        };
        let mut rng = crate::platform::rng::SeededRng::from_digest([7; 32]);
        for _ in 0..24 {
            let mut hostile = bytes.clone();
            for _ in 0..=rng.next_u64() % 8 {
                // Half of the flips go to the header.
                let reach_max = if rng.next_u64().is_multiple_of(2) {
                    700
                } else {
                    usize::MAX
                };
                let reach = reach_max.min(hostile.len()) as u64;
                let at = usize::try_from(rng.next_u64() % reach).expect("an index");
                hostile[at] ^= 1 << (rng.next_u64() % 8);
            }
            let length =
                usize::try_from(rng.next_u64() % (2 * bytes.len() as u64)).expect("a length");
            hostile.truncate(length);
            let _ = crate::engine::metadata::read(&hostile, format);
            if let Ok(decoded) = decode(format, hostile) {
                let _ = crate::engine::measure::measure(&decoded.pixels, 0);
            }
        }
    }
}

#[test]
fn decode_png_with_large_icc_profile_is_too_large() {
    let with_profiles = |unpacked_bytes: usize, count: usize| {
        let profile = fixture::deflated(&vec![0; unpacked_bytes]);
        let chunk = fixture::png_chunk(*b"iCCP", &[&b"p\0\0"[..], &profile].concat());
        let plain = fixture::bytes("plain.png");
        let head_ends = 33;
        let chunks = chunk.repeat(count);
        let bytes = [&plain[..head_ends], &chunks, &plain[head_ends..]].concat();
        decode(RasterFormat::Png, bytes).map(|picture| picture.icc.map(|icc| icc.len()))
    };
    let with_profile = |unpacked_bytes| with_profiles(unpacked_bytes, 1);
    let bytes_max = 4 << 20;
    assert_eq!(with_profile(bytes_max), Ok(Some(bytes_max)));
    // Only the first of many profiles is decompressed.
    assert_eq!(with_profiles(bytes_max, 5_000), Ok(Some(bytes_max)));
    let message = "the PNG's ICC profile is too large".to_owned();
    assert_eq!(
        with_profile(bytes_max + 1),
        Err(FileDefect::TooLarge(message))
    );
}
