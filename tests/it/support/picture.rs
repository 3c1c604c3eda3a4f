//! Sample files from `fixtures/`.

use std::path::Path;

/// Returns the content of `fixtures/{name}`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a small JPEG without provenance metadata.
pub fn picture() -> Vec<u8> {
    fixture("plain.jpg")
}
