//! The pictures of `fixtures/`, for the tests.

use std::path::PathBuf;

use super::decode::{Picture, Source, Wanted};

/// Where a fixture lies.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

/// All its bytes.
pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("a fixture")
}

/// It as it is read.
pub fn source(name: &str) -> Source {
    Source::read(&path(name), name).expect("a fixture that is a picture")
}

/// It decoded.
pub fn picture(name: &str) -> Picture {
    source(name)
        .decode(Wanted::Colours)
        .expect("a fixture that is whole")
}
