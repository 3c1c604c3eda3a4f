//! Scores in the number format of Python.

use reqwest::Method;
use serde_json::{Value, json};

use super::{finish_document, post, start_frozen, upload};
use crate::support::{TestServer, ZipEntry, fixture, picture, zip};

/// Fields whose numbers are integers.
const INTEGERS: [&str; 5] = [
    "detection_step",
    "expected_count",
    "width",
    "height",
    "file_size",
];

/// Asserts that every number except [`INTEGERS`] is a float. Returns the floats.
fn floats(value: &Value, name: &str) -> Vec<f64> {
    match value {
        Value::Number(number) if INTEGERS.contains(&name) => {
            assert!(number.is_u64(), "{name}: {number}");
            Vec::new()
        }
        Value::Number(number) => {
            assert!(number.is_f64(), "{name}: {number}");
            vec![number.as_f64().expect("a float")]
        }
        Value::Array(elements) => elements.iter().flat_map(|it| floats(it, name)).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, it)| floats(it, name))
            .collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn query_of_every_kind_of_document_answers_floats() {
    let server = start_frozen().await;
    for (name, bytes) in [
        ("a_ai.jpg", picture()),
        ("a_human.jpg", picture()),
        ("a_edited.jpg", picture()),
        ("a_aiedited.jpg", picture()),
        ("a_grok.jpg", picture()),
        ("a_blurred.png", fixture("plain.png")),
        ("photo.jpg", fixture("photo.jpg")),
        ("parameters.png", fixture("parameters.png")),
        ("plain.jpg", fixture("plain.jpg")),
        ("plain.pdf", fixture("plain.pdf")),
    ] {
        let document = finish_document(&server, name, bytes, json!({})).await;
        assert!(floats(&document, "").len() >= 4, "{document}");
    }
}

/// Returns the JSON text of a document's result, confidences and model score.
async fn score_texts(server: &TestServer, name: &str, bytes: Vec<u8>) -> [String; 4] {
    let document = finish_document(server, name, bytes, json!({})).await;
    let details = &document["result_details"];
    [
        &document["result"],
        &details["confidence"],
        &details["final_label_confidence"],
        &details["ml_model"][1],
    ]
    .map(Value::to_string)
}

#[tokio::test]
async fn score_by_digest_has_all_digits_and_is_reproducible() {
    let server = start_frozen().await;
    let score = "68.84524008759527";
    for _ in 0..2 {
        let scores = score_texts(&server, "a.png", fixture("plain.png")).await;
        assert_eq!(scores, [score; 4]);
    }
    for name in [
        "plain.jpg",
        "plain.bmp",
        "plain.tiff",
        "plain.gif",
        "bench.jpg",
    ] {
        let [result, ..] = score_texts(&server, name, fixture(name)).await;
        assert!(result.len() > 13, "{name}: {result}");
    }
}

#[tokio::test]
async fn score_by_rule_is_answered_exactly() {
    let server = start_frozen().await;
    for (outcome, expected) in [
        (
            json!({"probability": 0.57}),
            ["57.0", "57.0", "57.0", "57.0"],
        ),
        (json!({"probability": 0.07}), ["7.0", "7.0", "93.0", "7.0"]),
        (
            json!({"probability": 0.902_371_538_185_235}),
            [
                "90.2371538185235",
                "90.2371538185235",
                "90.2371538185235",
                "90.2371538185235",
            ],
        ),
        (
            json!({"probability": 1}),
            ["100.0", "100.0", "100.0", "100.0"],
        ),
        (json!({"probability": 0}), ["0.0", "0.0", "100.0", "0.0"]),
        (
            json!({"finalResult": "Real", "probability": 0.9756}),
            ["97.56", "97.56", "2.44", "97.56"],
        ),
    ] {
        let rule = json!({"account": "live", "times": 1, "then": {"outcome": outcome}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
        assert_eq!(
            score_texts(&server, "a.jpg", picture()).await,
            expected,
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn small_score_is_written_with_exponent_as_python_does() {
    let server = start_frozen().await;
    let rule = json!({"account": "live", "then": {"outcome": {"probability": 0.000_000_123}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let document = finish_document(&server, "a.jpg", picture(), json!({})).await;
    let text = super::query(&server, document["id"].as_str().expect("an id"))
        .await
        .text();
    assert!(text.contains(r#""result":1.23e-05,"#), "{text}");
}

#[tokio::test]
async fn bulk_query_answers_floats_and_mean_of_items() {
    let server = start_frozen().await;
    let entries = [
        ZipEntry::new("a_ai.jpg", &picture()),
        ZipEntry::new("b_edited.jpg", &picture()),
        ZipEntry::new("c_gemini.jpg", &picture()),
        ZipEntry::new("photo.jpg", &fixture("photo.jpg")),
        ZipEntry::new("plain.png", &fixture("plain.png")),
    ];
    let path = upload(&server, "live", "a.zip", zip(&entries)).await;
    let response = post(
        &server,
        "/bulk-upload",
        &json!({"key": "live", "url": path}),
    )
    .await;
    floats(&response.json(), "");
    server.advance("live", "PT1S").await;
    let id = json!({"id": response.json()["id"]});
    let bulk = post(&server, "/bulk-upload/query", &id).await.json();
    assert!(floats(&bulk, "").len() > 12, "{bulk}");
    let results: Vec<String> = bulk["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["result"].to_string())
        .collect();
    assert_eq!(results, ["98.0", "3.82", "0.0", "4.0", "68.84524008759527"]);
    assert_eq!(bulk["result"].to_string(), "34.933048017519056");
    let document = post(&server, "/query", &id).await.json();
    assert_eq!(document["result"].to_string(), "34.933048017519056");
}

#[tokio::test]
async fn ocr_and_model_are_answered_at_their_detection_steps() {
    let server = start_frozen().await;
    let no_ocr = json!(["OCR did not detect AI", 0.0]);
    for (name, bytes, step, ocr, has_model) in [
        (
            "parameters.png",
            fixture("parameters.png"),
            1,
            Value::Null,
            false,
        ),
        ("photo.jpg", fixture("photo.jpg"), 1, Value::Null, false),
        ("editor.jpg", fixture("editor.jpg"), 1, Value::Null, false),
        ("a_grok.jpg", picture(), 2, json!(["Grok", 99.0]), false),
        ("a_human.jpg", picture(), 3, Value::Null, true),
        ("a_ai.jpg", picture(), 3, no_ocr.clone(), true),
        ("a_edited.jpg", picture(), 3, no_ocr.clone(), true),
        ("a_aiedited.jpg", picture(), 3, no_ocr, true),
    ] {
        let document = finish_document(&server, name, bytes, json!({})).await;
        let details = &document["result_details"];
        assert_eq!(details["detection_step"], step, "{name}");
        assert_eq!(details.get("ocr"), Some(&ocr), "{name}");
        assert_eq!(details.get("ml_model").is_some(), has_model, "{name}");
    }
}
