//! ZIP files of outputs. Pictures are compressed as they are, so members are stored.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::blobs::Blob;

/// Writes a ZIP of the files, under the names given; a name that was there gets a number.
/// Memory does not grow with the files, which are whole ones.
pub(super) fn write(to: &Path, members: Vec<(String, Blob)>) -> io::Result<()> {
    let mut archive = Archive::create(to)?;
    for (name, blob) in members {
        archive.add(name, File::open(blob.path)?.take(blob.meta.bytes))?;
    }
    archive.finish()
}

/// A ZIP that is being written.
pub(super) struct Archive {
    zip: ZipWriter<BufWriter<File>>,
    taken: HashSet<String>,
}

impl Archive {
    /// Begins one where `to` says.
    pub fn create(to: &Path) -> io::Result<Self> {
        Ok(Self {
            zip: ZipWriter::new(BufWriter::new(File::create(to)?)),
            taken: HashSet::new(),
        })
    }

    /// Adds a file under that name, or with a number where the name was there.
    pub fn add(&mut self, name: String, mut content: impl Read) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        let name = free_name(&mut self.taken, name);
        self.zip
            .start_file(name, options)
            .map_err(io::Error::other)?;
        io::copy(&mut content, &mut self.zip).map(drop)
    }

    /// Ends it: now it is whole.
    pub fn finish(self) -> io::Result<()> {
        self.zip.finish().map_err(io::Error::other)?.flush()
    }
}

/// `a.jpg`, and the second time `a (1).jpg`.
fn free_name(taken: &mut HashSet<String>, name: String) -> String {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) => (stem.to_owned(), format!(".{extension}")),
        None => (name.clone(), String::new()),
    };
    let mut free = name;
    let mut number = 0;
    while !taken.insert(free.to_lowercase()) {
        number += 1;
        free = format!("{stem} ({number}){extension}");
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_taken_gets_a_number() {
        let mut taken = HashSet::new();
        let names = ["a.jpg", "A.JPG", "a.jpg", "a (1).jpg", "b"]
            .map(|name| free_name(&mut taken, name.to_owned()));
        assert_eq!(
            names,
            ["a.jpg", "A (1).JPG", "a (2).jpg", "a (1) (1).jpg", "b"]
        );
    }
}
