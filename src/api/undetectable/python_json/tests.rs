use super::*;

const FILLED: PyValue = PyValue::Array { is_empty: false };

fn object(members: &[(&str, PyValue)]) -> PyValue {
    let members = members.iter();
    PyValue::Object(
        members
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    )
}

fn text(text: &str) -> PyValue {
    PyValue::Text(text.to_owned())
}

#[test]
fn read_of_an_object_keeps_its_own_members_alone() {
    let document = r#" {"a": {"b": [1], "a": 2}, "c": [[], {"d": 3}], "e": null, "f": true, "g": -12,
        "h": 1.5e1, "a": "last"} "#;
    let expected = object(&[
        ("a", text("last")),
        ("c", FILLED),
        ("e", PyValue::Null),
        ("f", PyValue::Bool(true)),
        ("g", PyValue::Int("-12".to_owned())),
        ("h", PyValue::Float(15.0)),
    ]);
    assert_eq!(read(document.as_bytes()), Ok(expected));
    assert_eq!(read(br#"[{"a": 1}]"#), Ok(FILLED));
    assert_eq!(read(b"[ ]"), Ok(PyValue::Array { is_empty: true }));
    let nested = object(&[("a", object(&[]))]);
    assert_eq!(read(br#"{"a": {"b": {"a": 1}}}"#), Ok(nested));
}

#[test]
fn read_of_numbers_accepts_any_size_and_nan() {
    let digits = "1".repeat(4_300);
    let member = |value: PyValue| Ok(object(&[("a", value)]));
    for (sent, expected) in [
        ("-0", PyValue::Int("0".to_owned())),
        (digits.as_str(), PyValue::Int(digits.clone())),
        ("1e999", PyValue::Float(f64::INFINITY)),
        ("Infinity", PyValue::Float(f64::INFINITY)),
        ("-Infinity", PyValue::Float(f64::NEG_INFINITY)),
    ] {
        let document = format!(r#"{{"a": {sent}}}"#);
        assert_eq!(read(document.as_bytes()), member(expected), "{sent}");
    }
    let Ok(PyValue::Float(number)) = read(b"NaN") else {
        panic!("no float");
    };
    assert!(number.is_nan());
    let too_long = read(format!("{digits}1").as_bytes());
    assert!(matches!(too_long, Err(ReadError::NotReadable(_))));
}

#[test]
fn read_of_strings_joins_surrogate_pairs_and_replaces_lone_surrogates() {
    for (sent, expected) in [
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\uD83D\uDE00", "\u{1f600}"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ud83d\ud83d\ude00x", "\u{fffd}\u{1f600}x"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}"),
        (r"\ud83d\n\ude00", "\u{fffd}\n\u{fffd}"),
        (r#"\"\\\/\b\f\n\r\t\u00e9"#, "\"\\/\u{8}\u{c}\n\r\té"),
    ] {
        let document = format!("\"{sent}\"");
        assert_eq!(read(document.as_bytes()), Ok(text(expected)), "{sent}");
    }
    assert_eq!(
        read(b"\"\xed\xa0\x80\xed\xb0\x80\""),
        Ok(text("\u{fffd}\u{fffd}"))
    );
}

#[test]
fn read_of_every_encoding_that_python_detects_gives_the_same() {
    let document = "{\"é\": \"\u{1f600}\"}";
    let expected = Ok(object(&[("é", text("\u{1f600}"))]));
    let utf_16: Vec<u16> = document.encode_utf16().collect();
    let utf_32: Vec<u32> = document.chars().map(u32::from).collect();
    let bytes_16 =
        |bytes: fn(u16) -> [u8; 2]| utf_16.iter().flat_map(|unit| bytes(*unit)).collect();
    let bytes_32 =
        |bytes: fn(u32) -> [u8; 4]| utf_32.iter().flat_map(|unit| bytes(*unit)).collect();
    let encoded: [(&[u8], Vec<u8>); 5] = [
        (b"\xef\xbb\xbf", document.into()),
        (b"\xff\xfe", bytes_16(u16::to_le_bytes)),
        (b"\xfe\xff", bytes_16(u16::to_be_bytes)),
        (b"\xff\xfe\0\0", bytes_32(u32::to_le_bytes)),
        (b"\0\0\xfe\xff", bytes_32(u32::to_be_bytes)),
    ];
    for (mark, bytes) in encoded {
        assert_eq!(read(&bytes), expected, "{bytes:?}");
        assert_eq!(
            read(&[mark, &bytes].concat()),
            expected,
            "{bytes:?} with a mark"
        );
    }
}

#[test]
fn read_of_nested_containers_has_a_limit_and_needs_no_stack() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(read(nested(1_500).as_bytes()), Ok(FILLED));
    let too_deep = Err(ReadError::NotReadable("the body is nested too deep"));
    assert_eq!(read(nested(1_501).as_bytes()), too_deep);
    assert_eq!(read("{\"a\":".repeat(1_000_000).as_bytes()), too_deep);
}

#[test]
fn from_serde_json_returns_the_same_value() {
    let json = serde_json::json!({"a": 1, "b": 1.5, "c": "x", "d": [1], "e": null, "f": false});
    let expected = object(&[
        ("a", PyValue::Int("1".to_owned())),
        ("b", PyValue::Float(1.5)),
        ("c", text("x")),
        ("d", FILLED),
        ("e", PyValue::Null),
        ("f", PyValue::Bool(false)),
    ]);
    assert_eq!(PyValue::from(&json), expected);
}
