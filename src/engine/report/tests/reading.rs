//! Readers of report PDFs for the tests.

use std::collections::BTreeMap;
use std::io::Read;

/// Returns all deflated streams of a PDF, decompressed.
pub fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for at in occurrences(pdf, b"\nstream\n") {
        let mut bytes = Vec::new();
        // zlib data ends itself. Other streams fail at once.
        let mut inflated = flate2::read::ZlibDecoder::new(&pdf[at + 8..]);
        if inflated.read_to_end(&mut bytes).is_ok() {
            found.push(bytes);
        }
    }
    found
}

/// Returns the offsets at which `word` occurs.
pub fn occurrences(bytes: &[u8], word: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(word.len()).enumerate();
    windows
        .filter(|(_, window)| *window == word)
        .map(|(at, _)| at)
        .collect()
}

/// Returns the only stream that contains `word`.
pub fn stream_with(pdf: &[u8], word: &[u8]) -> Vec<u8> {
    let mut matching = streams(pdf);
    matching.retain(|stream| !occurrences(stream, word).is_empty());
    assert_eq!(matching.len(), 1);
    matching.remove(0)
}

/// Returns the character of each CID, by the document's `ToUnicode`.
pub fn char_by_cid(pdf: &[u8]) -> BTreeMap<u16, char> {
    let cmap = String::from_utf8(stream_with(pdf, b"beginbfchar")).expect("a CMap");
    let pairs = cmap.lines().filter_map(|line| {
        let (cid, unit) = line
            .strip_prefix('<')?
            .strip_suffix('>')?
            .split_once("> <")?;
        let code_point = u32::from_str_radix(unit, 16).ok()?;
        Some((
            u16::from_str_radix(cid, 16).ok()?,
            char::from_u32(code_point)?,
        ))
    });
    // The code space range is written as a pair as well, with CID 0.
    pairs.filter(|&(cid, _)| cid > 0).collect()
}

/// Returns the string operands of the operator `Tj` in a content stream.
pub fn shown_strings(content: &[u8]) -> Vec<Vec<u8>> {
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
                                let octal = rest.by_ref().take(2);
                                octal.fold(digit - b'0', |byte, digit| byte * 8 + (digit - b'0'))
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

/// Returns the text lines of the page, as copied in a PDF reader.
pub fn page_text(pdf: &[u8]) -> Vec<String> {
    let chars = char_by_cid(pdf);
    shown_strings(&stream_with(pdf, b"BT\n"))
        .iter()
        .map(|line| {
            let cids = line.chunks_exact(2);
            cids.map(|cid| chars[&u16::from_be_bytes([cid[0], cid[1]])])
                .collect()
        })
        .collect()
}

/// Returns the start of each line of the page, in points from the page's lower left corner.
pub fn line_origins(pdf: &[u8]) -> Vec<[f32; 2]> {
    let stream = stream_with(pdf, b"BT\n");
    let content = String::from_utf8_lossy(&stream);
    let moves = content.lines().filter_map(|line| line.strip_suffix(" Td"));
    moves
        .map(|at| {
            let (x, y) = at.split_once(' ').expect("two numbers");
            [x, y].map(|number| number.parse().expect("a number"))
        })
        .collect()
}

/// Returns the x of the centre of the verdict bar's mark: the first path after the shading.
pub fn mark_x(pdf: &[u8]) -> f32 {
    let stream = stream_with(pdf, b"BT\n");
    let content = String::from_utf8_lossy(&stream);
    let (_, after_bar) = content.split_once(" sh\n").expect("a shaded bar");
    let (mark, _) = after_bar
        .split_once("\nB\n")
        .expect("a filled and stroked mark");
    let numbers = |line: &str| -> Vec<f32> {
        line.split(' ')
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    let curves = mark.lines().filter(|line| line.ends_with(" c"));
    let xs: Vec<f32> = curves.map(|line| numbers(line)[4]).collect();
    let (min, max) = xs.iter().fold((f32::MAX, f32::MIN), |(min, max), &x| {
        (min.min(x), max.max(x))
    });
    min.midpoint(max)
}

/// Returns the width, height, x and y of each image on the page.
pub fn image_placements(pdf: &[u8]) -> Vec<[f32; 4]> {
    let stream = stream_with(pdf, b"BT\n");
    let content = String::from_utf8_lossy(&stream);
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
