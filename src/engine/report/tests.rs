use std::collections::BTreeMap;
use std::io::Read;

use super::*;
use crate::engine::fixture;
use crate::engine::{PREVIEW_PX, THUMBNAIL_PX, font, thumbnail};

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

/// Where the page's lines begin, in points from its lower left corner.
fn places_of_lines(pdf: &[u8]) -> Vec<[f32; 2]> {
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

#[test]
fn a_report_is_in_the_words_of_its_locale() {
    let told = Locale::ALL.map(|locale| text(&made(&watermark(locale))));
    let values = [
        "1024",
        "봄 카탈로그 春のカタログ Spring",
        "photo_detected.jpg",
        "© 모리 森 Mori 2026",
        "2026-03-12 10:00:00 UTC",
        "2026-03-12 10:01:00 UTC",
        "2026-03-13 10:00:00 UTC",
    ];
    let korean = [
        "워터마크 검출 보고서",
        "모의 서버 stuntdouble이 만든 보고서입니다. 실제로 검출한 것은 없습니다.",
        "결과",
        "검출됨",
        "주문 번호",
        "주문명",
        "파일명",
        "워터마크 문구",
        "주문 생성 일시",
        "주문 완료 일시",
        "보고서 작성 일시",
    ];
    let english = [
        "Watermark detection report",
        "Made by stuntdouble, a mock: nothing was detected in earnest.",
        "Result",
        "Detected",
        "Order ID",
        "Order name",
        "File name",
        "Watermark text",
        "Order created",
        "Order completed",
        "Report made",
    ];
    let japanese = [
        "電子透かし検出レポート",
        "モックサーバー stuntdouble が作成したレポートです。実際の検出は行っていません。",
        "結果",
        "検出",
        "注文番号",
        "注文名",
        "ファイル名",
        "透かしの文字列",
        "注文作成日時",
        "注文完了日時",
        "レポート作成日時",
    ];
    for (told, words) in told.iter().zip([korean, english, japanese]) {
        let (heading, labels) = words.split_at(4);
        let rows = labels
            .iter()
            .zip(values)
            .flat_map(|(&label, value)| [label, value]);
        let foot = ["stuntdouble", "1 / 1"];
        let whole: Vec<&str> = heading.iter().copied().chain(rows).chain(foot).collect();
        assert_eq!(*told, whole);
    }
}

#[test]
fn an_ai_report_tells_the_probability_and_what_it_comes_to() {
    for (probability, verdict, percent) in [
        (0.973, "Likely AI", "97.3%"),
        (0.5, "Uncertain, rather AI", "50.0%"),
        (0.25, "Uncertain, rather real", "25.0%"),
        (0.0, "Likely real", "0.0%"),
    ] {
        let told = text(&made(&ai(probability)));
        let panel = ["Result", verdict, "AI probability", percent];
        assert_eq!(told[0], "AI image detection report");
        assert_eq!(told[2..6], panel);
        for locale in Locale::ALL {
            let told = text(&made(&Report {
                locale,
                ..ai(probability)
            }));
            assert!(!told.concat().contains('□'), "{told:?}");
        }
    }
}

#[test]
fn what_there_is_none_of_is_a_dash() {
    let told = text(&made(&Report {
        finding: Finding::Watermark { text: None },
        order_name: " \u{200b}".to_owned(),
        ..watermark(Locale::EnUs)
    }));
    assert_eq!(told[3], "Not detected");
    assert_eq!(told[6..8], ["Order name", "–"]);
    assert_eq!(told[10..12], ["Watermark text", "–"]);
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    let report = Report {
        thumbnail: Some(jpeg(THUMBNAIL_PX)),
        ..watermark(Locale::JaJp)
    };
    assert!(made(&report) == made(&report));
    let other = Report {
        made_at: Timestamp::from_ms(0),
        ..report.clone()
    };
    assert!(made(&report) != made(&other));
}

#[test]
fn the_fullest_report_stays_on_its_page() {
    let long = "漢字かな交じり文の長い値".repeat(100);
    let pdf = made(&Report {
        finding: Finding::Watermark {
            text: Some("가나다".repeat(333) + "라"),
        },
        order_id: "9".repeat(1_000_000),
        order_name: long.clone(),
        file_name: long,
        thumbnail: Some(jpeg(PREVIEW_PX)),
        ..watermark(Locale::JaJp)
    });
    let told = text(&pdf);
    let cut = told.iter().filter(|line| line.ends_with('…'));
    assert_eq!(cut.count(), 4, "{told:?}");
    assert_eq!(told.len(), 4 + 7 + 4 * 4 + 3 + 2, "{told:?}");
    let places = places_of_lines(&pdf);
    assert_eq!(places.len(), told.len());
    let (lines, foot) = places.split_at(places.len() - 2);
    assert!(foot.iter().all(|&[_, y]| y < 41.0), "{foot:?}");
    assert!(lines.iter().all(|&[_, y]| y > 60.0), "{lines:?}");
}

#[test]
fn odd_characters_do_not_break_a_report() {
    for (odd, shown) in [
        ("a😀b", "a□b"),
        ("\u{202e}שלום\u{202c}", "□□□□"),
        ("\u{feff}a\u{0}\u{7f}b\u{fffd}", "a□□b□"),
        ("a\r\n\tb\u{2028}c", "a   b c"),
        ("\u{1112}\u{1161}\u{11ab} か\u{3099} e\u{301}", "한 が é"),
        ("①㈜㎡→★", "①㈜㎡→★"),
        (r"(\)<>/%[]", r"(\)<>/%[]"),
        ("\u{10ffff}\u{e000}\u{301}", "□□□"),
    ] {
        let told = text(&made(&Report {
            order_name: odd.to_owned(),
            ..ai(0.5)
        }));
        assert_eq!(told[8..10], ["Order name", shown]);
    }
}

#[test]
fn a_thumbnail_is_shown_if_it_is_a_jpeg_of_grey_or_rgb() {
    let colours = jpeg(THUMBNAIL_PX);
    let grey = {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let luma = image::load_from_memory(&colours)
            .expect("a picture")
            .into_luma8();
        luma.write_to(&mut bytes, image::ImageFormat::Jpeg)
            .expect("a JPEG");
        bytes.into_inner()
    };
    let of = |bytes: &[u8]| {
        made(&Report {
            thumbnail: Some(bytes.to_vec()),
            ..ai(0.5)
        })
    };
    for (bytes, space) in [(&colours, &b"/DeviceRGB"[..]), (&grey, b"/DeviceGray")] {
        let pdf = of(bytes);
        assert_eq!(places(&pdf, bytes).len(), 1);
        assert_eq!(places(&pdf, space).len(), 1);
        assert_eq!(places(&pdf, b"/Width 100\n").len(), 1);
        assert_eq!(places(&stream_with(&pdf, b"BT\n"), b"/Im1 Do").len(), 1);
    }
    let without = made(&ai(0.5));
    for none in [&b""[..], &colours[..30], &fixture::bytes("plain.png")] {
        assert!(of(none) == without);
    }
}

#[test]
fn every_modern_hangul_syllable_is_shown() {
    let typeface = font::Typeface::new().expect("our font");
    for syllable in '가'..='힣' {
        let lines = typeface.lines(&syllable.to_string(), 10.0, 60.0, 1);
        assert_eq!(font::text_of(&lines[0]), syllable.to_string());
        let width_pt = font::width_pt(&lines[0], 10.0);
        assert!((width_pt - 9.2).abs() < 0.01, "{syllable}: {width_pt}");
    }
    let pdf = made(&Report {
        order_name: "뷁쓔꿹 찦차를 탄 펲시맨과 쑛다리 똠방각하".to_owned(),
        ..watermark(Locale::KoKr)
    });
    assert_eq!(text(&pdf)[7], "뷁쓔꿹 찦차를 탄 펲시맨과 쑛다리 똠방각하");
}

#[test]
fn a_report_embeds_the_glyphs_it_shows_alone() {
    let pdf = made(&watermark(Locale::KoKr));
    assert!(pdf.len() < 20_000, "{}", pdf.len());
    assert_eq!(places(&pdf, b"/Subtype /CIDFontType0C").len(), 1);
    let told: std::collections::BTreeSet<char> = text(&pdf).concat().chars().collect();
    let readable: std::collections::BTreeSet<char> = readings(&pdf).into_values().collect();
    assert_eq!(told, readable);
}

#[test]
fn lines_break_between_words_and_within_what_has_none() {
    let typeface = font::Typeface::new().expect("our font");
    let lines = |text: &str, lines_max| -> Vec<String> {
        let lines = typeface.lines(text, 10.0, 60.0, lines_max);
        assert!(lines.iter().all(|line| font::width_pt(line, 10.0) <= 60.0));
        lines.iter().map(|line| font::text_of(line)).collect()
    };
    assert_eq!(lines("", 3), [""; 0]);
    assert_eq!(lines("one", 1), ["one"]);
    assert_eq!(lines("one two three four", 3), ["one two", "three four"]);
    assert_eq!(lines("one two   three four", 1), ["one two   t…"]);
    assert_eq!(
        lines("IMG_2026-03-12_0001.jpg", 3),
        ["IMG_2026-", "03-12_", "0001.jpg"]
    );
    assert_eq!(lines("우리나라 대한민국", 3), ["우리나라", "대한민국"]);
    assert_eq!(
        lines("日本語日本、「語日」本語。", 4),
        ["日本語日本、", "「語日」本", "語。"]
    );
    assert_eq!(lines("日本語日本語日本語", 1), ["日本語日本…"]);
}
