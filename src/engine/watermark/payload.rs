//! Block of bytes with the texts of a watermark, the same in every format.
//!
//! ```text
//! magic 8 │ version 1 │ length of the body 4 │ SHA-256 of the body 32 │ body
//! body: for each text its length 4 │ UTF-8
//! ```
//! Numbers are big-endian. Guarantees: reading returns exactly what was written, or `None`. Bytes
//! after the block are ignored.

use std::io;

use sha2::{Digest, Sha256};

/// Maximum number of texts of a file.
pub const TEXTS_MAX: usize = 100;
/// Maximum length of a text in characters (Unicode scalar values).
pub const TEXT_CHARS_MAX: usize = 1000;
/// First bytes of every block.
pub const MAGIC: &[u8; 8] = b"SDWMARK\x1a";
/// Maximum length of a block.
pub const BYTES_MAX: usize = HEAD_BYTES + TEXTS_MAX * (LENGTH_BYTES + 4 * TEXT_CHARS_MAX);

const VERSION: u8 = 1;
const LENGTH_BYTES: usize = 4;
const DIGEST_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + 1 + LENGTH_BYTES + DIGEST_BYTES;

/// Returns the block with the `old` texts followed by the `new` ones. The oldest are dropped if
/// there are more than [`TEXTS_MAX`].
///
/// # Errors
/// Returns `InvalidInput` if `new` has no text, more than [`TEXTS_MAX`], or one that is too long.
pub fn write(old: Vec<String>, new: Vec<String>) -> io::Result<Vec<u8>> {
    let is_long = |text: &String| text.chars().nth(TEXT_CHARS_MAX).is_some();
    if new.is_empty() || new.len() > TEXTS_MAX || new.iter().any(is_long) {
        let text = format!(
            "watermark: expected 1 to {TEXTS_MAX} texts of at most {TEXT_CHARS_MAX} characters"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let removed = (old.len() + new.len()).saturating_sub(TEXTS_MAX);
    let mut body = Vec::new();
    for text in old.into_iter().skip(removed).chain(new) {
        body.extend_from_slice(&length_of(text.as_bytes())?);
        body.extend_from_slice(text.as_bytes());
    }
    let mut block = MAGIC.to_vec();
    block.push(VERSION);
    block.extend_from_slice(&length_of(&body)?);
    block.extend_from_slice(&Sha256::digest(&body));
    block.append(&mut body);
    Ok(block)
}

fn length_of(bytes: &[u8]) -> io::Result<[u8; LENGTH_BYTES]> {
    u32::try_from(bytes.len())
        .map(u32::to_be_bytes)
        .map_err(io::Error::other)
}

/// Returns the texts of the block at the start of `bytes`. `None` if there is no valid block.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Vec<String>> {
    let after_version = bytes.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
    let (length, after_length) = split_length(after_version)?;
    let (digest, after_digest) = after_length.split_at_checked(DIGEST_BYTES)?;
    if length > BYTES_MAX - HEAD_BYTES {
        return None;
    }
    let mut body = after_digest.get(..length)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let mut texts = Vec::new();
    while !body.is_empty() {
        let (text_length, after_length) = split_length(body)?;
        let (text, rest) = after_length.split_at_checked(text_length)?;
        texts.push(std::str::from_utf8(text).ok()?.to_owned());
        body = rest;
    }
    (!texts.is_empty() && texts.len() <= TEXTS_MAX).then_some(texts)
}

fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    Some((usize::try_from(u32::from_be_bytes(*length)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(texts: &[&str]) -> Vec<u8> {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        write(Vec::new(), texts).expect("a block")
    }

    #[test]
    fn write_beyond_the_maximum_drops_the_oldest_texts() {
        let numbers = |from: usize, to: usize| (from..to).map(|n| n.to_string()).collect();
        let block = write(numbers(0, 95), numbers(95, 105)).expect("a block");
        assert_eq!(read(&block), Some(numbers(5, 105)));
    }

    #[test]
    fn write_accepts_the_longest_texts_and_rejects_longer_ones() {
        let longest = "\u{10ffff}".repeat(TEXT_CHARS_MAX);
        let full = vec![longest.clone(); TEXTS_MAX];
        let block = write(Vec::new(), full.clone()).expect("a block");
        assert_eq!(block.len(), BYTES_MAX);
        assert_eq!(read(&block), Some(full.clone()));
        for wrong in [
            vec![],
            vec![longest.clone() + "x"],
            [full, vec![longest]].concat(),
        ] {
            let error = write(Vec::new(), wrong).expect_err("not a watermark");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn read_damaged_or_truncated_block_returns_none() {
        let block = block(&["a", "", "ü\0\n"]);
        for at in 0..block.len() * 8 {
            let mut damaged = block.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            assert_eq!(read(&damaged), None, "bit {at}");
        }
        for count in 0..block.len() {
            assert_eq!(read(&block[..count]), None, "{count} bytes");
        }
    }

    #[test]
    fn read_malformed_block_with_valid_digest_returns_none() {
        let signed = |body: &[u8]| {
            let mut block = [&MAGIC[..], &[VERSION]].concat();
            block.extend_from_slice(&length_of(body).expect("a length"));
            block.extend_from_slice(&Sha256::digest(body));
            block.extend_from_slice(body);
            block
        };
        assert!(read(&signed(b"\0\0\0\x01a")).is_some());
        for body in [
            &b""[..],
            b"\0",
            b"\xff\xff\xff\xffa",
            b"\0\0\0\x01\xff",
            b"\0\0\0\x02a",
        ] {
            assert_eq!(read(&signed(body)), None, "{body:?}");
        }
        assert_eq!(read(&signed(&[0; LENGTH_BYTES * (TEXTS_MAX + 1)])), None);
    }

    proptest! {
        #[test]
        fn read_returns_what_was_written(
            old in prop::collection::vec(any::<String>(), 0..10),
            new in prop::collection::vec(any::<String>(), 1..=10),
            tail in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let both = [old.clone(), new.clone()].concat();
            let block = [write(old, new).expect("a block"), tail].concat();
            prop_assert_eq!(read(&block), Some(both));
        }

        #[test]
        fn read_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(read(&bytes), None);
            let _ = read(&[&MAGIC[..], &[VERSION], &bytes].concat());
        }
    }
}
