//! Every field of every body that makes an order, with values that the vendor does not take.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::TestServer;

const INVALID: &str = "VALIDATION_FAILED";
const KEY_INVALID: &str = "VALIDATION_IDEMPOTENCY_KEY_INVALID";

/// A route, a body it takes, and what it does not: where, what, and how the reason begins.
struct CreateRoute {
    path: &'static str,
    good: Value,
    bad: Vec<(&'static str, Value, &'static str)>,
}

fn long(chars: usize) -> Value {
    json!("x".repeat(chars))
}

/// What every body has.
fn key() -> Vec<(&'static str, Value, &'static str)> {
    let field = "/idempotencyKey";
    vec![
        (field, Value::Null, "idempotencyKey: missing"),
        (field, json!(""), "idempotencyKey: empty"),
        (field, json!(7), "idempotencyKey: expected a string, got 7"),
        (
            field,
            long(256),
            "idempotencyKey: too long: 256 characters, maximum 255",
        ),
    ]
}

fn order_name() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "/orderName",
            long(65),
            "orderName: too long: 65 characters, maximum 64",
        ),
        ("/orderName", json!(1), "orderName: "),
    ]
}

fn file_name(at: &'static str, text: &'static str) -> Vec<(&'static str, Value, &'static str)> {
    let bad = [
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
    bad.into_iter().map(|value| (at, value, text)).collect()
}

fn url(at: &'static str, text: &'static str) -> Vec<(&'static str, Value, &'static str)> {
    let bad = [
        json!(1),
        json!(""),
        json!("files.test/a.jpg"),
        json!("ftp://files.test/a.jpg"),
        json!("data:image/png;base64,AAAA"),
        json!(format!("http://files.test/{}", "x".repeat(2_048))),
    ];
    bad.into_iter().map(|value| (at, value, text)).collect()
}

/// Not one to a hundred files.
fn files() -> Vec<(&'static str, Value, &'static str)> {
    let file = json!({"fileName": "a.jpg", "imageUrl": "http://files.test/a", "watermarks": [{"text": "x"}]});
    vec![
        ("/files", json!([]), "files: expected 1 to 100, got 0"),
        (
            "/files",
            json!(vec![file; 101]),
            "files: expected 1 to 100, got 101",
        ),
        ("/files", json!({}), "files: "),
        ("/files", Value::Null, "files: "),
        ("/files/0", json!([]), "files[0]: "),
        ("/files/0", json!("a.jpg"), "files[0]: "),
    ]
}

fn anti_ai() -> CreateRoute {
    let target = json!({"fileKey": "k", "url": "http://files.test/put", "presignedUrlExpiresAt": "2026-03-12T11:00:00Z"});
    let mut bad = [key(), order_name(), files()].concat();
    bad.extend(file_name("/files/0/fileName", "files[0].fileName: "));
    bad.extend(url(
        "/files/0/originalFileUrl",
        "files[0].originalFileUrl: ",
    ));
    bad.extend(url("/outputTargets/0/url", "outputTargets[0].url: "));
    bad.extend([
        ("/options", json!([]), "options: "),
        ("/options/strength", json!("extreme"), "options.strength: "),
        ("/options/strength", json!("High"), "options.strength: "),
        ("/mode", json!("zeroCopy"), "mode: "),
        ("/mode/zeroCopy", json!("true"), "mode.zeroCopy: "),
        ("/outputTargets", json!({}), "outputTargets: "),
        (
            "/outputTargets",
            json!([]),
            "outputTargets: expected 1, one per file, got 0",
        ),
        (
            "/outputTargets",
            Value::Null,
            "outputTargets: expected 1, one per file, got 0",
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
            r#"outputTargets[0].presignedUrlExpiresAt: not an ISO 8601 time: "soon""#,
        ),
        (
            "/outputTargets/0/presignedUrlExpiresAt",
            json!("2026-03-12T09:59:59Z"),
            "outputTargets[0].presignedUrlExpiresAt: 2026-03-12T09:59:59Z has passed",
        ),
    ]);
    CreateRoute {
        path: "/api/v2/orders/anti-ai",
        good: json!({"idempotencyKey": "k", "orderName": "n",
            "files": [{"fileName": "a.jpg", "originalFileUrl": "http://files.test/a"}],
            "options": {"strength": "low"}, "mode": {"zeroCopy": true}, "outputTargets": [target]}),
        bad,
    }
}

fn with_urls() -> CreateRoute {
    let mut bad = [key(), order_name(), files()].concat();
    bad.extend(file_name("/files/0/fileName", "files[0].fileName: "));
    bad.extend(url("/files/0/imageUrl", "files[0].imageUrl: "));
    bad.push(("/files/0/imageUrl", Value::Null, "files[0].imageUrl: "));
    CreateRoute {
        path: "/api/v2/orders/anti-ai/with-urls",
        good: json!({"idempotencyKey": "k", "orderName": "n",
            "files": [{"fileName": "a.jpg", "imageUrl": "http://files.test/a"}]}),
        bad,
    }
}

fn create_detection() -> CreateRoute {
    let mut bad = [key(), order_name()].concat();
    bad.extend(file_name("/fileName", "fileName: "));
    let tif = "fileName: extension .tif is not supported";
    bad.push(("/fileName", json!("a.tif"), tif));
    bad.extend([
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
        good: json!({"idempotencyKey": "k", "orderName": "n", "fileName": "a.jpg", "options": options}),
        bad,
    }
}

fn embed(path: &'static str) -> CreateRoute {
    let mut bad = [key(), files()].concat();
    bad.extend(file_name("/files/0/fileName", "files[0].fileName: "));
    bad.extend(url(
        "/files/0/originalFileUrl",
        "files[0].originalFileUrl: ",
    ));
    let marks = "files[0].watermarks: ";
    bad.extend([
        ("/files/0/watermarks", Value::Null, marks),
        ("/files/0/watermarks", json!("x"), marks),
        (
            "/files/0/watermarks",
            json!([]),
            "files[0].watermarks: expected 1 to 10, got 0",
        ),
        (
            "/files/0/watermarks",
            json!(vec![json!({"text": "x"}); 11]),
            "files[0].watermarks: expected 1 to 10, got 11",
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
            "files[0].watermarks[0].text: expected 1 to 1000 characters, got 0",
        ),
        (
            "/files/0/watermarks/0/text",
            json!("é".repeat(1_001)),
            "files[0].watermarks[0].text: expected 1 to 1000 characters, got 1001",
        ),
    ]);
    let file = json!({"fileName": "a.pdf", "originalFileUrl": "http://files.test/a", "watermarks": [{"text": "x"}]});
    CreateRoute {
        path,
        good: json!({"idempotencyKey": "k", "files": [file]}),
        bad,
    }
}

/// A file that watermarks are looked for in.
fn extract(path: &'static str) -> CreateRoute {
    let mut bad = key();
    bad.extend(file_name("/file/fileName", "file.fileName: "));
    let original = "/file/originalFile/fileName";
    bad.extend(file_name(original, "file.originalFile.fileName: "));
    bad.extend([
        ("/file", Value::Null, "file: "),
        ("/file", json!([]), "file: "),
        ("/file/originalFile", json!("o.jpg"), "file.originalFile: "),
        ("/file/originalFile", Value::Null, "file.originalFile: "),
    ]);
    let file = json!({"fileName": "a.jpg", "originalFile": {"fileName": "o.jpg"}});
    CreateRoute {
        path,
        good: json!({"idempotencyKey": "k", "file": file}),
        bad,
    }
}

fn extract_v2() -> CreateRoute {
    let mut route = extract("/api/v2/orders/wtr-extract");
    route.good["file"]["includeOriginal"] = json!(true);
    let tif = "file.fileName: extension .tif is not supported";
    route.bad.push(("/file/fileName", json!("a.tif"), tif));
    let field = "/file/includeOriginal";
    route.bad.extend([
        (field, json!("yes"), "file.includeOriginal: "),
        (
            "/file/fileName",
            json!("a.pdf"),
            "file.includeOriginal: not supported for PDF: a.pdf",
        ),
        (
            "/file/originalFile/fileName",
            json!("o.pdf"),
            "file.includeOriginal: not supported for PDF: o.pdf",
        ),
    ]);
    route
}

/// Every place in the body, as pointers; of lists the first item.
fn places(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    let mut go_on = |name: &str, value: &Value| {
        let at = format!("{at}/{name}");
        into.insert(at.clone());
        places(value, &at, into);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| go_on(name, value)),
        Value::Array(items) => items.iter().take(1).for_each(|value| go_on("0", value)),
        _ => {}
    }
}

#[tokio::test]
async fn every_field_of_every_create_body_has_values_that_are_refused_by_name() {
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
        places(&route.good, "", &mut untried);
        for (at, value, why) in &route.bad {
            let mut body = route.good.clone();
            *body.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = value.clone();
            let reply = server.post("live", route.path, &body).await;
            let code = if *at == "/idempotencyKey" {
                KEY_INVALID
            } else {
                INVALID
            };
            let text = reply.header("x-mock-reason").to_owned();
            reply.assert_refused(400, code, &text);
            assert!(text.starts_with(why), "{} {at} {value}: {text}", route.path);
            untried.remove(*at);
        }
        assert!(untried.is_empty(), "{}: {untried:?}", route.path);
        let response = server.post("live", route.path, &route.good).await;
        assert_eq!(response.status, 200, "{}: {}", route.path, response.text());
    }
}

#[tokio::test]
async fn what_is_just_within_the_bounds_is_taken() {
    let server = TestServer::start_frozen("live").await;
    let texts = vec![json!({"text": "é".repeat(1_000)}); 10];
    let name = format!("{}.bmp", "x".repeat(251));
    let files = vec![json!({"fileName": name, "watermarks": texts}); 100];
    for path in ["/api/v2/orders/wtr-embed", "/api/v3/orders/wtr-embed"] {
        let body = json!({"idempotencyKey": long(255), "files": files});
        let response = server.post("live", path, &body).await;
        assert_eq!(response.status, 200, "{}", response.header("x-mock-reason"));
    }
    let body = json!({"idempotencyKey": "k", "orderName": long(64), "fileName": "a.TIFF"});
    let response = server
        .post("live", "/api/v2/orders/ai-detection", &body)
        .await;
    assert_eq!(response.status, 200, "{}", response.header("x-mock-reason"));
}
