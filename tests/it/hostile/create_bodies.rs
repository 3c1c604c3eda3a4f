//! Invalid values for every field of every body that creates an order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::TestServer;

const INVALID: &str = "VALIDATION_FAILED";
const KEY_INVALID: &str = "VALIDATION_IDEMPOTENCY_KEY_INVALID";

/// JSON pointer, invalid value, and start of the reason.
type InvalidField = (&'static str, Value, &'static str);

/// A route, a valid body, and its invalid fields.
struct CreateRoute {
    path: &'static str,
    valid: Value,
    invalid: Vec<InvalidField>,
}

fn text_of_length(chars: usize) -> Value {
    json!("x".repeat(chars))
}

/// Invalid idempotency keys, which are the same for every route.
fn invalid_keys() -> Vec<InvalidField> {
    let field = "/idempotencyKey";
    vec![
        (field, Value::Null, "idempotencyKey: missing"),
        (field, json!(""), "idempotencyKey: empty"),
        (field, json!(7), "idempotencyKey: 7 is no string"),
        (
            field,
            text_of_length(256),
            "idempotencyKey: 256 characters, 255 are taken",
        ),
    ]
}

fn invalid_order_names() -> Vec<InvalidField> {
    vec![
        (
            "/orderName",
            text_of_length(65),
            "orderName: 65 characters, 64 are taken",
        ),
        ("/orderName", json!(1), "orderName: "),
    ]
}

fn invalid_file_names(pointer: &'static str, reason: &'static str) -> Vec<InvalidField> {
    let invalid = [
        Value::Null,
        json!(1),
        json!(""),
        json!("a"),
        json!(".jpg"),
        json!("a.gif"),
        json!("a.heic"),
        json!("a/b.jpg"),
        json!("a\\b.jpg"),
        json!("a\u{0}.jpg"),
        json!(format!("{}.jpg", "x".repeat(252))),
    ];
    invalid
        .into_iter()
        .map(|value| (pointer, value, reason))
        .collect()
}

fn invalid_urls(pointer: &'static str, reason: &'static str) -> Vec<InvalidField> {
    let invalid = [
        json!(1),
        json!(""),
        json!("files.test/a.jpg"),
        json!("ftp://files.test/a.jpg"),
        json!("data:image/png;base64,AAAA"),
        json!(format!("http://files.test/{}", "x".repeat(2_048))),
    ];
    invalid
        .into_iter()
        .map(|value| (pointer, value, reason))
        .collect()
}

/// Invalid lists of files. A valid list has one to a hundred.
fn invalid_file_lists() -> Vec<InvalidField> {
    let file = json!({"fileName": "a.jpg", "imageUrl": "http://files.test/a", "watermarks": [{"text": "x"}]});
    vec![
        ("/files", json!([]), "files: 0 of them, 1 to 100 are taken"),
        (
            "/files",
            json!(vec![file; 101]),
            "files: 101 of them, 1 to 100 are taken",
        ),
        ("/files", json!({}), "files: "),
        ("/files", Value::Null, "files: "),
        ("/files/0", json!([]), "files[0]: "),
        ("/files/0", json!("a.jpg"), "files[0]: "),
    ]
}

fn anti_ai() -> CreateRoute {
    let target = json!({"fileKey": "k", "url": "http://files.test/put", "presignedUrlExpiresAt": "2026-03-12T11:00:00Z"});
    let mut invalid = [invalid_keys(), invalid_order_names(), invalid_file_lists()].concat();
    invalid.extend(invalid_file_names(
        "/files/0/fileName",
        "files[0].fileName: ",
    ));
    invalid.extend(invalid_urls(
        "/files/0/originalFileUrl",
        "files[0].originalFileUrl: ",
    ));
    invalid.extend(invalid_urls(
        "/outputTargets/0/url",
        "outputTargets[0].url: ",
    ));
    invalid.extend([
        ("/options", json!([]), "options: "),
        ("/options/strength", json!("extreme"), "options.strength: "),
        ("/options/strength", json!("High"), "options.strength: "),
        ("/mode", json!("zeroCopy"), "mode: "),
        ("/mode/zeroCopy", json!("true"), "mode.zeroCopy: "),
        ("/outputTargets", json!({}), "outputTargets: "),
        (
            "/outputTargets",
            json!([]),
            "outputTargets: 0 of them for 1 files",
        ),
        (
            "/outputTargets",
            Value::Null,
            "outputTargets: 0 of them for 1 files",
        ),
        ("/outputTargets/0", json!([]), "outputTargets[0]: "),
        (
            "/outputTargets/0/fileKey",
            json!(1),
            "outputTargets[0].fileKey: ",
        ),
        (
            "/outputTargets/0/fileKey",
            json!(""),
            "outputTargets[0].fileKey: empty",
        ),
        (
            "/outputTargets/0/url",
            Value::Null,
            "outputTargets[0].url: ",
        ),
        (
            "/outputTargets/0/presignedUrlExpiresAt",
            json!("soon"),
            "outputTargets[0].presignedUrlExpiresAt: soon is no ISO 8601 time",
        ),
        (
            "/outputTargets/0/presignedUrlExpiresAt",
            json!("2026-03-12T09:59:59Z"),
            "outputTargets[0].presignedUrlExpiresAt: 2026-03-12T09:59:59Z has passed",
        ),
    ]);
    CreateRoute {
        path: "/api/v2/orders/anti-ai",
        valid: json!({"idempotencyKey": "k", "orderName": "n",
            "files": [{"fileName": "a.jpg", "originalFileUrl": "http://files.test/a"}],
            "options": {"strength": "low"}, "mode": {"zeroCopy": true}, "outputTargets": [target]}),
        invalid,
    }
}

fn with_urls() -> CreateRoute {
    let mut invalid = [invalid_keys(), invalid_order_names(), invalid_file_lists()].concat();
    invalid.extend(invalid_file_names(
        "/files/0/fileName",
        "files[0].fileName: ",
    ));
    invalid.extend(invalid_urls("/files/0/imageUrl", "files[0].imageUrl: "));
    invalid.push(("/files/0/imageUrl", Value::Null, "files[0].imageUrl: "));
    CreateRoute {
        path: "/api/v2/orders/anti-ai/with-urls",
        valid: json!({"idempotencyKey": "k", "orderName": "n",
            "files": [{"fileName": "a.jpg", "imageUrl": "http://files.test/a"}]}),
        invalid,
    }
}

fn create_detection() -> CreateRoute {
    let mut invalid = [invalid_keys(), invalid_order_names()].concat();
    invalid.extend(invalid_file_names("/fileName", "fileName: "));
    let tif = "fileName: extension .tif is not supported";
    invalid.push(("/fileName", json!("a.tif"), tif));
    invalid.extend([
        (
            "/fileName",
            json!("a.pdf"),
            "fileName: extension .pdf is not supported",
        ),
        ("/options", json!([]), "options: "),
        (
            "/options/generateHeatmap",
            json!("yes"),
            "options.generateHeatmap: ",
        ),
        (
            "/options/generateOverlay",
            json!(1),
            "options.generateOverlay: ",
        ),
        (
            "/options/generateThumbnail",
            json!({}),
            "options.generateThumbnail: ",
        ),
    ]);
    let options =
        json!({"generateHeatmap": true, "generateOverlay": true, "generateThumbnail": true});
    CreateRoute {
        path: "/api/v2/orders/ai-detection",
        valid: json!({"idempotencyKey": "k", "orderName": "n", "fileName": "a.jpg", "options": options}),
        invalid,
    }
}

fn embed(path: &'static str) -> CreateRoute {
    let mut invalid = [invalid_keys(), invalid_file_lists()].concat();
    invalid.extend(invalid_file_names(
        "/files/0/fileName",
        "files[0].fileName: ",
    ));
    invalid.extend(invalid_urls(
        "/files/0/originalFileUrl",
        "files[0].originalFileUrl: ",
    ));
    let watermarks = "files[0].watermarks: ";
    invalid.extend([
        ("/files/0/watermarks", Value::Null, watermarks),
        ("/files/0/watermarks", json!("x"), watermarks),
        (
            "/files/0/watermarks",
            json!([]),
            "files[0].watermarks: 0 of them, 1 to 10 are taken",
        ),
        (
            "/files/0/watermarks",
            json!(vec![json!({"text": "x"}); 11]),
            "files[0].watermarks: 11 of them, 1 to 10 are taken",
        ),
        (
            "/files/0/watermarks/0",
            json!("x"),
            "files[0].watermarks[0]: ",
        ),
        (
            "/files/0/watermarks/0/text",
            Value::Null,
            "files[0].watermarks[0].text: ",
        ),
        (
            "/files/0/watermarks/0/text",
            json!(1),
            "files[0].watermarks[0].text: ",
        ),
        (
            "/files/0/watermarks/0/text",
            json!(""),
            "files[0].watermarks[0].text: 0 characters, 1 to 1000 are taken",
        ),
        (
            "/files/0/watermarks/0/text",
            json!("é".repeat(1_001)),
            "files[0].watermarks[0].text: 1001 characters, 1 to 1000 are taken",
        ),
    ]);
    let file = json!({"fileName": "a.pdf", "originalFileUrl": "http://files.test/a", "watermarks": [{"text": "x"}]});
    CreateRoute {
        path,
        valid: json!({"idempotencyKey": "k", "files": [file]}),
        invalid,
    }
}

/// Route that extracts watermarks from a file.
fn extract(path: &'static str) -> CreateRoute {
    let mut invalid = invalid_keys();
    invalid.extend(invalid_file_names("/file/fileName", "file.fileName: "));
    let original = "/file/originalFile/fileName";
    invalid.extend(invalid_file_names(original, "file.originalFile.fileName: "));
    invalid.extend([
        ("/file", Value::Null, "file: "),
        ("/file", json!([]), "file: "),
        ("/file/originalFile", json!("o.jpg"), "file.originalFile: "),
        ("/file/originalFile", Value::Null, "file.originalFile: "),
    ]);
    let file = json!({"fileName": "a.jpg", "originalFile": {"fileName": "o.jpg"}});
    CreateRoute {
        path,
        valid: json!({"idempotencyKey": "k", "file": file}),
        invalid,
    }
}

fn extract_v2() -> CreateRoute {
    let mut route = extract("/api/v2/orders/wtr-extract");
    route.valid["file"]["includeOriginal"] = json!(true);
    let tif = "file.fileName: extension .tif is not supported";
    route.invalid.push(("/file/fileName", json!("a.tif"), tif));
    let field = "/file/includeOriginal";
    route.invalid.extend([
        (field, json!("yes"), "file.includeOriginal: "),
        (
            "/file/fileName",
            json!("a.pdf"),
            "file.includeOriginal: not for PDF, as a.pdf is",
        ),
        (
            "/file/originalFile/fileName",
            json!("o.pdf"),
            "file.includeOriginal: not for PDF, as o.pdf is",
        ),
    ]);
    route
}

/// Adds the JSON pointer of every value in `value` to `pointers`. Of an array, only the first item counts.
fn add_pointers(value: &Value, pointer: &str, pointers: &mut BTreeSet<String>) {
    let mut add_child = |name: &str, value: &Value| {
        let child = format!("{pointer}/{name}");
        pointers.insert(child.clone());
        add_pointers(value, &child, pointers);
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| add_child(name, value)),
        Value::Array(items) => items.iter().take(1).for_each(|value| add_child("0", value)),
        _ => {}
    }
}

#[tokio::test]
async fn create_with_invalid_value_in_any_field_answers_reason_with_its_name() {
    let server = TestServer::start_frozen("live").await;
    for route in [
        anti_ai(),
        with_urls(),
        create_detection(),
        embed("/api/v2/orders/wtr-embed"),
        extract_v2(),
        embed("/api/v3/orders/wtr-embed"),
        extract("/api/v3/orders/wtr-extract"),
    ] {
        let mut untried = BTreeSet::new();
        add_pointers(&route.valid, "", &mut untried);
        for (pointer, value, prefix) in &route.invalid {
            let mut body = route.valid.clone();
            *body
                .pointer_mut(pointer)
                .unwrap_or_else(|| panic!("{pointer}")) = value.clone();
            let reply = server.post("live", route.path, &body).await;
            let code = if *pointer == "/idempotencyKey" {
                KEY_INVALID
            } else {
                INVALID
            };
            let reason = reply.header("x-mock-reason").to_owned();
            reply.assert_refused(400, code, &reason);
            assert!(
                reason.starts_with(prefix),
                "{} {pointer} {value}: {reason}",
                route.path
            );
            untried.remove(*pointer);
        }
        assert!(untried.is_empty(), "{}: {untried:?}", route.path);
        let response = server.post("live", route.path, &route.valid).await;
        assert_eq!(response.status, 200, "{}: {}", route.path, response.text());
    }
}

#[tokio::test]
async fn create_with_values_at_their_limits_is_accepted() {
    let server = TestServer::start_frozen("live").await;
    let texts = vec![json!({"text": "é".repeat(1_000)}); 10];
    let name = format!("{}.bmp", "x".repeat(251));
    let files = vec![json!({"fileName": name, "watermarks": texts}); 100];
    for path in ["/api/v2/orders/wtr-embed", "/api/v3/orders/wtr-embed"] {
        let body = json!({"idempotencyKey": text_of_length(255), "files": files});
        let response = server.post("live", path, &body).await;
        assert_eq!(response.status, 200, "{}", response.header("x-mock-reason"));
    }
    let body =
        json!({"idempotencyKey": "k", "orderName": text_of_length(64), "fileName": "a.TIFF"});
    let response = server
        .post("live", "/api/v2/orders/ai-detection", &body)
        .await;
    assert_eq!(response.status, 200, "{}", response.header("x-mock-reason"));
}
