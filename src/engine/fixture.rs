//! The pictures of `fixtures/`, for the tests.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Content;
use super::decode::{Picture, Source, Wanted};

/// Where a fixture lies.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

/// It as the engine is given it.
pub fn content(name: &str) -> Content {
    whole(&path(name))
}

/// A file all of which is the picture's.
pub fn whole(path: &Path) -> Content {
    let file = File::open(path).expect("a file");
    Content {
        bytes: file.metadata().expect("its size").len(),
        file: Arc::new(file),
        packed: None,
    }
}

/// All its bytes.
pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("a fixture")
}

/// It as it is read.
pub fn source(name: &str) -> Source {
    Source::read(&content(name), name).expect("a fixture that is a picture")
}

/// It decoded.
pub fn picture(name: &str) -> Picture {
    source(name)
        .decode(Wanted::Colours)
        .expect("a fixture that is whole")
}
