//! Lifecycle of documents: pending, analyzing, done, expired.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    credits, detect, document_view, finish_document, get, image_url, post, presign, query,
    start_frozen, start_frozen_with, upload,
};
use crate::support::{fixture, picture};

const PENDING: &str =
    r#"{"id":"{id}","status":"pending","result":null,"result_details":{"is_valid":null}}"#;
const ANALYZING: &str =
    r#"{"id":"{id}","status":"analyzing","result":null,"result_details":{"is_valid":true}}"#;

/// JSON of the document `x_ai.png` with the content of `plain.png`, before and after the varying fields.
const HEAD: &str = r#"{"id":"{id}","status":"done","result":98.0,"result_details":{"is_valid":true,"detection_step":3,"final_result":"AI Generated","confidence":98.0,"final_label_confidence":98.0,"metadata":["No Information Detected","Could not find anything from ExifTool and Pillow metadata"],"metadata_basic_source":null,"ocr":["OCR did not detect AI",0.0],"ml_model":["AI Generated",98.0],"#;
const TAIL: &str = r#""error_message":null,"warnings":[{"type":"screen_recapture","label":"Normal","confidence":100.0,"metrics":{"is_screen":false}}]},"#;
const ANALYSIS: &str = r#"{"imageTags":["colour","texture","single subject","shallow depth","daylight"],"agreement":"strong","confidence":98.0,"keyIndicators":["Texture repeats where it should vary","Edges are smoother than a lens leaves them","Light and shadow disagree in places"],"detailedReasoning":"The picture was judged AI Generated with 98 percent confidence. Fine texture and noise follow the statistics of generated pictures. No trace of a camera's sensor was found in the flat areas.","visualPatterns":["Soft transitions between subject and background","Symmetry in incidental detail"],"recommendations":["Ask the source for the original file","Run a reverse image search","Label the picture as likely made by AI before publishing it"]}"#;

fn document_json(heatmap: &str, analysis: &str, preview: &str) -> String {
    format!(r#"{HEAD}{heatmap},{analysis},{TAIL}"preview_url":{preview}}}"#)
}

const HEATMAP_PENDING: &str = r#""heatmap_status":"pending","heatmap_url":null"#;
const NO_HEATMAP: &str = r#""heatmap_status":null,"heatmap_url":null"#;

fn heatmap_ready(name: &str, second: u8) -> String {
    let url = image_url(name, second);
    format!(r#""heatmap_status":"ready","heatmap_url":"{url}""#)
}

fn analysis(status: &str) -> String {
    format!(r#""analysis_results_status":"{status}","analysis_results":null"#)
}

fn analysis_ready() -> String {
    format!(r#""analysis_results_status":"ready","analysis_results":{ANALYSIS}"#)
}

#[tokio::test]
async fn document_with_preview_answers_each_step_from_pending_to_done() {
    let server = start_frozen().await;
    let body = json!({"generate_preview": true});
    let id = detect(&server, "x_ai.png", fixture("plain.png"), body).await;
    assert_eq!(document_view(&server, &id).await, PENDING);
    server.advance("live", "PT0.099S").await;
    assert_eq!(document_view(&server, &id).await, PENDING);
    server.advance("live", "PT0.001S").await;
    assert_eq!(document_view(&server, &id).await, ANALYZING);
    server.advance("live", "PT0.199S").await;
    assert_eq!(document_view(&server, &id).await, ANALYZING);
    assert_eq!(server.advance("live", "PT0.001S").await, ["order.process"]);

    let preview = format!(r#""{}""#, image_url("preview.jpg", 0));
    let first = document_json(HEATMAP_PENDING, &analysis("pending"), &preview);
    assert_eq!(document_view(&server, &id).await, first);
    let second = document_json(HEATMAP_PENDING, &analysis("analyzing"), &preview);
    assert_eq!(document_view(&server, &id).await, second);
    server.advance("live", "PT0.2S").await;
    let third = document_json(
        &heatmap_ready("heatmap.png", 0),
        &analysis("analyzing"),
        &preview,
    );
    assert_eq!(document_view(&server, &id).await, third);
    server.advance("live", "PT0.2S").await;
    let last = document_json(
        &heatmap_ready("heatmap.png", 0),
        &analysis_ready(),
        &preview,
    );
    assert_eq!(document_view(&server, &id).await, last);
    assert_eq!(document_view(&server, &id).await, last);
}

#[tokio::test]
async fn first_done_response_has_pending_heatmap_and_analysis_at_any_time() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), json!({})).await;
    server.advance("live", "PT10S").await;
    let first = document_json(HEATMAP_PENDING, &analysis("pending"), "null");
    assert_eq!(document_view(&server, &id).await, first);
    let second = document_json(&heatmap_ready("heatmap.png", 10), &analysis_ready(), "null");
    assert_eq!(document_view(&server, &id).await, second);
}

#[tokio::test]
async fn document_without_heatmap_and_analysis_answers_null_for_them() {
    let server = start_frozen().await;
    let body = json!({"generate_heatmap": false, "generate_analysis_details": false});
    let id = detect(&server, "x_ai.png", fixture("plain.png"), body).await;
    server.advance("live", "PT0.3S").await;
    let no_analysis = r#""analysis_results_status":null,"analysis_results":null"#;
    let expected = document_json(NO_HEATMAP, no_analysis, "null");
    for _ in 0..2 {
        assert_eq!(document_view(&server, &id).await, expected);
        server.advance("live", "PT10S").await;
    }
}

#[tokio::test]
async fn analysis_default_setting_decides_documents_without_the_field() {
    let server = start_frozen_with(|config| config.undetectable.analysis_default = false).await;
    let finish = |body| finish_document(&server, "x_ai.png", fixture("plain.png"), body);
    let by_default = &finish(json!({})).await["result_details"];
    assert_eq!(by_default["analysis_results_status"], Value::Null);
    let requested = &finish(json!({"generate_analysis_details": true})).await["result_details"];
    assert_eq!(requested["analysis_results_status"], "ready");
}

#[tokio::test]
async fn singular_analysis_setting_adds_fields_with_older_names() {
    let server = start_frozen_with(|config| config.undetectable.singular_analysis = true).await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), json!({})).await;
    server.advance("live", "PT1S").await;
    let analysis_fields = |status: &str, analysis: &str| {
        format!(
            r#""analysis_results_status":"{status}","analysis_results":{analysis},"analysis_result_status":"{status}","analysis_result":{analysis}"#
        )
    };
    let first = document_json(HEATMAP_PENDING, &analysis_fields("pending", "null"), "null");
    assert_eq!(document_view(&server, &id).await, first);
    let second = document_json(
        &heatmap_ready("heatmap.png", 1),
        &analysis_fields("ready", ANALYSIS),
        "null",
    );
    assert_eq!(document_view(&server, &id).await, second);
}

#[tokio::test]
async fn heatmap_and_preview_of_each_style_can_be_downloaded() {
    let server = start_frozen().await;
    for (style, media_type) in [
        (json!({}), "image/png"),
        (json!({"generate_heatmap_normalized": true}), "image/png"),
        (json!({"generate_heatmap_overlayed": true}), "image/png"),
    ] {
        let mut body = style.clone();
        body["generate_preview"] = json!(true);
        let document = finish_document(&server, "x_ai.png", fixture("plain.png"), body).await;
        for (url, media_type, magic) in [
            (
                &document["result_details"]["heatmap_url"],
                media_type,
                &b"\x89PNG"[..],
            ),
            (&document["preview_url"], "image/jpeg", b"\xff\xd8\xff"),
        ] {
            let url = url
                .as_str()
                .unwrap_or_else(|| panic!("{style}: {document}"));
            let response = server.send(Method::GET, url, &[], "").await;
            assert_eq!(
                (response.status, response.header("content-type")),
                (200, media_type)
            );
            assert!(response.bytes.starts_with(magic), "{style}");
        }
    }
}

#[tokio::test]
async fn failed_document_answers_its_error_and_costs_a_credit() {
    let server = start_frozen().await;
    let failed = |message: &str| {
        format!(
            r#"{{"id":"{{id}}","status":"failed","result":null,"result_details":{{"is_valid":false,"error_message":"{message}"}}}}"#
        )
    };
    let with_suffix = detect(&server, "x_fail.jpg", picture(), json!({})).await;
    let truncated = detect(&server, "torn.jpg", fixture("truncated.jpg"), json!({})).await;
    server.advance("live", "PT0.3S").await;
    let suffix_error = "x_fail.jpg: forced failure (file name suffix _fail)";
    assert_eq!(
        document_view(&server, &with_suffix).await,
        failed(suffix_error)
    );
    let document = query(&server, &truncated).await.json();
    let message = document["result_details"]["error_message"]
        .as_str()
        .expect("a message");
    assert!(!message.is_empty());
    assert_eq!(document_view(&server, &truncated).await, failed(message));
    let credits_left = r#"{"baseCredits":9998,"boostCredits":1000,"credits":10998}"#;
    assert_eq!(credits(&server, "live").await, credits_left);
}

#[tokio::test]
async fn expired_document_answers_result_without_images() {
    let server = start_frozen().await;
    let body = json!({"generate_preview": true});
    let id = detect(&server, "x_ai.png", fixture("plain.png"), body).await;
    server.advance("live", "P8D").await;
    let expected = document_json(NO_HEATMAP, &analysis_ready(), "null");
    assert_eq!(document_view(&server, &id).await, expected);
}

#[tokio::test]
async fn query_unknown_id_answers_null() {
    let server = start_frozen().await;
    for id in [
        json!("0f0e0d0c-0b0a-4908-8706-050403020100"),
        json!("x"),
        json!(""),
        json!(7),
    ] {
        let response = post(&server, "/query", &json!({"id": id, "key": "ignored"})).await;
        assert_eq!((response.status, response.text().as_str()), (200, "null"));
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (bizmori_order, _) = server.create_detection("live", &body).await;
    assert_eq!(query(&server, &bizmori_order).await.text(), "null");
}

#[tokio::test]
async fn reset_of_account_deletes_documents_and_restarts_ids() {
    let server = start_frozen().await;
    let file_path = |slot: &Value| slot["file_path"].as_str().map(str::to_owned);
    let first_path = file_path(&presign(&server, "live", "a.jpg").await);
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "live"}))
        .await;
    assert_eq!(query(&server, &id).await.text(), "null");
    server.freeze("live").await;
    let second_path = file_path(&presign(&server, "live", "a.jpg").await);
    assert_eq!(second_path, first_path);
    assert_eq!(detect(&server, "x_ai.jpg", picture(), json!({})).await, id);
}

#[tokio::test]
async fn query_counts_as_request_of_the_account_that_owns_the_document() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    let request_number = |response: &crate::support::TestResponse| {
        response
            .header("x-mock-request")
            .parse::<u64>()
            .expect("a number")
    };
    let before = request_number(&get(&server, "live", "/check-user-credits").await);
    assert_eq!(request_number(&query(&server, &id).await), before + 1);
}

#[tokio::test]
async fn detect_with_id_of_client_uses_it_in_any_case_and_only_once() {
    let server = start_frozen().await;
    let id = "0f0e0d0c-0b0a-4908-8706-05040302010a";
    let path = upload(&server, "live", "x_ai.jpg", picture()).await;
    let body = json!({"key": "live", "url": path, "id": id.to_uppercase()});
    let response = post(&server, "/detect", &body).await;
    let expected = format!(r#"{{"id":"{id}","status":"pending"}}"#);
    assert_eq!((response.status, response.text()), (200, expected));
    assert_eq!(document_view(&server, id).await, PENDING);
    assert_eq!(query(&server, &id.to_uppercase()).await.json()["id"], id);
    let repeated = post(&server, "/detect", &body).await;
    let expected = (
        400,
        r#"{"error":"Document ID already exists"}"#.to_owned(),
        "id: a document has it already".to_owned(),
    );
    assert_eq!(repeated.error_of(), expected);
    let credits_left = r#"{"baseCredits":9999,"boostCredits":1000,"credits":10999}"#;
    assert_eq!(credits(&server, "live").await, credits_left);
}
