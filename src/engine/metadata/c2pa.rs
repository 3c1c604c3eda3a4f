//! C2PA manifests: the program that made the claim.
//!
//! A manifest is a JUMBF box of CBOR; of all that only the texts that name a program are
//! looked for, by their keys, wherever they stand (C2PA 2.1, `claim_generator`,
//! `claim_generator_info.name`, `softwareAgent`). No signature is verified.

use super::{Clues, TEXT_BYTES_MAX, names, xmp};

/// What APP11 repeats at the head of each segment: identifier, instance, number.
const SEGMENT_HEAD_BYTES: usize = 8;
/// The box's length and type, which segments after the first repeat.
const BOX_HEAD_BYTES: usize = 8;
/// How far after `claim_generator_info` its `name` may stand.
const INFO_BYTES_MAX: usize = 512;

/// Adds what one APP11 segment of a JPEG holds of the manifest.
pub fn collect(manifest: &mut Vec<u8>, segment: &[u8]) {
    let skipped = if manifest.is_empty() {
        SEGMENT_HEAD_BYTES
    } else {
        SEGMENT_HEAD_BYTES + BOX_HEAD_BYTES
    };
    if let Some(body) = segment.get(skipped..)
        && segment.starts_with(b"JP")
        && manifest.len() + body.len() <= TEXT_BYTES_MAX
    {
        manifest.extend_from_slice(body);
    }
}

/// Takes what the manifest says.
pub fn read(clues: &mut Clues, manifest: &[u8]) {
    if !contains(manifest, b"c2pa") {
        return;
    }
    let claimed = texts_after(manifest, b"claim_generator").next();
    let infos = places(manifest, b"claim_generator_info")
        .filter_map(|at| texts_after(window(manifest, at), b"name").next());
    let agents = texts_after(manifest, b"softwareAgent");
    let agent_names = places(manifest, b"softwareAgent")
        .filter_map(|at| texts_after(window(manifest, at), b"name").next());
    let programs: Vec<&str> = agents
        .chain(agent_names)
        .chain(infos)
        .chain(claimed)
        .collect();
    for program in &programs {
        clues.tool(program);
    }
    if contains(manifest, xmp::TRAINED.as_bytes()) {
        let program = programs.last().map(|program| names::one_line(program));
        clues.generator(program.as_deref().unwrap_or(xmp::UNNAMED));
    }
}

fn window(manifest: &[u8], at: usize) -> &[u8] {
    let rest = &manifest[at..];
    &rest[..rest.len().min(INFO_BYTES_MAX)]
}

/// Where each `key` ends.
fn places(bytes: &[u8], key: &'static [u8]) -> impl Iterator<Item = usize> {
    bytes
        .windows(key.len())
        .enumerate()
        .filter(move |(_, found)| *found == key)
        .map(move |(at, _)| at + key.len())
}

/// The CBOR texts that follow right after `key`.
fn texts_after<'a>(bytes: &'a [u8], key: &'static [u8]) -> impl Iterator<Item = &'a str> {
    places(bytes, key).filter_map(|at| cbor_text(&bytes[at..]))
}

/// The CBOR text that `bytes` begin with (RFC 8949, major type 3, definite length).
fn cbor_text(bytes: &[u8]) -> Option<&str> {
    let (&head, rest) = bytes.split_first()?;
    let (length, rest) = match head {
        0x60..=0x77 => (usize::from(head - 0x60), rest),
        0x78 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x79 => {
            let length = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
            (usize::from(length), rest.get(2..)?)
        }
        _ => return None,
    };
    std::str::from_utf8(rest.get(..length)?).ok()
}

fn contains(bytes: &[u8], needle: &'static [u8]) -> bool {
    places(bytes, needle).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    fn text(value: &str) -> Vec<u8> {
        let length = u8::try_from(value.len()).expect("a short text");
        [&[0x78, length], value.as_bytes()].concat()
    }

    fn provenance(parts: &[&[u8]]) -> Provenance {
        let mut clues = Clues::default();
        read(&mut clues, &parts.concat());
        clues.settled()
    }

    #[test]
    fn a_generator_is_named_by_claim_info_or_agent() {
        let named = |name: &str| Provenance::Generator(name.to_owned());
        assert_eq!(
            provenance(&[b"c2pa\x6fclaim_generator", &text("OpenAI-API")]),
            named("OpenAI")
        );
        assert_eq!(
            provenance(&[
                b"c2pa\x74claim_generator_info\x81\xa1\x64name",
                &text("Grok")
            ]),
            named("Grok")
        );
        assert_eq!(
            provenance(&[
                b"c2pa\x6dsoftwareAgent\xa1\x64name",
                &text("GPT-4o"),
                b"claim_generator",
                &text("OpenAI-API")
            ]),
            named("ChatGPT")
        );
        assert_eq!(
            provenance(&[
                b"c2pa claim_generator",
                &text("make_test 1.0"),
                b"digitalsourcetype/trainedAlgorithmicMedia"
            ]),
            named("make_test 1.0")
        );
    }

    #[test]
    fn an_editors_or_a_cameras_manifest_is_no_generators() {
        assert_eq!(
            provenance(&[b"c2pa claim_generator", &text("Adobe Photoshop 25.1")]),
            Provenance::Editor("Adobe Photoshop 25.1".to_owned())
        );
        assert_eq!(
            provenance(&[b"c2pa claim_generator", &text("Leica M11-P")]),
            Provenance::Unknown
        );
        assert_eq!(
            provenance(&[b"c2pa claim_generator\x78\xffshort"]),
            Provenance::Unknown
        );
    }
}
