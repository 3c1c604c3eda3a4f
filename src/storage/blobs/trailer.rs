//! Trailer of an object's file: the metadata as JSON, its length, and a mark.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use super::BlobMeta;

/// Last bytes of the file of an object.
const MAGIC: &[u8; 8] = b"stuntobj";
/// Length of the mark and the length field.
const FOOTER_BYTES: u64 = 12;
/// Bytes of the first read, which most trailers fit into.
const TAIL_READ_BYTES: u64 = 512;
/// Longest trailer to read, in bytes. Limits the allocation for a damaged length field.
const TRAILER_BYTES_MAX: u64 = 1024 * 1024;

/// Appends a trailer to the content of an object.
pub(super) fn append(meta: &BlobMeta, content: &mut Vec<u8>) -> io::Result<()> {
    let json = serde_json::to_vec(meta)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    content.extend_from_slice(&json);
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(MAGIC);
    Ok(())
}

/// Reads the trailer of an open object.
///
/// # Errors
/// Returns an error for which [`is_broken`] returns `true` if the file is not a whole object. Returns
/// another error if the disk fails.
pub(super) fn read(file: &File) -> io::Result<BlobMeta> {
    let torn = || io::Error::new(ErrorKind::InvalidData, "an object's file has no trailer");
    let file_bytes = file.metadata()?.len();
    let tail = tail(file, file_bytes, TAIL_READ_BYTES)?;
    let (rest, mark) = tail.split_last_chunk::<8>().ok_or_else(torn)?;
    let (json, length) = rest.split_last_chunk::<4>().ok_or_else(torn)?;
    if mark != MAGIC {
        return Err(torn());
    }
    let length = u64::from(u32::from_le_bytes(*length));
    let trailer_bytes = length + FOOTER_BYTES;
    if trailer_bytes > file_bytes.min(TRAILER_BYTES_MAX) {
        return Err(torn());
    }
    let whole = usize::try_from(length)
        .ok()
        .filter(|length| *length <= json.len());
    let longer;
    let json = if let Some(length) = whole {
        &json[json.len() - length..]
    } else {
        longer = self::tail(file, file_bytes, trailer_bytes)?;
        longer
            .strip_suffix(&tail[tail.len() - 12..])
            .ok_or_else(torn)?
    };
    let meta: BlobMeta = serde_json::from_slice(json)?;
    if meta.bytes.checked_add(trailer_bytes) == Some(file_bytes) {
        Ok(meta)
    } else {
        Err(torn())
    }
}

/// Returns `true` if an error of [`read`] says that the file is not a whole object, and `false` if the
/// disk failed.
pub(super) fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::IsADirectory
    )
}

fn tail(file: &File, file_bytes: u64, wanted_bytes: u64) -> io::Result<Vec<u8>> {
    let bytes = wanted_bytes.min(file_bytes);
    let mut tail = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
    file.read_exact_at(&mut tail, file_bytes - bytes)?;
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn meta(content_type: &str) -> BlobMeta {
        BlobMeta {
            content_type: Some(content_type.to_owned()),
            headers: [("cache-control".to_owned(), "max-age=9".to_owned())].into(),
            etag: "0123".to_owned(),
            bytes: 7,
            modified_at: Timestamp::from_ms(5),
        }
    }

    fn written(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(bytes, 0).expect("a write");
        file
    }

    #[test]
    fn read_returns_the_appended_trailer_of_any_length() {
        for content_type in ["image/png", &"x".repeat(2_000)] {
            let mut bytes = b"content".to_vec();
            append(&meta(content_type), &mut bytes).expect("a trailer");
            assert_eq!(
                read(&written(&bytes)).expect("a trailer"),
                meta(content_type)
            );
        }
    }

    #[test]
    fn read_of_a_file_truncated_anywhere_fails() {
        let mut bytes = b"content".to_vec();
        append(&meta("image/png"), &mut bytes).expect("a trailer");
        for length in 0..bytes.len() {
            assert!(read(&written(&bytes[..length])).is_err(), "{length}");
        }
        assert!(read(&written(&bytes[1..])).is_err(), "content is missing");
    }
}
