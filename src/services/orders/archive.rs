//! ZIP files of outputs.
//!
//! Images are compressed already, so entries are deflated without compression. Method 0 (stored) is
//! not used: a stored entry whose length follows its data cannot be read as a stream, for example by
//! Java's `ZipInputStream`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::path::ZipFilePath;
use rawzip::{CompressionMethod, ErrorKind, ZipArchiveWriter};

use crate::storage::blobs::Blob;

/// Writes a ZIP file with `members`, pairs of a name and a file, to `to`. Streams the content, so
/// memory use does not depend on the size of the files.
pub(super) fn write(to: &Path, members: Vec<(String, Blob)>) -> io::Result<()> {
    let mut archive = OutputArchive::create(to)?;
    for (name, blob) in members {
        archive.add(&name, File::open(blob.path)?.take(blob.meta.bytes))?;
    }
    archive.finish()
}

/// ZIP file that is being written.
pub(super) struct OutputArchive {
    zip: ZipArchiveWriter<BufWriter<File>>,
    /// Names of the entries, in lower case.
    names: HashSet<String>,
}

impl OutputArchive {
    /// Creates the file `to`.
    pub fn create(to: &Path) -> io::Result<Self> {
        Ok(Self {
            zip: ZipArchiveWriter::new(BufWriter::new(File::create(to)?)),
            names: HashSet::new(),
        })
    }

    /// Adds an entry. Adds a number to the name if an earlier entry has the same name.
    pub fn add(&mut self, name: &str, mut content: impl Read) -> io::Result<()> {
        // Names are sanitised, so that no entry is extracted outside the target folder.
        let safe_name = ZipFilePath::from_str(name).as_str().to_owned();
        let name = unique_name(&mut self.names, safe_name);
        let (mut entry, config) = self
            .zip
            .new_file(name.as_str())
            .compression_method(CompressionMethod::DEFLATE)
            .start()
            .map_err(io_error)?;
        let encoder = DeflateEncoder::new(&mut entry, Compression::none());
        let mut data = config.wrap(encoder);
        io::copy(&mut content, &mut data)?;
        let (encoder, descriptor) = data.finish().map_err(io_error)?;
        encoder.finish()?;
        entry.finish(descriptor).map(drop).map_err(io_error)
    }

    /// Writes the central directory and flushes the file.
    pub fn finish(self) -> io::Result<()> {
        self.zip.finish().map_err(io_error)?.flush()
    }
}

fn io_error(error: rawzip::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::IO(error) => error,
        kind => io::Error::other(kind.to_string()),
    }
}

/// Returns `name`, with a number if it is in use: the second `a.jpg` becomes `a (1).jpg`.
fn unique_name(names: &mut HashSet<String>, name: String) -> String {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) => (stem.to_owned(), format!(".{extension}")),
        None => (name.clone(), String::new()),
    };
    let mut free = name;
    let mut number = 0;
    while !names.insert(free.to_lowercase()) {
        number += 1;
        free = format!("{stem} ({number}){extension}");
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_name_of_a_used_name_adds_a_number() {
        let mut names = HashSet::new();
        let free = ["a.jpg", "A.JPG", "a.jpg", "a (1).jpg", "b"]
            .map(|name| unique_name(&mut names, name.to_owned()));
        assert_eq!(
            free,
            ["a.jpg", "A (1).JPG", "a (2).jpg", "a (1) (1).jpg", "b"]
        );
    }

    #[test]
    fn add_with_unsafe_or_equal_names_writes_unique_names_inside_the_folder() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.zip");
        let mut archive = OutputArchive::create(&path).expect("a file");
        for name in ["사진.jpg", "../사진.jpg", "c:\\b.jpg"] {
            archive.add(name, &b"bytes"[..]).expect(name);
        }
        archive.finish().expect("a ZIP file");
        let bytes = std::fs::read(path).expect("a file");
        let zip = rawzip::ZipArchive::from_slice(&bytes).expect("a ZIP file");
        let names: Vec<(String, bool)> = zip
            .entries()
            .map(|record| {
                let record = record.expect("an entry");
                let is_utf8 = record.flags().bits() & 0x800 != 0;
                let name = record.file_path().as_bytes().to_vec();
                (String::from_utf8(name).expect("UTF-8"), is_utf8)
            })
            .collect();
        let expected = [("사진.jpg", true), ("사진 (1).jpg", true), ("b.jpg", false)];
        assert_eq!(
            names,
            expected.map(|(name, is_utf8)| (name.to_owned(), is_utf8))
        );
    }
}
