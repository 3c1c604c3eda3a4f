mod images;
mod reading;

use super::{Finding, ReportFacts, ReportImages, build};
use crate::engine::{fixture, font, thumbnail};
use crate::model::report::Locale;
use crate::model::time::Timestamp;
use reading::{char_by_cid, image_placements, line_origins, mark_x, occurrences, page_text};

fn watermark(locale: Locale) -> ReportFacts {
    ReportFacts {
        locale,
        finding: Finding::Watermark {
            text: Some("© 모리 森 Mori 2026".to_owned()),
        },
        order_id: "1024".to_owned(),
        order_name: "봄 카탈로그 春のカタログ Spring".to_owned(),
        file_name: "photo_detected.jpg".to_owned(),
        original_name: None,
        created_at: Timestamp::from_ms(1_773_309_600_000),
        completed_at: Timestamp::from_ms(1_773_309_660_000),
        reported_at: Timestamp::from_ms(1_773_396_000_000),
    }
}

fn ai(probability: f64) -> ReportFacts {
    ReportFacts {
        finding: Finding::Ai { probability },
        ..watermark(Locale::EnUs)
    }
}

fn jpeg(side_px_max: u32) -> Vec<u8> {
    let upright = thumbnail::upright_scaled(&fixture::picture("photo.jpg"), side_px_max);
    thumbnail::jpeg(&upright, side_px_max, thumbnail::QUALITY).expect("a JPEG")
}

fn pdf_of(report: &ReportFacts) -> Vec<u8> {
    pdf_with(report, &ReportImages::default())
}

fn with_picture(jpeg: Vec<u8>) -> ReportImages {
    ReportImages {
        picture: Some(jpeg),
        heatmap: None,
    }
}

fn pdf_with(report: &ReportFacts, images: &ReportImages) -> Vec<u8> {
    let pdf = build(report, images.clone()).expect("a report");
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
    assert_eq!(occurrences(&pdf, b"/Type /Page\n").len(), 1, "one page");
    assert_eq!(occurrences(&pdf, b"/Count 1\n").len(), 1);
    pdf
}

#[test]
fn report_has_labels_and_local_time_of_its_locale() {
    let times = [
        "2026-03-12 10:00:00",
        "2026-03-12 10:01:00",
        "2026-03-13 10:00:00",
    ];
    let local = [
        "2026-03-12 19:00:00",
        "2026-03-12 19:01:00",
        "2026-03-13 19:00:00",
    ];
    let korean = [
        "워터마크 검출 보고서",
        "모의 보고서: 실제 검출은 수행되지 않았습니다.",
        "결과",
        "검출됨",
        "주문 번호",
        "주문명",
        "파일명",
        "원본 파일명",
        "워터마크 문구",
        "주문 생성 일시",
        "주문 완료 일시",
        "보고서 작성 일시",
    ];
    let english = [
        "Watermark detection report",
        "Mock report: no real detection was performed.",
        "Result",
        "Detected",
        "Order ID",
        "Order name",
        "File name",
        "Original file",
        "Watermark text",
        "Order created",
        "Order completed",
        "Report created",
    ];
    let japanese = [
        "電子透かし検出レポート",
        "モックレポート：実際の検出は行われていません。",
        "結果",
        "検出",
        "注文番号",
        "注文名",
        "ファイル名",
        "原本ファイル名",
        "透かしの文字列",
        "注文作成日時",
        "注文完了日時",
        "レポート作成日時",
    ];
    for (locale, labels, zone) in [
        (Locale::KoKr, korean, Some("KST (UTC+9)")),
        (Locale::EnUs, english, None),
        (Locale::JaJp, japanese, Some("JST (UTC+9)")),
    ] {
        let lines = page_text(&pdf_of(&ReportFacts {
            original_name: Some("photo.png".to_owned()),
            ..watermark(locale)
        }));
        let values = [
            "1024",
            "봄 카탈로그 春のカタログ Spring",
            "photo_detected.jpg",
            "photo.png",
            "© 모리 森 Mori 2026",
        ];
        let mut expected: Vec<String> = labels[..4].iter().map(|&it| it.to_owned()).collect();
        for (label, value) in labels[4..9].iter().zip(values) {
            expected.extend([label, value].map(ToString::to_string));
        }
        for (index, label) in labels[9..].iter().enumerate() {
            expected.push((*label).to_owned());
            expected.extend(zone.map(|zone| format!("{} {zone}", local[index])));
            expected.push(format!("{} UTC", times[index]));
        }
        expected.extend(["stuntdouble", "1 / 1"].map(ToString::to_string));
        assert_eq!(lines, expected);
    }
}

#[test]
fn report_late_in_the_evening_has_the_local_date_of_the_next_day() {
    let lines = page_text(&pdf_of(&ReportFacts {
        created_at: Timestamp::from_ms(1_773_327_600_000),
        ..watermark(Locale::JaJp)
    }));
    assert_eq!(lines[13], "2026-03-13 00:00:00 JST (UTC+9)");
    assert_eq!(lines[14], "2026-03-12 15:00:00 UTC");
}

#[test]
fn watermark_with_several_texts_has_each_on_a_line_of_its_own() {
    let texts_of = |texts: &[&str], locale| -> Vec<String> {
        let lines = page_text(&pdf_of(&ReportFacts {
            finding: Finding::Watermark {
                text: Some(texts.join("\n")),
            },
            ..watermark(locale)
        }));
        let after_label = lines.into_iter().skip(11);
        let is_label = |line: &String| {
            ["주문 생성 일시", "Order created", "注文作成日時"].contains(&line.as_str())
        };
        after_label.take_while(|line| !is_label(line)).collect()
    };
    let ten = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    assert_eq!(texts_of(&["a b", "c"], Locale::EnUs), ["a b", "c"]);
    assert_eq!(texts_of(&ten[..8], Locale::EnUs), ten[..8]);
    let first = &ten[..7];
    for (locale, more) in [
        (Locale::EnUs, "and 3 more"),
        (Locale::KoKr, "외 3개"),
        (Locale::JaJp, "ほか3件"),
    ] {
        assert_eq!(texts_of(&ten, locale), [first, &[more]].concat());
    }
    let long = "word ".repeat(200);
    let long_texts = [&*long, "b", &long, &long, &long, "c"];
    let lines = texts_of(&long_texts, Locale::EnUs);
    assert_eq!(lines.len(), 8, "{lines:?}");
    assert!(lines[1].ends_with('…'), "{lines:?}");
    assert_eq!((&*lines[2], &*lines[7]), ("b", "and 2 more"));
    let only = texts_of(&[&long], Locale::EnUs);
    assert_eq!(only.len(), 8, "{only:?}");
    assert!(only[7].ends_with('…'), "{only:?}");
}

#[test]
fn ai_report_shows_probability_and_verdict() {
    for (probability, verdict, percent) in [
        (0.973, "Likely AI", "97.3%"),
        (0.5, "Uncertain, rather AI", "50.0%"),
        (0.25, "Uncertain, rather real", "25.0%"),
        (0.0, "Likely real", "0.0%"),
    ] {
        let lines = page_text(&pdf_of(&ai(probability)));
        let panel = [
            "Result",
            verdict,
            "AI probability",
            percent,
            "Human 0%",
            "AI 100%",
        ];
        assert_eq!(lines[0], "AI image detection report");
        assert_eq!(lines[2..8], panel);
        for locale in Locale::ALL {
            let text = page_text(&pdf_of(&ReportFacts {
                locale,
                ..ai(probability)
            }))
            .concat();
            assert!(!text.contains('□'), "{text:?}");
        }
    }
}

#[test]
fn missing_values_are_shown_as_a_dash() {
    let lines = page_text(&pdf_of(&ReportFacts {
        finding: Finding::Watermark { text: None },
        order_name: " \u{200b}".to_owned(),
        ..watermark(Locale::EnUs)
    }));
    assert_eq!(lines[3], "Not detected");
    assert_eq!(lines[6..8], ["Order name", "–"]);
    assert_eq!(lines[10..12], ["Watermark text", "–"]);
}

#[test]
fn verdict_bar_has_its_mark_at_the_probability_and_goes_from_green_to_red() {
    for (probability, x) in [(0.0, 80.5), (0.25, 185.75), (0.5, 297.5), (1.0, 514.5)] {
        let pdf = pdf_of(&ai(probability));
        assert!(
            (mark_x(&pdf) - x).abs() < 0.01,
            "{probability}: {}",
            mark_x(&pdf)
        );
        for colors in [
            "/C0 [0.2 0.65 0.38]\n  /C1 [0.96 0.73 0.2]",
            "/C0 [0.96 0.73 0.2]\n  /C1 [0.85 0.24 0.22]",
        ] {
            assert_eq!(occurrences(&pdf, colors.as_bytes()).len(), 1, "{colors}");
        }
    }
}

#[test]
fn report_bytes_are_reproducible_and_depend_on_the_facts() {
    let report = watermark(Locale::JaJp);
    let images = with_picture(jpeg(100));
    assert!(pdf_with(&report, &images) == pdf_with(&report, &images));
    let other = ReportFacts {
        reported_at: Timestamp::from_ms(0),
        ..report.clone()
    };
    assert!(pdf_with(&report, &images) != pdf_with(&other, &images));
}

#[test]
fn fullest_report_stays_on_its_page() {
    let long = "漢字かな交じり文の長い値".repeat(100);
    let pdf = pdf_with(
        &ReportFacts {
            finding: Finding::Watermark {
                text: Some("가나다".repeat(333) + "라"),
            },
            order_id: "9".repeat(1_000_000),
            order_name: long.clone(),
            original_name: Some(long.clone()),
            file_name: long,
            ..watermark(Locale::JaJp)
        },
        &with_picture(jpeg(1600)),
    );
    let lines = page_text(&pdf);
    let cut = lines.iter().filter(|line| line.ends_with('…'));
    assert_eq!(cut.count(), 5, "{lines:?}");
    let (head, caption, labels, times, foot) = (4, 1, 8, 6, 2);
    let values = 2 + 3 * 3 + 8;
    assert_eq!(
        lines.len(),
        head + caption + labels + values + times + foot,
        "{lines:?}"
    );
    let origins = line_origins(&pdf);
    assert_eq!(origins.len(), lines.len());
    let (body, footer) = origins.split_at(origins.len() - 2);
    assert!(footer.iter().all(|&[_, y]| y < 41.0), "{footer:?}");
    assert!(body.iter().all(|&[_, y]| y > 62.0), "{body:?}");
    assert_eq!(
        image_placements(&pdf).len(),
        1,
        "the picture is on the page"
    );
}

#[test]
fn report_with_unusual_characters_shows_replacements() {
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
        let lines = page_text(&pdf_of(&ReportFacts {
            order_name: odd.to_owned(),
            ..ai(0.5)
        }));
        assert_eq!(lines[10..12], ["Order name", shown]);
    }
}

#[test]
fn every_modern_hangul_syllable_is_shown() {
    let typeface = font::Typeface::new().expect("the font");
    for syllable in '가'..='힣' {
        let lines = typeface.lines(&syllable.to_string(), 10.0, 60.0, 1);
        assert_eq!(font::text_of(&lines[0]), syllable.to_string());
        let width_pt = font::width_pt(&lines[0], 10.0);
        assert!((width_pt - 9.2).abs() < 0.01, "{syllable}: {width_pt}");
    }
    let pdf = pdf_of(&ReportFacts {
        order_name: "뷁쓔꿹 찦차를 탄 펲시맨과 쑛다리 똠방각하".to_owned(),
        ..watermark(Locale::KoKr)
    });
    assert_eq!(
        page_text(&pdf)[7],
        "뷁쓔꿹 찦차를 탄 펲시맨과 쑛다리 똠방각하"
    );
}

#[test]
fn report_embeds_only_the_glyphs_that_it_shows() {
    let pdf = pdf_of(&watermark(Locale::KoKr));
    assert!(pdf.len() < 20_000, "{}", pdf.len());
    assert_eq!(occurrences(&pdf, b"/Subtype /CIDFontType0C").len(), 1);
    let shown: std::collections::BTreeSet<char> = page_text(&pdf).concat().chars().collect();
    let readable: std::collections::BTreeSet<char> = char_by_cid(&pdf).into_values().collect();
    assert_eq!(shown, readable);
}

#[test]
fn lines_break_between_words_or_within_a_long_word() {
    let typeface = font::Typeface::new().expect("the font");
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
