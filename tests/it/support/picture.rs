//! Pictures, as they lie in `fixtures/`.

use std::path::Path;

/// A file of `fixtures/`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A small JPEG that says nothing of where it comes from.
pub fn picture() -> Vec<u8> {
    fixture("plain.jpg")
}
