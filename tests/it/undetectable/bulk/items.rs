//! A bulk's way, from queued to done and past its retention, and what its items say.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ZipEntry, bulk, bulk_view, credits, finish_bulk, frozen_with, of_items, query, query_bulk,
    start_frozen,
};
use crate::support::{TestServer, fixture, picture, zip};

const UNKNOWN: &str =
    r#"["No Information Detected","Could not find anything from ExifTool and Pillow metadata"]"#;
const NO_OCR: &str = r#"["OCR did not detect AI",0.0]"#;
const SKIPPED: &str = r#"[{"filename":"notes.txt","reason":"Unsupported image type"}]"#;

fn some() -> Vec<u8> {
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
    let error = |name: &str, line: &str| {
        format!(
            r#"{{"filename":"{name}","result":null,"final_result":null,"confidence":null,"detection_step":null,"metadata":null,"ocr":null,"ml_model":null,"error":"{line}"}}"#
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
async fn a_bulk_goes_from_pending_through_analyzing_to_done_with_its_items_in_the_zips_order() {
    let server = start_frozen().await;
    let id = bulk(&server, "some.zip", some(), 5).await;
    let left = r#"{"baseCredits":9995,"boostCredits":1000,"credits":10995}"#;
    assert_eq!(credits(&server, "live").await, left);
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("pending"));
    server.advance("live", "PT0.1S").await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("analyzing"));
    server.advance("live", "PT0.199S").await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("analyzing"));
    assert_eq!(server.advance("live", "PT0.001S").await, ["order.process"]);
    for _ in 0..2 {
        assert_eq!(bulk_view(&server, &id).await, done_json());
    }
    let plan = "one_ai.png: result 98 by suffix _ai; folder/two_human.jpg: result 2 by suffix _human; three_grok.jpg: result 0 by suffix _grok; four.jpg: result 4 by metadata";
    for response in [
        query_bulk(&server, &id.to_uppercase()).await,
        query(&server, &id).await,
    ] {
        assert_eq!(response.header("x-mock-outcome"), plan);
    }
    assert_eq!(credits(&server, "live").await, left);
    server.advance("live", "P8D").await;
    assert_eq!(bulk_view(&server, &id).await, done_json());
}

#[tokio::test]
async fn a_query_of_a_bulk_tells_its_status_and_its_mean() {
    let server = start_frozen().await;
    let id = bulk(&server, "some.zip", some(), 5).await;
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
async fn an_item_says_what_a_document_of_its_picture_does() {
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
async fn what_is_wrong_with_a_picture_is_its_own_items_error() {
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
    assert_eq!(of_items(&response_body, "error"), expected);
    let results = json!([null, null, null, null, null, 98.0]);
    assert_eq!(of_items(&response_body, "result"), results);
    assert_eq!(response_body["result"], 98.0);
}

#[tokio::test]
async fn of_pictures_none_of_which_can_be_judged_there_is_no_mean() {
    let server = start_frozen().await;
    let id = bulk(
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
async fn a_zip_that_is_named_so_fails_whole_and_costs_its_credits() {
    let server = start_frozen().await;
    let id = bulk(&server, "some_fail.zip", some(), 5).await;
    server.advance("live", "PT1S").await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("failed"));
    let expected = format!(
        r#"{{"id":"{id}","status":"failed","result":null,"result_details":{{"is_valid":false,"error_message":"some_fail.zip: forced failure (file name suffix _fail)"}}}}"#
    );
    assert_eq!(query(&server, &id).await.text(), expected);
    let left = r#"{"baseCredits":9995,"boostCredits":1000,"credits":10995}"#;
    assert_eq!(credits(&server, "live").await, left);
}

#[tokio::test]
async fn two_pictures_of_a_name_are_two() {
    let server = start_frozen().await;
    let entries = [
        ZipEntry::new("a.jpg", &fixture("photo.jpg")),
        ZipEntry::new("a.jpg", &fixture("editor.jpg")),
    ];
    let response_body = finish_bulk(&server, &entries, 2).await;
    assert_eq!(
        of_items(&response_body, "filename"),
        json!(["a.jpg", "a.jpg"])
    );
    assert_eq!(of_items(&response_body, "result"), json!([4.0, 3.82]));
    assert_eq!(response_body["result"], 3.91);
}

#[tokio::test]
async fn watermarks_are_left_out_where_it_is_set_so() {
    let server = frozen_with(|config| config.undetectable.bypass_ocr = true).await;
    let entry = ZipEntry::new("plain_grok.png", &fixture("plain.png"));
    let response_body = finish_bulk(&server, &[entry], 1).await;
    assert_eq!(
        of_items(&response_body, "result"),
        json!([68.845_240_087_595_27])
    );
}

#[tokio::test]
async fn a_bulk_under_way_goes_on_after_a_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let on = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = on().await;
    server.freeze("live").await;
    let id = bulk(&server, "some.zip", some(), 5).await;
    server.advance("live", "PT0.1S").await;
    server.stop().await;
    let server = on().await;
    assert_eq!(bulk_view(&server, &id).await, unfinished_json("analyzing"));
    assert_eq!(server.advance("live", "PT0.2S").await, ["order.process"]);
    assert_eq!(bulk_view(&server, &id).await, done_json());
}

#[tokio::test]
async fn a_bulk_is_gone_with_its_account() {
    let server = start_frozen().await;
    let id = bulk(&server, "some.zip", some(), 5).await;
    let body = json!({"account": "live"});
    server.control(Method::POST, "/_mock/reset", &body).await;
    assert_eq!(bulk_view(&server, &id).await, "null");
    assert_eq!(query(&server, &id).await.text(), "null");
}

#[tokio::test]
async fn the_zip_is_gone_past_its_retention() {
    let server = start_frozen().await;
    let path = super::upload(&server, "live", "some.zip", some()).await;
    let body = json!({"key": "live", "url": path});
    let ask = || super::post(&server, "/bulk-upload", &body);
    let id = ask().await.json()["id"].clone();
    let id = id.as_str().expect("an id");
    server.advance("live", "P8D").await;
    assert_eq!(bulk_view(&server, id).await, done_json());
    assert_eq!(ask().await.status, 500);
}

#[tokio::test]
async fn what_is_left_of_an_upload_that_went_with_an_earlier_document_fails_and_is_done() {
    let server = start_frozen().await;
    for (name, bytes, ask, how) in [
        ("some.zip", some(), "/bulk-upload", "/bulk-upload/query"),
        ("plain.png", fixture("plain.png"), "/detect", "/query"),
    ] {
        let path = super::upload(&server, "live", name, bytes).await;
        let body = json!({"key": "live", "url": path});
        super::post(&server, ask, &body).await;
        server.advance("live", "P6DT23H59M59.9S").await;
        let late = super::post(&server, ask, &body).await.json();
        assert_eq!(late["status"], "pending", "{late}");
        let ran = server.advance("live", "PT1S").await;
        assert_eq!(ran, ["order.expire", "order.process"], "{name}");
        let id = json!({"id": late["id"]});
        let response_body = super::post(&server, how, &id).await.json();
        assert_eq!(response_body["status"], "failed", "{response_body}");
        server.advance("live", "P8D").await;
    }
}

#[tokio::test]
async fn a_bulk_is_none_of_bizmoris_orders_whatever_they_are_listed_for() {
    let server = start_frozen().await;
    bulk(&server, "some.zip", some(), 5).await;
    let listed = server.get("live", "/api/v2/orders").await.json();
    assert_eq!(listed["data"]["orders"], json!([]), "{listed}");
    let stats = server.get("live", "/api/v2/orders/stats/recent").await;
    let stats = stats.json();
    let days = stats["data"]["dailyStats"].as_array().expect("days");
    assert!(
        !days.is_empty() && days.iter().all(|day| day["usageCount"] == 0),
        "{stats}"
    );
}

#[tokio::test]
async fn a_bulk_that_is_failed_by_hand_fails_whole() {
    let server = start_frozen().await;
    let id = bulk(&server, "some.zip", some(), 5).await;
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
        "nothing is left to do"
    );
}
