//! A watermark's block of bytes, the same in every format.
//!
//! ```text
//! magic 8 │ version 1 │ length of the body 4 │ SHA-256 of the body 32 │ body
//! body: for each text its length 4 │ UTF-8
//! ```
//! Numbers have their high byte first. Promises: what is read is what was written, to the last
//! bit, or nothing; what follows the block is not looked at.

use std::io;

use sha2::{Digest, Sha256};

/// The most texts a file keeps.
pub const TEXTS_MAX: usize = 100;
/// The longest text, in characters (Unicode scalar values).
pub const TEXT_CHARS_MAX: usize = 1000;
/// What every block begins with.
pub const MAGIC: &[u8; 8] = b"SDWMARK\x1a";
/// The longest block.
pub const BYTES_MAX: usize = HEAD_BYTES + TEXTS_MAX * (LENGTH_BYTES + 4 * TEXT_CHARS_MAX);

const VERSION: u8 = 1;
const LENGTH_BYTES: usize = 4;
const DIGEST_BYTES: usize = 32;
const HEAD_BYTES: usize = MAGIC.len() + 1 + LENGTH_BYTES + DIGEST_BYTES;

/// The block of the `old` texts and the `new` ones behind them, the oldest left out where
/// there are too many.
///
/// # Errors
/// `InvalidInput` when the new texts are none, too many, or one is too long.
pub fn write(old: Vec<String>, new: Vec<String>) -> io::Result<Vec<u8>> {
    let is_long = |text: &String| text.chars().nth(TEXT_CHARS_MAX).is_some();
    if new.is_empty() || new.len() > TEXTS_MAX || new.iter().any(is_long) {
        let text = format!("a watermark is 1 to {TEXTS_MAX} texts of {TEXT_CHARS_MAX} characters");
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

/// The texts of the block that `bytes` begins with, if it does.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Vec<String>> {
    let bytes = bytes.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
    let (length, bytes) = length(bytes)?;
    let (digest, bytes) = bytes.split_at_checked(DIGEST_BYTES)?;
    if length > BYTES_MAX - HEAD_BYTES {
        return None;
    }
    let mut body = bytes.get(..length)?;
    if Sha256::digest(body)[..] != *digest {
        return None;
    }
    let mut texts = Vec::new();
    while !body.is_empty() {
        let (length, rest) = self::length(body)?;
        let (text, rest) = rest.split_at_checked(length)?;
        texts.push(std::str::from_utf8(text).ok()?.to_owned());
        body = rest;
    }
    (!texts.is_empty() && texts.len() <= TEXTS_MAX).then_some(texts)
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
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
    fn the_oldest_texts_go_when_there_are_too_many() {
        let numbers = |from: usize, to: usize| (from..to).map(|n| n.to_string()).collect();
        let block = write(numbers(0, 95), numbers(95, 105)).expect("a block");
        assert_eq!(read(&block), Some(numbers(5, 105)));
    }

    #[test]
    fn the_longest_texts_fit_and_longer_ones_are_refused() {
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
    fn a_bit_turned_or_a_byte_gone_leaves_none() {
        let block = block(&["a", "", "ü\0\n"]);
        for at in 0..block.len() * 8 {
            let mut turned = block.clone();
            turned[at / 8] ^= 1 << (at % 8);
            assert_eq!(read(&turned), None, "bit {at}");
        }
        for count in 0..block.len() {
            assert_eq!(read(&block[..count]), None, "{count} bytes");
        }
    }

    #[test]
    fn a_block_signed_by_a_stranger_is_read_with_care() {
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
        fn what_is_written_is_read(
            old in prop::collection::vec(any::<String>(), 0..10),
            new in prop::collection::vec(any::<String>(), 1..=10),
            behind in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let both = [old.clone(), new.clone()].concat();
            let block = [write(old, new).expect("a block"), behind].concat();
            prop_assert_eq!(read(&block), Some(both));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(read(&bytes), None);
            let _ = read(&[&MAGIC[..], &[VERSION], &bytes].concat());
        }
    }
}
