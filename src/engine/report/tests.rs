use std::collections::BTreeMap;
use std::io::Read;

use super::*;
use crate::engine::fixture;
use crate::engine::{PREVIEW_PX, THUMBNAIL_PX, thumbnail};

fn watermark(locale: Locale) -> Report {
    Report {
        locale,
        finding: Finding::Watermark {
            text: Some("© 모리 森 Mori 2026".to_owned()),
        },
        order_id: "1024".to_owned(),
        order_name: "봄 카탈로그 春のカタログ Spring".to_owned(),
        file_name: "photo_detected.jpg".to_owned(),
        created_at: Timestamp::from_ms(1_773_309_600_000),
        completed_at: Timestamp::from_ms(1_773_309_660_000),
        made_at: Timestamp::from_ms(1_773_396_000_000),
        thumbnail: None,
    }
}

fn ai(probability: f64) -> Report {
    Report {
        finding: Finding::Ai { probability },
        ..watermark(Locale::EnUs)
    }
}

fn jpeg(side_px_max: u32) -> Vec<u8> {
    let upright = thumbnail::reduced(&fixture::picture("photo.jpg"), side_px_max);
    thumbnail::jpeg(&upright, side_px_max).expect("a JPEG")
}

/// All streams of a PDF of ours that are deflated, inflated.
fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
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

fn places(bytes: &[u8], word: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(word.len()).enumerate();
    windows
        .filter(|(_, window)| *window == word)
        .map(|(at, _)| at)
        .collect()
}

/// The one stream that has `word` in it.
fn stream_with(pdf: &[u8], word: &[u8]) -> Vec<u8> {
    let mut with = streams(pdf);
    with.retain(|stream| !places(stream, word).is_empty());
    assert_eq!(with.len(), 1);
    with.remove(0)
}

/// What each CID reads as, by the document's `ToUnicode`.
fn readings(pdf: &[u8]) -> BTreeMap<u16, char> {
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
fn shown(content: &[u8]) -> Vec<Vec<u8>> {
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
fn text(pdf: &[u8]) -> Vec<String> {
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

fn made(report: &Report) -> Vec<u8> {
    let pdf = make(report).expect("a report");
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
    assert_eq!(places(&pdf, b"/Type /Page\n").len(), 1, "one page");
    assert_eq!(places(&pdf, b"/Count 1\n").len(), 1);
    pdf
}

#[test]
fn look() {
    std::fs::create_dir_all("/tmp/reports").unwrap();
    let w = |name: &str, r: &Report| {
        std::fs::write(format!("/tmp/reports/{name}.pdf"), make(r).unwrap()).unwrap();
    };
    for l in Locale::ALL {
        w(&format!("wm-{}", l.tag()), &watermark(l));
        let mut r = ai(0.973);
        r.locale = l;
        r.thumbnail = Some(jpeg(PREVIEW_PX));
        w(&format!("ai-{}", l.tag()), &r);
        for p in [0.3, 0.6] {
            r.finding = Finding::Ai { probability: p };
            r.thumbnail = Some(jpeg(THUMBNAIL_PX));
            w(&format!("ai-{}-{p}", l.tag()), &r);
        }
    }
    let mut r = watermark(Locale::JaJp);
    r.finding = Finding::Watermark {
        text: Some("漢字かな交じり文、「日本語」の長い文字列。".repeat(50)),
    };
    r.order_name = "아주 긴 주문 이름입니다. ".repeat(40);
    r.file_name = "IMG_2026-very-long-file-name_".repeat(10) + ".jpeg";
    r.order_id = "9".repeat(400);
    r.thumbnail = Some(jpeg(PREVIEW_PX));
    w("long", &r);
    r.finding = Finding::Watermark { text: Some("a😀b\u{202e}שלום مرحبا\u{0}\n\tc\u{1F468}\u{200D}\u{1F469} \u{1112}\u{1161}\u{11ab} か\u{3099} é e\u{301} 똠방각하 髙﨑 ①".into()) };
    r.order_name = String::new();
    r.locale = Locale::EnUs;
    r.thumbnail = None;
    w("odd", &r);
    for n in [
        "a.jpg", "a.png", "a.webp", "a.gif", "a.pdf", "a.tif", "a.bmp",
    ] {
        std::fs::write(
            format!("/tmp/reports/sample-{n}"),
            crate::engine::sample::sample(n, [7; 32]).unwrap(),
        )
        .unwrap();
    }
    for s in 0..6 {
        std::fs::write(
            format!("/tmp/reports/seed-{s}.jpg"),
            crate::engine::sample::sample(
                "a.jpg",
                <sha2::Sha256 as sha2::Digest>::digest([s]).into(),
            )
            .unwrap(),
        )
        .unwrap();
    }
}
