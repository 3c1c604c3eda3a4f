//! The pictures of `fixtures/`, for the tests.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt;
use image::codecs::jpeg::JpegEncoder;

use super::budget::{Budget, Lease};
use super::decode::{DecodeMode, ImageSource};
use super::raster::Picture;
use super::{Engine, EngineError, InputFile};
use crate::model::picture::FileDefect;

/// An engine for so many pictures at once, with as much memory as they take.
pub fn engine(at_once: usize) -> Engine {
    Engine::new(at_once, Budget::new(u64::MAX))
}

/// As much memory as any work takes.
pub fn memory() -> Lease {
    let lease = Budget::new(u64::MAX).lease(0).now_or_never();
    lease.expect("nothing to wait for").expect("it fits")
}

/// Reads a picture.
pub fn read(content: &InputFile, name: &str) -> Result<ImageSource, EngineError> {
    ImageSource::read(content, name, &mut memory())
}

/// Decodes a picture.
pub fn decode(source: &ImageSource, wanted: DecodeMode) -> Result<Picture, FileDefect> {
    source.decode(wanted, &mut memory(), |_| 0)
}

/// Where a fixture lies.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

/// It as the engine is given it.
pub fn content(name: &str) -> InputFile {
    whole(&path(name))
}

/// A file all of which is the picture's.
pub fn whole(path: &Path) -> InputFile {
    let file = File::open(path).expect("a file");
    InputFile {
        bytes: file.metadata().expect("its size").len(),
        file: Arc::new(file),
        zip_entry: None,
    }
}

/// All its bytes.
pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("a fixture")
}

/// It as it is read.
pub fn source(name: &str) -> ImageSource {
    read(&content(name), name).expect("a fixture that is a picture")
}

/// It decoded.
pub fn picture(name: &str) -> Picture {
    decode(&source(name), DecodeMode::Full).expect("a fixture that is whole")
}

/// Returns a grey JPEG of that size, as a file.
pub fn jpeg(width_px: u32, height_px: u32) -> InputFile {
    let mut file = tempfile::tempfile().expect("a file");
    let grey = image::RgbImage::from_pixel(width_px, height_px, image::Rgb([120, 120, 120]));
    JpegEncoder::new(&mut file)
        .encode_image(&grey)
        .expect("a JPEG");
    InputFile {
        bytes: file.metadata().expect("its size").len(),
        file: Arc::new(file),
        zip_entry: None,
    }
}
