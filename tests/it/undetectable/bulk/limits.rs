//! Limits and cost of bulks.

use reqwest::Method;
use serde_json::json;

use super::{ZipEntry, create_bulk, credits, expected_error, query_bulk, queue_bulk, start_frozen};
use crate::support::{picture, zip};

const ZIP_BYTES_MAX: usize = 100 * 1024 * 1024;

fn jpeg_entries(count: usize) -> Vec<ZipEntry> {
    let jpeg = picture();
    let name = |n: usize| format!("{n}_ai.jpg");
    (0..count).map(|n| ZipEntry::new(&name(n), &jpeg)).collect()
}

#[tokio::test]
async fn bulk_of_fifty_images_is_accepted_and_of_more_refused() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "a.zip", zip(&jpeg_entries(50)), 50).await;
    server.advance("live", "PT1S").await;
    let response_body = query_bulk(&server, &id).await.json();
    assert_eq!(response_body["items"].as_array().map(Vec::len), Some(50));
    assert_eq!(response_body["result"], 98.0);
    let response = queue_bulk(&server, "a.zip", zip(&jpeg_entries(51))).await;
    let reason = "a.zip: 51 images, 50 at most are taken";
    assert_eq!(
        response.error_of(),
        expected_error(400, "Too many files", reason)
    );
    let credits_left = r#"{"baseCredits":9950,"boostCredits":1000,"credits":10950}"#;
    assert_eq!(credits(&server, "live").await, credits_left);
}

#[tokio::test]
async fn bulk_of_1000_entries_is_accepted_and_of_more_refused() {
    let server = start_frozen().await;
    let zip_with = |others: usize| {
        let mut entries = jpeg_entries(1);
        entries.resize(others + 1, ZipEntry::stored("a.txt", b""));
        zip(&entries)
    };
    let id = create_bulk(&server, "a.zip", zip_with(999), 1).await;
    let response_body = query_bulk(&server, &id).await.json();
    assert_eq!(response_body["skipped"].as_array().map(Vec::len), Some(999));
    let response = queue_bulk(&server, "a.zip", zip_with(1_000)).await;
    let reason = "a.zip: more than 1000 entries";
    assert_eq!(
        response.error_of(),
        expected_error(400, "Too many files", reason)
    );
}

#[tokio::test]
async fn bulk_of_zip_of_100_mib_is_accepted_and_of_more_refused() {
    let server = start_frozen().await;
    let zip_of_size = |bytes: usize| {
        let zip = zip(&jpeg_entries(1));
        let mut padded = vec![0; bytes - zip.len()];
        padded.extend(zip);
        padded
    };
    let id = create_bulk(&server, "a.zip", zip_of_size(ZIP_BYTES_MAX), 1).await;
    server.advance("live", "PT1S").await;
    assert_eq!(query_bulk(&server, &id).await.json()["result"], 98.0);
    let response = queue_bulk(&server, "a.zip", zip_of_size(ZIP_BYTES_MAX + 1)).await;
    let reason = "a.zip: 104857601 bytes, 104857600 at most are taken";
    assert_eq!(
        response.error_of(),
        expected_error(400, "ZIP file too large", reason)
    );
}

#[tokio::test]
async fn bulk_costs_one_credit_per_image_and_is_refused_with_too_few() {
    let server = start_frozen().await;
    let settings = json!({"credits": 3});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let mut entries = jpeg_entries(4);
    entries.push(ZipEntry::new("a.txt", b"costs nothing"));
    let response = queue_bulk(&server, "a.zip", zip(&entries)).await;
    let reason = "credits: 4 needed, 3 left";
    assert_eq!(
        response.error_of(),
        expected_error(403, "Not enough credits", reason)
    );
    let base_credits =
        |left: u8| format!(r#"{{"baseCredits":{left},"boostCredits":0,"credits":{left}}}"#);
    assert_eq!(credits(&server, "live").await, base_credits(3));
    create_bulk(&server, "a.zip", zip(&entries[1..]), 3).await;
    assert_eq!(credits(&server, "live").await, base_credits(0));
}
