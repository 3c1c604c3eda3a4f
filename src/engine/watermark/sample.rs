//! Test files of kinds that are not in `fixtures/`.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};

use crate::engine::fixture::{self, png_chunk};
use crate::engine::structure;

/// Returns one file of each kind that can have a watermark, with a name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<_> = [
        "camera.jpg",
        "progressive.jpg",
        "manifest.jpg",
        "parameters.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
        "table.pdf",
        "stream.pdf",
    ]
    .map(|name| (name, fixture::bytes(name)))
    .into();
    let photo = DynamicImage::from(fixture::picture("plain.bmp").pixels.into_rgb8());
    let alpha = DynamicImage::from(photo.to_rgba8());
    all.extend([
        (
            "grey.jpg",
            encoded(&photo.to_luma8().into(), ImageFormat::Jpeg),
        ),
        (
            "grey16.png",
            encoded(&photo.to_luma16().into(), ImageFormat::Png),
        ),
        ("palette.png", palette_png()),
        ("lossless.webp", encoded(&photo, ImageFormat::WebP)),
        ("lossless-alpha.webp", encoded(&alpha, ImageFormat::WebP)),
        ("simple.webp", webp(&[(b"VP8 ", vp8())])),
        ("unpadded.webp", unpadded_webp()),
        ("alpha.webp", alpha_webp()),
        ("v5.bmp", bmp(124)),
        ("v4.bmp", bmp(108)),
        ("little.tiff", tiff(false, 1)),
        ("big.tif", tiff(true, 1)),
    ]);
    all
}

fn encoded(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    pixels.write_to(&mut out, format).expect("a picture");
    out.into_inner()
}

/// Returns a PNG of 16 by 16 pixels in two palette colours.
fn palette_png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(png_chunk(*b"IHDR", b"\0\0\0\x10\0\0\0\x10\x01\x03\0\0\0"));
    png.extend(png_chunk(*b"PLTE", b"\xff\x80\0\0\x80\xff"));
    let pixels = fixture::deflated(&b"\0\xaa\x55".repeat(16));
    png.extend(png_chunk(*b"IDAT", &pixels));
    png.extend(png_chunk(*b"IEND", b""));
    png
}

/// Returns the lossy image data of a fixture of 320 by 240 pixels.
fn vp8() -> Vec<u8> {
    structure::webp_chunks(&fixture::bytes("plain.webp"))
        .find(|chunk| chunk.kind == *b"VP8 ")
        .expect("a lossy WebP")
        .body
        .to_vec()
}

fn webp(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut webp = b"RIFF\0\0\0\0WEBP".to_vec();
    for (kind, body) in chunks {
        webp.extend_from_slice(&kind[..]);
        webp.extend_from_slice(
            &u32::try_from(body.len())
                .expect("a short length")
                .to_le_bytes(),
        );
        webp.extend_from_slice(body);
        webp.resize(webp.len().next_multiple_of(2), 0);
    }
    set_riff_length(&mut webp);
    webp
}

fn set_riff_length(webp: &mut [u8]) {
    let length = u32::try_from(webp.len() - 8).expect("a short length");
    webp[4..8].copy_from_slice(&length.to_le_bytes());
}

/// Returns a WebP whose last chunk has an odd length and no padding byte.
fn unpadded_webp() -> Vec<u8> {
    let mut webp = webp(&[(b"VP8 ", vp8()), (b"abcd", vec![1, 2, 3])]);
    webp.pop();
    set_riff_length(&mut webp);
    webp
}

/// Returns a lossy WebP with an uncompressed alpha channel.
fn alpha_webp() -> Vec<u8> {
    let head = b"\x10\0\0\0\x3f\x01\0\xef\0\0".to_vec();
    let alpha = [0]
        .into_iter()
        .chain((0..=255).cycle().take(320 * 240))
        .collect();
    webp(&[(b"VP8X", head), (b"ALPH", alpha), (b"VP8 ", vp8())])
}

/// Returns a BMP of 16 by 16 pixels with a header of `head_bytes`. A V5 header has a profile after
/// the pixels.
fn bmp(head_bytes: u32) -> Vec<u8> {
    const PIXELS_BYTES: u32 = 16 * 16 * 3;
    let profile: &[u8] = if head_bytes == 124 {
        b"a colour profile"
    } else {
        b""
    };
    let profile_bytes = u32::try_from(profile.len()).expect("a short length");
    let mut head = vec![0; head_bytes as usize];
    let mut set = |at: usize, number: u32| head[at..at + 4].copy_from_slice(&number.to_le_bytes());
    set(0, head_bytes);
    set(4, 16);
    set(8, 16);
    set(12, 1 | 24 << 16);
    set(20, PIXELS_BYTES);
    set(56, u32::from_be_bytes(*b"sRGB"));
    if head_bytes == 124 {
        set(56, u32::from_be_bytes(*b"MBED"));
        set(112, head_bytes + PIXELS_BYTES);
        set(116, profile_bytes);
    }
    let mut bmp = b"BM".to_vec();
    bmp.extend_from_slice(&(14 + head_bytes + PIXELS_BYTES + profile_bytes).to_le_bytes());
    bmp.extend_from_slice(&[0; 4]);
    bmp.extend_from_slice(&(14 + head_bytes).to_le_bytes());
    bmp.extend(head);
    bmp.extend((0..=255).cycle().take(PIXELS_BYTES as usize));
    bmp.extend_from_slice(profile);
    bmp
}

/// Returns a TIFF of 16 by 16 pixels and of odd length, in grey if `photometric` is 1.
pub fn tiff(is_big: bool, photometric: u32) -> Vec<u8> {
    const IFD_AT: u32 = 8 + 16 * 16;
    let b16 = |number: u16| {
        if is_big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let b32 = |number: u32| {
        if is_big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let mut tiff = if is_big {
        b"MM\0*".to_vec()
    } else {
        b"II*\0".to_vec()
    };
    tiff.extend_from_slice(&b32(IFD_AT));
    tiff.extend(0..=255);
    // 65_042 and 65_535 are private tags.
    let tags = [
        (256, 16),
        (257, 16),
        (258, 8),
        (259, 1),
        (262, photometric),
        (273, 8),
        (278, 16),
        (279, 256),
        (65_042, 1),
        (65_535, 1),
    ];
    tiff.extend_from_slice(&b16(10));
    for (tag, value) in tags {
        tiff.extend_from_slice(&b16(tag));
        tiff.extend_from_slice(&b16(4));
        tiff.extend_from_slice(&b32(1));
        tiff.extend_from_slice(&b32(value));
    }
    tiff.extend_from_slice(&[0; 4]);
    tiff.push(0);
    tiff
}
