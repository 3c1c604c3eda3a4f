//! Fixture files and shared helpers for the engine's tests.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::FutureExt;
use image::codecs::jpeg::JpegEncoder;

use super::budget::{Budget, Lease};
use super::decode::{DecodeMode, ImageSource};
use super::raster::DecodedImage;
use super::{Engine, EngineError, InputFile};
use crate::model::picture::FileDefect;

/// Returns an engine for `tasks_max` concurrent tasks with unlimited memory.
pub fn engine(tasks_max: usize) -> Engine {
    Engine::new(tasks_max, Budget::new(u64::MAX))
}

/// Returns a lease of an unlimited budget.
pub fn memory() -> Lease {
    let lease = Budget::new(u64::MAX).lease(0).now_or_never();
    lease.expect("nothing to wait for").expect("a lease")
}

/// Reads a file that its owner calls `name`.
pub fn read(content: &InputFile, name: &str) -> Result<ImageSource, EngineError> {
    ImageSource::read(content, name, &mut memory())
}

/// Decodes a file.
pub fn decode(source: &ImageSource, mode: DecodeMode) -> Result<DecodedImage, FileDefect> {
    source.decode(mode, &mut memory(), |_| 0)
}

/// Returns the path of a fixture.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

/// Opens a fixture as an input file.
pub fn content(name: &str) -> InputFile {
    open(&path(name))
}

/// Opens a file as an input file.
pub fn open(path: &Path) -> InputFile {
    let file = File::open(path).expect("a file");
    InputFile {
        bytes: file.metadata().expect("a size").len(),
        file: Arc::new(file),
        zip_entry: None,
    }
}

/// Returns the bytes of a fixture.
pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("a fixture")
}

/// Reads a fixture as a picture.
pub fn source(name: &str) -> ImageSource {
    read(&content(name), name).expect("a fixture that is a picture")
}

/// Decodes a fixture.
pub fn picture(name: &str) -> DecodedImage {
    decode(&source(name), DecodeMode::Full).expect("a complete fixture")
}

/// Returns a grey JPEG of the given size as an input file.
pub fn jpeg(width_px: u32, height_px: u32) -> InputFile {
    let mut file = tempfile::tempfile().expect("a file");
    let grey = image::RgbImage::from_pixel(width_px, height_px, image::Rgb([120, 120, 120]));
    JpegEncoder::new(&mut file)
        .encode_image(&grey)
        .expect("a JPEG");
    InputFile {
        bytes: file.metadata().expect("a size").len(),
        file: Arc::new(file),
        zip_entry: None,
    }
}

/// Returns `bytes` in zlib format.
pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// Returns a PNG chunk.
pub fn png_chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short chunk");
    let content = [&kind[..], body].concat();
    let checksum = rawzip::crc32(&content).to_be_bytes();
    [&length.to_be_bytes()[..], &content, &checksum].concat()
}

/// Returns a box of an ISO base media file or a JUMBF superbox.
pub fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + body.len()).expect("a short box");
    [&length.to_be_bytes(), &kind[..], body].concat()
}
