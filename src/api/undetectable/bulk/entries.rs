//! What in a ZIP is judged, and what is skipped and why: by names and by what the ZIP's
//! directory says, before anything is unpacked.

use super::super::detect::{FILE_BYTES_MAX, FILE_BYTES_MIN};
use crate::engine::archive::ArchiveEntry;
use crate::model::bulk::{Bulk, BulkEntry, SkipReason, SkippedEntry};
use crate::model::picture::FileKind;

/// What macOS and Windows leave in folders, in lower case; macOS has a folder of its own too.
const OS_METADATA: [&str; 4] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"];
const OS_METADATA_FOLDER: &str = "__MACOSX";

/// Separators of folders. Some programs on Windows write the backslash.
const SEPARATORS: &[char] = &['/', '\\'];
/// In a name in code page 437, the byte of the backslash may be the second one of a character of another
/// code page, such as Shift-JIS.
const SEPARATORS_CODE_PAGE_437: &[char] = &['/'];

/// Sorts a ZIP's entries, each kind in the ZIP's order. Two of the same name are two.
pub fn classify_entries(entries: Vec<ArchiveEntry>) -> Bulk {
    let mut bulk = Bulk::default();
    for entry in entries {
        let reason = skip_reason(&entry);
        let (name, packed) = (entry.name, entry.packed);
        match reason {
            Some(reason) => bulk.skipped.push(SkippedEntry { name, reason }),
            None => bulk.queued.push(BulkEntry {
                name,
                location: packed,
                outcome_override: None,
            }),
        }
    }
    bulk
}

/// Why the entry is skipped, if it is.
fn skip_reason(entry: &ArchiveEntry) -> Option<SkipReason> {
    let name = entry.name.as_str();
    let separators = if entry.is_code_page_437 {
        SEPARATORS_CODE_PAGE_437
    } else {
        SEPARATORS
    };
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if entry.is_name_cut || !is_safe_path(name, separators) {
        Some(SkipReason::InvalidPath)
    } else if is_hidden(name, separators) {
        Some(SkipReason::Hidden)
    } else if name.ends_with(separators) {
        Some(SkipReason::Directory)
    } else if extension.eq_ignore_ascii_case("zip") {
        Some(SkipReason::NestedZip)
    } else if extension.eq_ignore_ascii_case("pdf") {
        Some(SkipReason::Pdf)
    } else if FileKind::of_name(name).is_none() {
        Some(SkipReason::UnsupportedType)
    } else if entry.is_encrypted {
        Some(SkipReason::Encrypted)
    } else if entry.packed.bytes < FILE_BYTES_MIN {
        Some(SkipReason::TooSmall)
    } else if entry.packed.bytes > FILE_BYTES_MAX {
        Some(SkipReason::TooLarge)
    } else {
        (!entry.is_readable).then_some(SkipReason::Compression)
    }
}

/// Whether a name is one of a file below where a ZIP is unpacked, on any system.
fn is_safe_path(name: &str, separators: &[char]) -> bool {
    let bytes = name.as_bytes();
    let has_drive = bytes.get(1) == Some(&b':') && bytes[0].is_ascii_alphabetic();
    !name.is_empty()
        && !name.contains(char::is_control)
        && !name.starts_with(separators)
        && !has_drive
        && name.split(separators).all(|part| part != "..")
}

fn is_hidden(name: &str, separators: &[char]) -> bool {
    let left_behind = |part: &str| OS_METADATA.contains(&part.to_lowercase().as_str());
    name.split(separators).any(|part| {
        (part.starts_with('.') && part != ".") || part == OS_METADATA_FOLDER || left_behind(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bulk::ZipLocation;

    fn entry(name: &str) -> ArchiveEntry {
        ArchiveEntry {
            name: name.to_owned(),
            is_code_page_437: false,
            is_name_cut: false,
            is_encrypted: false,
            is_readable: true,
            packed: ZipLocation {
                header_at: 0,
                packed_bytes: 2_000,
                bytes: 2_000,
                crc32: 0,
                is_deflated: true,
            },
        }
    }

    #[test]
    fn a_name_alone_may_have_an_entry_skipped() {
        for (name, expected) in [
            ("a.jpg", None),
            ("./a.JFIF", None),
            ("a/b c/ü.jpeg", None),
            ("a//b.png", None),
            ("a\\b.webp", None),
            ("a..b/c..jpg", None),
            ("a.svg", None),
            ("a.HEIC", None),
            ("a.avif", None),
            ("", Some(SkipReason::InvalidPath)),
            ("/a.jpg", Some(SkipReason::InvalidPath)),
            ("\\a.jpg", Some(SkipReason::InvalidPath)),
            ("C:a.jpg", Some(SkipReason::InvalidPath)),
            ("c:\\a.jpg", Some(SkipReason::InvalidPath)),
            ("../a.jpg", Some(SkipReason::InvalidPath)),
            ("a/../../b.jpg", Some(SkipReason::InvalidPath)),
            ("a\\..\\b.jpg", Some(SkipReason::InvalidPath)),
            ("a.jpg\0.txt", Some(SkipReason::InvalidPath)),
            ("a\nb.jpg", Some(SkipReason::InvalidPath)),
            ("..", Some(SkipReason::InvalidPath)),
            (".a.jpg", Some(SkipReason::Hidden)),
            ("a/.git/b.jpg", Some(SkipReason::Hidden)),
            (".git/", Some(SkipReason::Hidden)),
            ("__MACOSX/", Some(SkipReason::Hidden)),
            ("__MACOSX/a/._b.jpg", Some(SkipReason::Hidden)),
            ("a/Thumbs.db", Some(SkipReason::Hidden)),
            ("desktop.ini", Some(SkipReason::Hidden)),
            ("a/", Some(SkipReason::Directory)),
            ("a.jpg/", Some(SkipReason::Directory)),
            ("a\\", Some(SkipReason::Directory)),
            ("a.ZIP", Some(SkipReason::NestedZip)),
            ("a.Pdf", Some(SkipReason::Pdf)),
            ("a.txt", Some(SkipReason::UnsupportedType)),
            ("jpg", Some(SkipReason::UnsupportedType)),
            ("a.jpg.exe", Some(SkipReason::UnsupportedType)),
        ] {
            assert_eq!(skip_reason(&entry(name)), expected, "{name:?}");
        }
    }

    #[test]
    fn a_backslash_separates_no_folders_in_a_name_in_code_page_437() {
        for (name, expected) in [
            ("â\\.jpg", None),
            ("\\a.jpg", None),
            ("a\\..\\b.jpg", None),
            ("â\\", Some(SkipReason::UnsupportedType)),
            ("â\\/.a.jpg", Some(SkipReason::Hidden)),
            ("../â\\.jpg", Some(SkipReason::InvalidPath)),
        ] {
            let entry = ArchiveEntry {
                is_code_page_437: true,
                ..entry(name)
            };
            assert_eq!(skip_reason(&entry), expected, "{name:?}");
        }
    }

    #[test]
    fn so_may_what_the_directory_says_of_it() {
        let with = |change: fn(&mut ArchiveEntry)| {
            let mut entry = entry("a.jpg");
            change(&mut entry);
            skip_reason(&entry)
        };
        let too_small = with(|entry| entry.packed.bytes = FILE_BYTES_MIN - 1);
        assert_eq!(too_small, Some(SkipReason::TooSmall));
        assert_eq!(with(|entry| entry.packed.bytes = FILE_BYTES_MIN), None);
        assert_eq!(with(|entry| entry.packed.bytes = FILE_BYTES_MAX), None);
        let too_large = with(|entry| entry.packed.bytes = FILE_BYTES_MAX + 1);
        assert_eq!(too_large, Some(SkipReason::TooLarge));
        let encrypted = with(|entry| entry.is_encrypted = true);
        assert_eq!(encrypted, Some(SkipReason::Encrypted));
        let unreadable = with(|entry| entry.is_readable = false);
        assert_eq!(unreadable, Some(SkipReason::Compression));
        let cut = with(|entry| entry.is_name_cut = true);
        assert_eq!(cut, Some(SkipReason::InvalidPath));
    }
}
