//! IPTC-IIM 4.2, the older of IPTC's two formats: in JPEGs within Photoshop's resources, in
//! TIFFs in a field of its own.

use super::{Clues, TEXTS_MAX};

/// What begins an APP13 segment of Photoshop's.
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
/// The resource that holds IIM.
const IPTC_NAA: u16 = 0x0404;

/// Takes what an APP13 segment says.
pub fn read_segment(clues: &mut Clues, segment: &[u8]) {
    if let Some(resources) = segment.strip_prefix(PHOTOSHOP) {
        read_resources(clues, resources);
    }
}

/// Takes what Photoshop's resources say: of two that hold IIM, the first.
pub fn read_resources(clues: &mut Clues, mut resources: &[u8]) {
    for _ in 0..TEXTS_MAX {
        let Some((id, body, rest)) = resource(resources) else {
            return;
        };
        if id == IPTC_NAA {
            return read(clues, body);
        }
        resources = rest;
    }
}

/// Takes what the data sets say: of record 2 the program, the credit, the source and the
/// caption. Who made the picture is a person's name, which may be any word.
pub fn read(clues: &mut Clues, mut sets: &[u8]) {
    const PROGRAM: u8 = 65;
    const CREDIT: u8 = 110;
    const SOURCE: u8 = 115;
    const CAPTION: u8 = 120;
    for _ in 0..TEXTS_MAX {
        let Some((record, number, body, rest)) = data_set(sets) else {
            return;
        };
        let text = || String::from_utf8_lossy(body);
        match (record, number) {
            (2, PROGRAM) => clues.tool(&text()),
            (2, CREDIT | SOURCE | CAPTION) => clues.prose(&text()),
            _ => {}
        }
        sets = rest;
    }
}

/// The first resource: its id, what it holds, and what follows.
fn resource(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let rest = bytes.strip_prefix(b"8BIM")?;
    let id = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
    let name_bytes = usize::from(*rest.get(2)?);
    // the name's length and the name, and the body, are padded to an even number
    let rest = rest.get(2 + (1 + name_bytes).next_multiple_of(2)..)?;
    let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
    let length = usize::try_from(length).ok()?;
    let rest = rest.get(4..)?;
    let after = length.checked_next_multiple_of(2)?.min(rest.len());
    Some((id, rest.get(..length)?, &rest[after..]))
}

/// The first data set: its record and number, what it holds, and what follows.
fn data_set(bytes: &[u8]) -> Option<(u8, u8, &[u8], &[u8])> {
    let [0x1c, record, number, high, low, rest @ ..] = bytes else {
        return None;
    };
    // longer ones than 32,767 bytes have a length of another kind, which no text of ours has
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (body, rest) = rest.split_at_checked(length)?;
    Some((*record, *number, body, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    fn set(number: u8, text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).expect("a short text");
        [
            &[0x1c, 2, number],
            &length.to_be_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    }

    fn provenance(sets: &[u8]) -> Provenance {
        let length = u32::try_from(sets.len()).expect("few sets");
        let odd = &[0][..sets.len() % 2];
        let segment = [
            PHOTOSHOP,
            b"8BIM\x04\x25\x00\x00\x00\x00\x00\x01x\x00",
            b"8BIM\x04\x04\x02no\x00",
            &length.to_be_bytes(),
            sets,
            odd,
            b"8BIM\x04\x0b",
        ]
        .concat();
        for cut in 0..segment.len() {
            read_segment(&mut Clues::default(), &segment[..cut]);
        }
        let mut clues = Clues::default();
        read_segment(&mut clues, &segment);
        clues.settled()
    }

    #[test]
    fn credit_caption_and_program_are_read_and_the_by_line_is_not() {
        let google = Provenance::Generator("Google AI".to_owned());
        assert_eq!(provenance(&set(110, "Made with Google AI")), google);
        let midjourney = Provenance::Generator("Midjourney".to_owned());
        let caption = set(120, "a fox --v 6 Job ID: 1f2e");
        assert_eq!(provenance(&caption), midjourney);
        let editor = Provenance::Editor("Adobe Photoshop 25".to_owned());
        let both = [set(80, "Midjourney"), set(65, "Adobe Photoshop 25")].concat();
        assert_eq!(provenance(&both), editor);
        assert_eq!(provenance(&set(80, "Sora")), Provenance::Unknown);
    }

    #[test]
    fn of_many_resources_the_first_is_read() {
        let resource = |sets: &[u8]| {
            let length = u32::try_from(sets.len()).expect("few sets");
            [b"8BIM\x04\x04\0\0", &length.to_be_bytes()[..], sets].concat()
        };
        let named = resource(&set(65, "Midjourney 6"));
        let provenance = |resources: &[u8]| {
            let mut clues = Clues::default();
            read_resources(&mut clues, resources);
            clues.settled()
        };
        assert_ne!(provenance(&named), Provenance::Unknown);
        let behind = [resource(b""), named].concat();
        assert_eq!(provenance(&behind), Provenance::Unknown);
    }
}
