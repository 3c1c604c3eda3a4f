//! How much a bulk may be, and what it costs.

use reqwest::Method;
use serde_json::json;

use super::{ZipEntry, bulk, credits, error, query_bulk, queue_bulk, start_frozen};
use crate::support::{picture, zip};

const ZIP_BYTES_MAX: usize = 100 * 1024 * 1024;

fn pictures(count: usize) -> Vec<ZipEntry> {
    let jpeg = picture();
    let name = |n: usize| format!("{n}_ai.jpg");
    (0..count).map(|n| ZipEntry::new(&name(n), &jpeg)).collect()
}

#[tokio::test]
async fn fifty_images_are_taken_and_no_more() {
    let server = start_frozen().await;
    let id = bulk(&server, "a.zip", zip(&pictures(50)), 50).await;
    server.advance("live", "PT1S").await;
    let response_body = query_bulk(&server, &id).await.json();
    assert_eq!(response_body["items"].as_array().map(Vec::len), Some(50));
    assert_eq!(response_body["result"], 98.0);
    let response = queue_bulk(&server, "a.zip", zip(&pictures(51))).await;
    let why = "a.zip: too many images: 51, maximum 50";
    assert_eq!(response.error_of(), error(400, "Too many files", why));
    let left = r#"{"baseCredits":9950,"boostCredits":1000,"credits":10950}"#;
    assert_eq!(credits(&server, "live").await, left);
}

#[tokio::test]
async fn so_many_entries_are_looked_through_and_no_more() {
    let server = start_frozen().await;
    let of = |others: usize| {
        let mut entries = pictures(1);
        entries.resize(others + 1, ZipEntry::stored("a.txt", b""));
        zip(&entries)
    };
    let id = bulk(&server, "a.zip", of(999), 1).await;
    let response_body = query_bulk(&server, &id).await.json();
    assert_eq!(response_body["skipped"].as_array().map(Vec::len), Some(999));
    let response = queue_bulk(&server, "a.zip", of(1_000)).await;
    let why = "a.zip: more than 1000 entries";
    assert_eq!(response.error_of(), error(400, "Too many files", why));
}

#[tokio::test]
async fn a_zip_of_100_megabytes_is_taken_and_no_larger() {
    let server = start_frozen().await;
    let of = |bytes: usize| {
        let zip = zip(&pictures(1));
        let mut behind = vec![0; bytes - zip.len()];
        behind.extend(zip);
        behind
    };
    let id = bulk(&server, "a.zip", of(ZIP_BYTES_MAX), 1).await;
    server.advance("live", "PT1S").await;
    assert_eq!(query_bulk(&server, &id).await.json()["result"], 98.0);
    let response = queue_bulk(&server, "a.zip", of(ZIP_BYTES_MAX + 1)).await;
    let why = "a.zip: too large: 104857601 bytes, maximum 104857600";
    assert_eq!(response.error_of(), error(400, "ZIP file too large", why));
}

#[tokio::test]
async fn each_queued_image_costs_a_credit_and_too_few_buy_none() {
    let server = start_frozen().await;
    let set = json!({"credits": 3});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    let mut entries = pictures(4);
    entries.push(ZipEntry::new("a.txt", b"costs nothing"));
    let response = queue_bulk(&server, "a.zip", zip(&entries)).await;
    let why = "credits: 4 needed, 3 left";
    assert_eq!(response.error_of(), error(403, "Not enough credits", why));
    let of = |left: u8| format!(r#"{{"baseCredits":{left},"boostCredits":0,"credits":{left}}}"#);
    assert_eq!(credits(&server, "live").await, of(3));
    bulk(&server, "a.zip", zip(&entries[1..]), 3).await;
    assert_eq!(credits(&server, "live").await, of(0));
}
