//! What stands before an SVG's root, and how its tags lie, before any of it is parsed.
//!
//! Promises: one pass, no recursion. What passes [`check`] is parsed in time and memory in
//! proportion to its length: entities do not multiply, tags have few attributes, nothing is
//! nested deep.

use crate::model::picture::Defect;

const BYTES_MAX: usize = 16 * 1024 * 1024;
const TAGS_MAX: usize = 200_000;
/// Open tags at once.
const DEPTH_MAX: usize = 100;
/// Attributes of one tag.
const ATTRIBUTES_MAX: usize = 256;
/// Declarations of namespaces in all.
const NAMESPACES_MAX: usize = 1000;
/// What references to entities come to in all.
const ENTITIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where the root of an SVG begins, in a file that begins with `head`.
pub fn root_at(head: &[u8]) -> Option<usize> {
    let start = if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut at = start;
    loop {
        at += head
            .get(at..)?
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        let rest = head.get(at..)?;
        at += if rest.starts_with(b"<?") {
            behind(rest, b"?>")?
        } else if rest.starts_with(b"<!--") {
            behind(rest, b"-->")?
        } else if rest.starts_with(b"<!DOCTYPE") {
            doctype_bytes(rest)?
        } else {
            return is_root(rest).then_some(at);
        };
    }
}

/// `<svg`, or `<…:svg`, and then no letter.
fn is_root(rest: &[u8]) -> bool {
    let Some(tag) = rest.strip_prefix(b"<") else {
        return false;
    };
    let name_bytes = tag
        .iter()
        .take_while(|byte| !byte.is_ascii_whitespace() && !b"/>".contains(byte))
        .count();
    let name = &tag[..name_bytes];
    let local = name.rsplit(|byte| *byte == b':').next();
    name_bytes < tag.len() && local == Some(b"svg")
}

fn behind(bytes: &[u8], end: &[u8]) -> Option<usize> {
    let at = bytes.windows(end.len()).position(|window| window == end)?;
    Some(at + end.len())
}

/// How long a document type is, what it declares included.
fn doctype_bytes(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    for (at, &byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'<') => depth += 1,
            (None, b'>') if depth == 1 => return Some(at + 1),
            (None, b'>') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Checks that parsing the document is bounded.
///
/// # Errors
/// [`Defect::TooLarge`]; [`Defect::Corrupt`] if it is none or breaks off.
pub fn check(text: &str) -> Result<(), Defect> {
    if text.len() > BYTES_MAX {
        let text = format!("the SVG is longer than {} MiB", BYTES_MAX >> 20);
        return Err(Defect::TooLarge(text));
    }
    let bytes = text.as_bytes();
    let root = root_at(bytes).ok_or_else(broken)?;
    let (before, body) = bytes.split_at(root);
    check_entities(before, body)?;
    check_tags(body)
}

fn broken() -> Defect {
    Defect::Corrupt("the SVG breaks off".to_owned())
}

fn too_large(what: &str) -> Defect {
    Defect::TooLarge(format!("the SVG has {what}"))
}

/// Entities may stand for plain text of reasonable length alone.
fn check_entities(before: &[u8], body: &[u8]) -> Result<(), Defect> {
    const ENTITY: &[u8] = b"<!ENTITY";
    let Some(declared) = before
        .windows(ENTITY.len())
        .position(|window| window == ENTITY)
        .map(|at| &before[at..])
    else {
        return Ok(());
    };
    let has_tags = declared
        .windows(2)
        .any(|pair| pair[0] == b'<' && pair[1] != b'!');
    if has_tags || declared.iter().any(|byte| b"&%".contains(byte)) {
        return Err(too_large("entities that hold more than plain text"));
    }
    let references = body.split(|byte| *byte == b'&').count();
    if references.saturating_mul(declared.len()) > ENTITIES_BYTES_MAX {
        return Err(too_large("entities that come to too much"));
    }
    Ok(())
}

fn check_tags(body: &[u8]) -> Result<(), Defect> {
    let (mut tags, mut depth, mut namespaces) = (0, 0_usize, 0);
    let mut at = 0;
    while let Some(skipped) = body[at..].iter().position(|byte| *byte == b'<') {
        at += skipped;
        let rest = &body[at..];
        if rest.starts_with(b"<!--") {
            at += behind(rest, b"-->").ok_or_else(broken)?;
        } else if rest.starts_with(b"<![CDATA[") {
            at += behind(rest, b"]]>").ok_or_else(broken)?;
        } else if rest.starts_with(b"<?") {
            at += behind(rest, b"?>").ok_or_else(broken)?;
        } else {
            let tag = Tag::read(rest).ok_or_else(broken)?;
            at += tag.bytes;
            tags += 1;
            namespaces += tag.namespaces;
            match tag.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                Kind::Empty => {}
            }
            if tags > TAGS_MAX || tag.attributes > ATTRIBUTES_MAX || namespaces > NAMESPACES_MAX {
                return Err(too_large("too many tags or attributes"));
            }
            if depth > DEPTH_MAX {
                return Err(too_large("tags nested too deep"));
            }
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Empty,
}

struct Tag {
    bytes: usize,
    kind: Kind,
    attributes: usize,
    namespaces: usize,
}

impl Tag {
    /// Reads the tag that `bytes` begin with.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut quote = None;
        let (mut attributes, mut namespaces) = (0, 0);
        for (at, &byte) in bytes.iter().enumerate() {
            match (quote, byte) {
                (Some(open), _) if open == byte => quote = None,
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => {
                    attributes += 1;
                }
                (None, b'x') if bytes[at..].starts_with(b"xmlns") => namespaces += 1,
                (None, b'>') => {
                    let kind = match (bytes.get(1), bytes[at - 1]) {
                        (Some(b'/'), _) => Kind::Close,
                        (_, b'/') => Kind::Empty,
                        _ => Kind::Open,
                    };
                    return Some(Self {
                        bytes: at + 1,
                        kind,
                        attributes,
                        namespaces,
                    });
                }
                _ => {}
            }
        }
        None
    }
}
