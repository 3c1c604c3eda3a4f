//! Readers of reports for the tests.

use std::collections::BTreeMap;
use std::io::Read;

/// All streams of a PDF of ours that are deflated, inflated.
pub fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for at in places(pdf, b"\nstream\n") {
        let mut bytes = Vec::new();
        // the stream says itself where it ends; what is no deflated one fails at once
        let mut inflated = flate2::read::ZlibDecoder::new(&pdf[at + 8..]);
        if inflated.read_to_end(&mut bytes).is_ok() {
            found.push(bytes);
        }
    }
    found
}

pub fn places(bytes: &[u8], word: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(word.len()).enumerate();
    windows
        .filter(|(_, window)| *window == word)
        .map(|(at, _)| at)
        .collect()
}

/// The one stream that has `word` in it.
pub fn stream_with(pdf: &[u8], word: &[u8]) -> Vec<u8> {
    let mut with = streams(pdf);
    with.retain(|stream| !places(stream, word).is_empty());
    assert_eq!(with.len(), 1);
    with.remove(0)
}

/// Returns the character of each CID, by the document's `ToUnicode`.
pub fn readings(pdf: &[u8]) -> BTreeMap<u16, char> {
    let cmap = String::from_utf8(stream_with(pdf, b"beginbfchar")).expect("a CMap");
    let pairs = cmap.lines().filter_map(|line| {
        let (cid, unit) = line
            .strip_prefix('<')?
            .strip_suffix('>')?
            .split_once("> <")?;
        let unit = u32::from_str_radix(unit, 16).ok()?;
        Some((u16::from_str_radix(cid, 16).ok()?, char::from_u32(unit)?))
    });
    // the range of all codes is written as a pair too
    pairs.filter(|&(cid, _)| cid > 0).collect()
}

/// The strings shown on the page, as bytes: those of the operator `Tj`.
pub fn shown(content: &[u8]) -> Vec<Vec<u8>> {
    let mut strings = Vec::new();
    let mut rest = content.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'<' => {
                let digits: Vec<u8> = rest.by_ref().take_while(|&byte| byte != b'>').collect();
                strings.push(hex::decode(digits).expect("hexadecimal"));
            }
            b'(' => {
                let mut string = Vec::new();
                let mut depth = 1;
                while let Some(byte) = rest.next() {
                    match byte {
                        b'\\' => string.push(match rest.next().expect("an escape") {
                            b'n' => b'\n',
                            b'r' => b'\r',
                            b't' => b'\t',
                            b'b' => 8,
                            b'f' => 12,
                            digit @ b'0'..=b'7' => {
                                let rest = rest.by_ref().take(2);
                                rest.fold(digit - b'0', |byte, digit| byte * 8 + (digit - b'0'))
                            }
                            other => other,
                        }),
                        b')' if depth == 1 => break,
                        byte => {
                            depth += i32::from(byte == b'(') - i32::from(byte == b')');
                            string.push(byte);
                        }
                    }
                }
                strings.push(string);
            }
            _ => {}
        }
    }
    strings
}

/// The lines of the page, as somebody who copies them gets them.
pub fn text(pdf: &[u8]) -> Vec<String> {
    let readings = readings(pdf);
    shown(&stream_with(pdf, b"BT\n"))
        .iter()
        .map(|line| {
            let cids = line.chunks_exact(2);
            cids.map(|cid| readings[&u16::from_be_bytes([cid[0], cid[1]])])
                .collect()
        })
        .collect()
}

/// Returns the start of each line of the page, in points from its lower left corner.
pub fn places_of_lines(pdf: &[u8]) -> Vec<[f32; 2]> {
    let content = stream_with(pdf, b"BT\n");
    let content = String::from_utf8_lossy(&content);
    let moves = content.lines().filter_map(|line| line.strip_suffix(" Td"));
    moves
        .map(|at| {
            let (x, y) = at.split_once(' ').expect("two numbers");
            [x, y].map(|number| number.parse().expect("a number"))
        })
        .collect()
}

/// Returns the x of the middle of the verdict bar's mark: the last path before the text that follows.
pub fn mark_x(pdf: &[u8]) -> f32 {
    let content = stream_with(pdf, b"BT\n");
    let content = String::from_utf8_lossy(&content);
    let (_, after_bar) = content.split_once(" sh\n").expect("a shaded bar");
    let (mark, _) = after_bar
        .split_once("\nB\n")
        .expect("a filled and stroked mark");
    let numbers = |line: &str| -> Vec<f32> {
        let numbers = line.split(' ').filter_map(|number| number.parse().ok());
        numbers.collect()
    };
    let curves = mark.lines().filter(|line| line.ends_with(" c"));
    let xs: Vec<f32> = curves.map(|line| numbers(line)[4]).collect();
    let (least, most) = xs.iter().fold((f32::MAX, f32::MIN), |(least, most), &x| {
        (least.min(x), most.max(x))
    });
    least.midpoint(most)
}

/// Returns width, height, x and y of the images on the page.
pub fn places_of_images(pdf: &[u8]) -> Vec<[f32; 4]> {
    let content = stream_with(pdf, b"BT\n");
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = content.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[1].ends_with(" Do"));
    pairs
        .map(|pair| {
            let matrix: Vec<f32> = pair[0]
                .split(' ')
                .filter_map(|number| number.parse().ok())
                .collect();
            [matrix[0], matrix[3], matrix[4], matrix[5]]
        })
        .collect()
}
