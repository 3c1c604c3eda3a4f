//! Lifecycle of bulks, and the items of their responses.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ZipEntry, bulk_view, create_bulk, credits, finish_bulk, item_fields, query, query_bulk,
    start_frozen, start_frozen_with,
};
use crate::support::{TestServer, fixture, picture, zip};

const UNKNOWN: &str =
    r#"["No Information Detected","Could not find anything from ExifTool and Pillow metadata"]"#;
const NO_OCR: &str = r#"["OCR did not detect AI",0.0]"#;
const SKIPPED: &str = r#"[{"filename":"notes.txt","reason":"Unsupported image type"}]"#;

fn six_entries() -> Vec<u8> {
    zip(&[
        ZipEntry::new("one_ai.png", &fixture("plain.png")),
        ZipEntry::new("notes.txt", &picture()),
        ZipEntry::stored("folder/two_human.jpg", &picture()),
        ZipEntry::new("three_grok.jpg", &picture()),
        ZipEntry::new("four.jpg", &fixture("photo.jpg")),
        ZipEntry::stored("five.jpg", &fixture("truncated.jpg")),
    ])
}

fn unfinished_json(status: &str) -> String {
    format!(r#"{{"id":"{{id}}","status":"{status}","result":null,"items":[],"skipped":{SKIPPED}}}"#)
}

fn done_json() -> String {
    let error = |name: &str, message: &str| {
        format!(
            r#"{{"filename":"{name}","result":null,"final_result":null,"confidence":null,"detection_step":null,"metadata":null,"ocr":null,"ml_model":null,"error":"{message}"}}"#
        )
    };
    let items = [
        format!(
            r#"{{"filename":"one_ai.png","result":98.0,"final_result":"AI Generated","confidence":98.0,"detection_step":3,"metadata":{UNKNOWN},"ocr":{NO_OCR},"ml_model":["AI Generated",98.0],"error":null}}"#
        ),
        format!(
            r#"{{"filename":"folder/two_human.jpg","result":2.0,"final_result":"Real","confidence":2.0,"detection_step":3,"metadata":{UNKNOWN},"ocr":null,"ml_model":["Real",2.0],"error":null}}"#
        ),
        format!(
            r#"{{"filename":"three_grok.jpg","result":0.0,"final_result":"Grok","confidence":99.0,"detection_step":2,"metadata":{UNKNOWN},"ocr":["Grok",99.0],"ml_model":null,"error":null}}"#
        ),
        r#"{"filename":"four.jpg","result":4.0,"final_result":"Real","confidence":4.0,"detection_step":1,"metadata":["Not AI Generated","No AI indicators found"],"ocr":null,"ml_model":null,"error":null}"#
            .to_owned(),
        error("five.jpg", "the JPEG is truncated"),
    ]
    .join(",");
    format!(
        r#"{{"id":"{{id}}","status":"done","result":26.0,"items":[{items}],"skipped":{SKIPPED}}}"#
    )
}

#[tokio::test]
async fn bulk_from_pending_to_done_answers_items_in_order_of_zip() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "some.zip", six_entries(), 5).await;
    let credits_left = r#"{"baseCredits":9995,"boostCredits":1000,"credits":10995}"#;
    assert_eq!(credits(&server, "live").await, credits_left);
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("pending"));
    server.advance("live", "PT0.1S").await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("analyzing"));
    server.advance("live", "PT0.199S").await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("analyzing"));
    assert_eq!(server.advance("live", "PT0.001S").await, ["order.process"]);
    for _ in 0..2 {
        assert_eq!(bulk_view(&server, &id).await, done_json());
    }
    let outcome = "one_ai.png: result 98 by suffix _ai; folder/two_human.jpg: result 2 by suffix _human; three_grok.jpg: result 0 by suffix _grok; four.jpg: result 4 by metadata";
    for response in [
        query_bulk(&server, &id.to_uppercase()).await,
        query(&server, &id).await,
    ] {
        assert_eq!(response.header("x-mock-outcome"), outcome);
    }
    assert_eq!(credits(&server, "live").await, credits_left);
    server.advance("live", "P8D").await;
    assert_eq!(bulk_view(&server, &id).await, done_json());
}

#[tokio::test]
async fn query_of_bulk_as_document_answers_status_and_mean() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "some.zip", six_entries(), 5).await;
    for (by, status, result, details, more) in [
        ("PT0S", "pending", "null", "null", ""),
        ("PT0.1S", "analyzing", "null", "true", ""),
        ("PT0.2S", "done", "26.0", "true", r#","preview_url":null"#),
        ("P8D", "done", "26.0", "true", r#","preview_url":null"#),
    ] {
        server.advance("live", by).await;
        let expected = format!(
            r#"{{"id":"{id}","status":"{status}","result":{result},"result_details":{{"is_valid":{details}}}{more}}}"#
        );
        assert_eq!(query(&server, &id).await.text(), expected);
    }
}

#[tokio::test]
async fn bulk_item_has_same_result_as_document_of_same_file() {
    let server = start_frozen().await;
    for name in [
        "plain.png",
        "plain.webp",
        "plain.bmp",
        "plain.tiff",
        "plain.gif",
        "bench.jpg",
        "parameters.png",
        "editor.jpg",
    ] {
        let bytes = fixture(name);
        let response_body = finish_bulk(&server, &[ZipEntry::new(name, &bytes)], 1).await;
        let item = &response_body["items"][0];
        let document = super::super::finish_document(&server, name, bytes, json!({})).await;
        assert_eq!(item["result"], document["result"], "{name}");
        assert_eq!(response_body["result"], document["result"], "{name}");
        for field in [
            "final_result",
            "confidence",
            "detection_step",
            "metadata",
            "ocr",
            "ml_model",
        ] {
            let details = &document["result_details"];
            assert_eq!(item[field], details[field], "{name} {field}");
        }
    }
}

#[tokio::test]
async fn bulk_item_that_cannot_be_processed_has_its_own_error() {
    let server = start_frozen().await;
    let response_body = finish_bulk(
        &server,
        &[
            ZipEntry::new("a_fail.jpg", &picture()),
            ZipEntry::new("b.png", &picture()),
            ZipEntry::new("c.jpg", &[b' '; 2_000]),
            ZipEntry::new("d.jpg", b"PK\x03\x04".repeat(300).as_slice()),
            ZipEntry::new("e.png", &fixture("bomb.png")),
            ZipEntry::new("f_ai.jpg", &[b' '; 2_000]),
        ],
        6,
    )
    .await;
    let too_large = &response_body["items"][4]["error"];
    assert!(
        too_large
            .as_str()
            .is_some_and(|line| line.contains("pixels")),
        "{too_large}"
    );
    let invalid = "Invalid file type";
    let failed = "a_fail.jpg: forced failure (file name suffix _fail)";
    let expected = json!([failed, invalid, invalid, invalid, too_large, null]);
    assert_eq!(item_fields(&response_body, "error"), expected);
    let results = json!([null, null, null, null, null, 98.0]);
    assert_eq!(item_fields(&response_body, "result"), results);
    assert_eq!(response_body["result"], 98.0);
}

#[tokio::test]
async fn bulk_without_valid_items_is_done_without_mean() {
    let server = start_frozen().await;
    let id = create_bulk(
        &server,
        "a.zip",
        zip(&[ZipEntry::new("a_fail.jpg", &picture())]),
        1,
    )
    .await;
    server.advance("live", "PT1S").await;
    let response = query_bulk(&server, &id).await;
    assert_eq!(
        (&response.json()["status"], &response.json()["result"]),
        (&json!("done"), &Value::Null)
    );
    assert!(response.headers.get("x-mock-outcome").is_none());
    assert_eq!(query(&server, &id).await.json()["status"], "done");
}

#[tokio::test]
async fn bulk_of_zip_with_fail_suffix_fails_and_costs_credits() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "some_fail.zip", six_entries(), 5).await;
    server.advance("live", "PT1S").await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("failed"));
    let expected = format!(
        r#"{{"id":"{id}","status":"failed","result":null,"result_details":{{"is_valid":false,"error_message":"some_fail.zip: forced failure (file name suffix _fail)"}}}}"#
    );
    assert_eq!(query(&server, &id).await.text(), expected);
    let credits_left = r#"{"baseCredits":9995,"boostCredits":1000,"credits":10995}"#;
    assert_eq!(credits(&server, "live").await, credits_left);
}

#[tokio::test]
async fn bulk_with_two_entries_of_one_name_answers_two_items() {
    let server = start_frozen().await;
    let entries = [
        ZipEntry::new("a.jpg", &fixture("photo.jpg")),
        ZipEntry::new("a.jpg", &fixture("editor.jpg")),
    ];
    let response_body = finish_bulk(&server, &entries, 2).await;
    assert_eq!(
        item_fields(&response_body, "filename"),
        json!(["a.jpg", "a.jpg"])
    );
    assert_eq!(item_fields(&response_body, "result"), json!([4.0, 3.82]));
    assert_eq!(response_body["result"], 3.91);
}

#[tokio::test]
async fn bulk_with_bypass_ocr_setting_ignores_watermark_suffix() {
    let server = start_frozen_with(|config| config.undetectable.bypass_ocr = true).await;
    let entry = ZipEntry::new("plain_grok.png", &fixture("plain.png"));
    let response_body = finish_bulk(&server, &[entry], 1).await;
    assert_eq!(
        item_fields(&response_body, "result"),
        json!([68.845_240_087_595_27])
    );
}

#[tokio::test]
async fn bulk_in_progress_is_completed_after_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    server.freeze("live").await;
    let id = create_bulk(&server, "some.zip", six_entries(), 5).await;
    server.advance("live", "PT0.1S").await;
    server.stop().await;
    let restarted = start().await;
    assert_eq!(
        bulk_view(&restarted, &id).await,
        unfinished_json("analyzing")
    );
    assert_eq!(restarted.advance("live", "PT0.2S").await, ["order.process"]);
    assert_eq!(bulk_view(&restarted, &id).await, done_json());
}

#[tokio::test]
async fn reset_of_account_deletes_its_bulks() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "some.zip", six_entries(), 5).await;
    let body = json!({"account": "live"});
    server.control(Method::POST, "/_mock/reset", &body).await;
    assert_eq!(bulk_view(&server, &id).await, "null");
    assert_eq!(query(&server, &id).await.text(), "null");
}

#[tokio::test]
async fn zip_of_expired_bulk_is_deleted_and_result_remains() {
    let server = start_frozen().await;
    let path = super::upload(&server, "live", "some.zip", six_entries()).await;
    let body = json!({"key": "live", "url": path});
    let request_bulk = || super::post(&server, "/bulk-upload", &body);
    let queued = request_bulk().await.json();
    let id = queued["id"].as_str().expect("an id");
    server.advance("live", "P8D").await;
    assert_eq!(bulk_view(&server, id).await, done_json());
    assert_eq!(request_bulk().await.status, 500);
}

#[tokio::test]
async fn document_whose_upload_expired_with_earlier_document_fails() {
    let server = start_frozen().await;
    for (name, bytes, path, query_path) in [
        (
            "some.zip",
            six_entries(),
            "/bulk-upload",
            "/bulk-upload/query",
        ),
        ("plain.png", fixture("plain.png"), "/detect", "/query"),
    ] {
        let url = super::upload(&server, "live", name, bytes).await;
        let body = json!({"key": "live", "url": url});
        super::post(&server, path, &body).await;
        server.advance("live", "P6DT23H59M59.9S").await;
        let late = super::post(&server, path, &body).await.json();
        assert_eq!(late["status"], "pending", "{late}");
        let executed = server.advance("live", "PT1S").await;
        assert_eq!(executed, ["order.expire", "order.process"], "{name}");
        let id = json!({"id": late["id"]});
        let document = super::post(&server, query_path, &id).await.json();
        assert_eq!(document["status"], "failed", "{document}");
        server.advance("live", "P8D").await;
    }
}

#[tokio::test]
async fn bulk_is_absent_from_orders_and_statistics_of_bizmori() {
    let server = start_frozen().await;
    create_bulk(&server, "some.zip", six_entries(), 5).await;
    let listing = server.get("live", "/api/v2/orders").await.json();
    assert_eq!(listing["data"]["orders"], json!([]), "{listing}");
    let response = server.get("live", "/api/v2/orders/stats/recent").await;
    let stats = response.json();
    let days = stats["data"]["dailyStats"].as_array().expect("days");
    assert!(
        !days.is_empty() && days.iter().all(|day| day["usageCount"] == 0),
        "{stats}"
    );
}

#[tokio::test]
async fn bulk_failed_manually_fails_with_all_items() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "some.zip", six_entries(), 5).await;
    let path = format!("/_mock/orders/{id}/fail");
    let failed = server
        .control(reqwest::Method::POST, &path, &json!({}))
        .await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert_eq!(failed["failure"]["message"], "failed manually");
    let response_body = query_bulk(&server, &id).await.json();
    assert_eq!(
        (&response_body["status"], &response_body["items"]),
        (&json!("failed"), &json!([]))
    );
    assert!(
        server.advance("live", "PT1H").await.is_empty(),
        "no work is left"
    );
}
