//! A document's way, from queued to done and past its retention.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    credits, detect, document_view, finish_document, frozen_with, get, link, post, presign, query,
    start_frozen, upload,
};
use crate::support::{fixture, picture};

const PENDING: &str =
    r#"{"id":"{id}","status":"pending","result":null,"result_details":{"is_valid":null}}"#;
const ANALYZING: &str =
    r#"{"id":"{id}","status":"analyzing","result":null,"result_details":{"is_valid":true}}"#;

/// Of `x_ai.png`, which is `plain.png`: what stands before the heatmap, and after the analysis.
const HEAD: &str = r#"{"id":"{id}","status":"done","result":98.0,"result_details":{"is_valid":true,"detection_step":3,"final_result":"AI Generated","confidence":98.0,"final_label_confidence":98.0,"metadata":["No Information Detected","Could not find anything from ExifTool and Pillow metadata"],"metadata_basic_source":null,"ocr":["OCR did not detect AI",0.0],"ml_model":["AI Generated",98.0],"#;
const TAIL: &str = r#""error_message":null,"warnings":[{"type":"screen_recapture","label":"Normal","confidence":100.0,"metrics":{"is_screen":false}}]},"#;
const ANALYSIS: &str = r#"{"imageTags":["colour","texture","single subject","shallow depth","daylight"],"agreement":"strong","confidence":98.0,"keyIndicators":["Texture repeats where it should vary","Edges are smoother than a lens leaves them","Light and shadow disagree in places"],"detailedReasoning":"The picture was judged AI Generated with 98 percent confidence. Fine texture and noise follow the statistics of generated pictures. No trace of a camera's sensor was found in the flat areas.","visualPatterns":["Soft transitions between subject and background","Symmetry in incidental detail"],"recommendations":["Ask the source for the original file","Run a reverse image search","Label the picture as likely made by AI before publishing it"]}"#;

fn document_json(heatmap: &str, analysis: &str, preview: &str) -> String {
    format!(r#"{HEAD}{heatmap},{analysis},{TAIL}"preview_url":{preview}}}"#)
}

const HEATMAP_PENDING: &str = r#""heatmap_status":"pending","heatmap_url":null"#;
const NO_HEATMAP: &str = r#""heatmap_status":null,"heatmap_url":null"#;

fn heatmap_ready(name: &str, second: u8) -> String {
    let url = link(name, second);
    format!(r#""heatmap_status":"ready","heatmap_url":"{url}""#)
}

fn analysis(status: &str) -> String {
    format!(r#""analysis_results_status":"{status}","analysis_results":null"#)
}

fn analysis_ready() -> String {
    format!(r#""analysis_results_status":"ready","analysis_results":{ANALYSIS}"#)
}

#[tokio::test]
async fn a_document_goes_from_pending_through_analyzing_to_done_with_all_that_follows() {
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

    let preview = format!(r#""{}""#, link("preview.jpg", 0));
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
async fn the_first_answer_that_says_done_says_pending_however_late_it_is() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), json!({})).await;
    server.advance("live", "PT10S").await;
    let first = document_json(HEATMAP_PENDING, &analysis("pending"), "null");
    assert_eq!(document_view(&server, &id).await, first);
    let second = document_json(&heatmap_ready("heatmap.png", 10), &analysis_ready(), "null");
    assert_eq!(document_view(&server, &id).await, second);
}

#[tokio::test]
async fn what_is_not_wanted_is_null_from_the_first_answer_on() {
    let server = start_frozen().await;
    let body = json!({"generate_heatmap": false, "generate_analysis_details": false});
    let id = detect(&server, "x_ai.png", fixture("plain.png"), body).await;
    server.advance("live", "PT0.3S").await;
    let none = r#""analysis_results_status":null,"analysis_results":null"#;
    let expected = document_json(NO_HEATMAP, none, "null");
    for _ in 0..2 {
        assert_eq!(document_view(&server, &id).await, expected);
        server.advance("live", "PT10S").await;
    }
}

#[tokio::test]
async fn whether_an_analysis_is_made_unasked_is_a_setting() {
    let server = frozen_with(|config| config.undetectable.analysis_default = false).await;
    let of = |body| finish_document(&server, "x_ai.png", fixture("plain.png"), body);
    let details = &of(json!({})).await["result_details"];
    assert_eq!(details["analysis_results_status"], Value::Null);
    let details = &of(json!({"generate_analysis_details": true})).await["result_details"];
    assert_eq!(details["analysis_results_status"], "ready");
}

#[tokio::test]
async fn the_analysis_has_its_older_names_too_where_it_is_set_so() {
    let server = frozen_with(|config| config.undetectable.singular_analysis = true).await;
    let id = detect(&server, "x_ai.png", fixture("plain.png"), json!({})).await;
    server.advance("live", "PT1S").await;
    let both = |status: &str, analysis: &str| {
        format!(
            r#""analysis_results_status":"{status}","analysis_results":{analysis},"analysis_result_status":"{status}","analysis_result":{analysis}"#
        )
    };
    let first = document_json(HEATMAP_PENDING, &both("pending", "null"), "null");
    assert_eq!(document_view(&server, &id).await, first);
    let second = document_json(
        &heatmap_ready("heatmap.png", 1),
        &both("ready", ANALYSIS),
        "null",
    );
    assert_eq!(document_view(&server, &id).await, second);
}

#[tokio::test]
async fn the_pictures_drawn_are_there_to_be_read() {
    let server = start_frozen().await;
    for (style, media_type) in [
        (json!({}), "image/png"),
        (json!({"generate_heatmap_normalized": true}), "image/png"),
        (json!({"generate_heatmap_overlayed": true}), "image/png"),
    ] {
        let mut body = style.clone();
        body["generate_preview"] = json!(true);
        let document = finish_document(&server, "x_ai.png", fixture("plain.png"), body).await;
        for (url, media_type, begins) in [
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
            assert!(response.bytes.starts_with(begins), "{style}");
        }
    }
}

#[tokio::test]
async fn a_failed_document_says_why_and_costs_its_credit() {
    let server = start_frozen().await;
    let failed = |line: &str| {
        format!(
            r#"{{"id":"{{id}}","status":"failed","result":null,"result_details":{{"is_valid":false,"error_message":"{line}"}}}}"#
        )
    };
    let named = detect(&server, "x_fail.jpg", picture(), json!({})).await;
    let torn = detect(&server, "torn.jpg", fixture("truncated.jpg"), json!({})).await;
    server.advance("live", "PT0.3S").await;
    let line = "x_fail.jpg: forced failure (file name suffix _fail)";
    assert_eq!(document_view(&server, &named).await, failed(line));
    let line = query(&server, &torn).await.json()["result_details"]["error_message"].clone();
    let line = line.as_str().expect("a line");
    assert!(!line.is_empty());
    assert_eq!(document_view(&server, &torn).await, failed(line));
    let left = r#"{"baseCredits":9998,"boostCredits":1000,"credits":10998}"#;
    assert_eq!(credits(&server, "live").await, left);
}

#[tokio::test]
async fn past_its_retention_a_document_is_told_without_its_pictures() {
    let server = start_frozen().await;
    let body = json!({"generate_preview": true});
    let id = detect(&server, "x_ai.png", fixture("plain.png"), body).await;
    server.advance("live", "P8D").await;
    let expected = document_json(NO_HEATMAP, &analysis_ready(), "null");
    assert_eq!(document_view(&server, &id).await, expected);
}

#[tokio::test]
async fn an_id_that_nobody_was_given_is_null() {
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
    let orders = "/api/v2/orders/ai-detection";
    let order = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let order = server.post("live", orders, &order).await.json();
    let id = order["data"]["orderId"].as_str().expect("an id");
    assert_eq!(query(&server, id).await.text(), "null");
}

#[tokio::test]
async fn a_document_is_gone_with_its_account_and_begins_again_with_the_same_ids() {
    let server = start_frozen().await;
    let ids = |place: &Value| place["file_path"].as_str().map(str::to_owned);
    let path = ids(&presign(&server, "live", "a.jpg").await);
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    server
        .control(Method::POST, "/_mock/reset", &json!({"account": "live"}))
        .await;
    assert_eq!(query(&server, &id).await.text(), "null");
    server.freeze("live").await;
    assert_eq!(ids(&presign(&server, "live", "a.jpg").await), path);
    assert_eq!(detect(&server, "x_ai.jpg", picture(), json!({})).await, id);
}

#[tokio::test]
async fn a_query_is_the_accounts_that_owns_the_document() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    let number = |response: &crate::support::TestResponse| {
        response
            .header("x-mock-request")
            .parse::<u64>()
            .expect("a number")
    };
    let before = number(&get(&server, "live", "/check-user-credits").await);
    assert_eq!(number(&query(&server, &id).await), before + 1);
}

#[tokio::test]
async fn an_id_of_the_clients_own_is_the_documents_in_any_spelling() {
    let server = start_frozen().await;
    let id = "0f0e0d0c-0b0a-4908-8706-05040302010a";
    let path = upload(&server, "live", "x_ai.jpg", picture()).await;
    let body = json!({"key": "live", "url": path, "id": id.to_uppercase()});
    let response = post(&server, "/detect", &body).await;
    let expected = format!(r#"{{"id":"{id}","status":"pending"}}"#);
    assert_eq!((response.status, response.text()), (200, expected));
    assert_eq!(document_view(&server, id).await, PENDING);
    assert_eq!(query(&server, &id.to_uppercase()).await.json()["id"], id);
    let response = post(&server, "/detect", &body).await;
    let expected = (
        400,
        r#"{"error":"Document ID already exists"}"#.to_owned(),
        "id: a document has it already".to_owned(),
    );
    assert_eq!(response.error_of(), expected);
    let left = r#"{"baseCredits":9999,"boostCredits":1000,"credits":10999}"#;
    assert_eq!(credits(&server, "live").await, left);
}
