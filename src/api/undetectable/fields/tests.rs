use serde_json::json;

use super::*;

fn messages(fields: &FieldReader) -> Vec<String> {
    let describe = |error: &ValidationError| format!("{} ({})", error.message(), error.r#type);
    fields.errors.iter().map(describe).collect()
}

#[test]
fn describe_fields_returns_params_in_reading_order() {
    let params = FieldReader::describe_fields(|fields| {
        fields.required_text_within("a", 9);
        fields.flag_or("b", true);
        fields.one_of("c", &["x", "y"]);
        fields.uuid("d");
        fields.integer("e", 1..=9);
        fields.text("f");
        fields.matching("g", "^a$", |text| text == "a");
    });
    let descriptions: Vec<Schema> = params
        .into_iter()
        .map(|param| json!([param.name, param.required, param.schema]))
        .collect();
    let expected = json!([
        ["a", true, {"type": "string", "maxLength": 9}],
        ["b", false, {"type": "boolean", "default": true}],
        ["c", false, {"type": "string", "enum": ["x", "y"]}],
        ["d", false, {"type": "string", "format": "uuid"}],
        ["e", false, {"type": "integer", "minimum": 1, "maximum": 9}],
        ["f", false, {"type": "string"}],
        ["g", false, {"type": "string", "pattern": "^a$"}],
    ]);
    assert_eq!(json!(descriptions), expected);
}

#[test]
fn read_of_coercible_values_coerces_them() {
    let json = json!({
        "a": "x", "b": 5, "c": true, "d": null, "e": "ON", "f": 0, "g": 1.0, "h": "No",
        "i": "{0F0E0D0C-0B0A-4908-8706-050403020100}", "j": " 7 ", "k": 8
    });
    let body = PyValue::from(&json);
    let mut fields = FieldReader::for_body(&body);
    assert_eq!(fields.required_text("a"), "x");
    assert_eq!(fields.text("b").as_deref(), Some("5"));
    assert_eq!(fields.text("c").as_deref(), Some("True"));
    assert_eq!(fields.text("g").as_deref(), Some("1.0"));
    assert_eq!((fields.text("d"), fields.text("absent")), (None, None));
    assert_eq!(fields.flag("c"), Some(true));
    assert_eq!(fields.flag("d"), None);
    assert_eq!(fields.flag("e"), Some(true));
    assert_eq!(fields.flag("f"), Some(false));
    assert_eq!(fields.flag("g"), Some(true));
    assert_eq!(fields.flag("h"), Some(false));
    let uuid = "0f0e0d0c-0b0a-4908-8706-050403020100";
    assert_eq!(fields.uuid("i").as_deref(), Some(uuid));
    assert_eq!(fields.integer("j", 1..=9), Some(7));
    assert_eq!(fields.integer("k", 1..=9), Some(8));
    fields.one_of("a", &["x", "y"]);
    fields.one_of("absent", &["x"]);
    assert_eq!(fields.finish(), Ok(()));
}

#[test]
fn read_of_invalid_values_reports_every_error_in_order() {
    let json = json!({
        "a": null, "b": {}, "c": "maybe", "d": 2, "e": "z", "f": "1-2", "g": "1.5",
        "h": "99999999999999999999", "i": 0, "j": 7
    });
    let body = PyValue::from(&json);
    let mut fields = FieldReader::for_body(&body);
    fields.required_text("absent");
    fields.required_text("a");
    fields.required_text("b");
    fields.flag("c");
    fields.flag("d");
    fields.one_of("e", &["x", "y"]);
    fields.uuid("f");
    fields.integer("g", 1..=9);
    fields.integer("h", 1..=9);
    fields.integer("i", 1..=9);
    fields.matching("j", "^a$", |text| text == "a");
    let expected = [
        "body.absent: field required (value_error.missing)",
        "body.a: none is not an allowed value (type_error.none.not_allowed)",
        "body.b: str type expected (type_error.str)",
        "body.c: value could not be parsed to a boolean (type_error.bool)",
        "body.d: value could not be parsed to a boolean (type_error.bool)",
        "body.e: value is not a valid enumeration member; permitted: 'x', 'y' (type_error.enum)",
        "body.f: value is not a valid uuid (type_error.uuid)",
        "body.g: value is not a valid integer (type_error.integer)",
        "body.h: ensure this value is less than or equal to 9 (value_error.number.not_le)",
        "body.i: ensure this value is greater than or equal to 1 (value_error.number.not_ge)",
        "body.j: string does not match regex \"^a$\" (value_error.str.regex)",
    ];
    assert_eq!(messages(&fields), expected);
}

#[test]
fn read_of_a_body_that_is_not_an_object_reports_one_error() {
    for (body, message) in [
        (json!(null), "body: field required (value_error.missing)"),
        (
            json!([1]),
            "body: value is not a valid dict (type_error.dict)",
        ),
    ] {
        let body = PyValue::from(&body);
        let mut fields = FieldReader::for_body(&body);
        fields.required_text("url");
        fields.flag("b");
        assert_eq!(messages(&fields), [message]);
    }
}
