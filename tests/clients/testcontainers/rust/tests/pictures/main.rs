//! Tests of `Pictures` with both vendors. All tests run in parallel, each with its own key.

mod account;
mod stuntdouble;

use account::Account;
use pictures::Verdict;
use serde_json::json;

const PHOTO: &[u8] = include_bytes!("../../../../../../fixtures/photo.jpg");

#[tokio::test]
async fn protect_returns_another_jpeg() {
    let account = Account::new().await;
    let result = account.pictures.protect("photo.jpg", PHOTO).await;
    let protected = result.expect("a protected picture");
    assert!(protected.starts_with(b"\xff\xd8\xff"));
    assert_ne!(protected, PHOTO);
    assert_eq!(account.statuses("storage.*").await, [200, 200]);
}

#[tokio::test]
async fn judge_returns_the_verdict() {
    let account = Account::new().await;
    // The clock jumps to whatever is due next, so the test does not wait.
    account.mock("PUT", "clock", json!({"mode": "jump"})).await;
    for (name, label, percent) in [
        ("photo_ai.jpg", "AI Generated", 98.0),
        ("photo.jpg", "Real", 4.0),
    ] {
        let verdict = account.pictures.judge(name, PHOTO).await.expect("judged");
        let label = label.to_owned();
        assert_eq!(verdict, Verdict { label, percent });
    }
    assert_eq!(account.statuses("undetectable.detect").await, [200, 200]);
}

#[tokio::test]
async fn upload_after_expiry_gets_a_new_url() {
    let (late, punctual) = (Account::new().await, Account::new().await);
    let late_order = late.pictures.order("photo.jpg").await.expect("ordered");
    let punctual_order = punctual.pictures.order("photo.jpg").await.expect("ordered");
    // An hour passes for one key only.
    let hour = json!({"by": "PT61M"});
    late.mock("POST", "clock/advance", hour).await;
    for (account, order) in [(&late, late_order), (&punctual, punctual_order)] {
        let uploaded = account.pictures.upload(&order, PHOTO).await;
        uploaded.expect("uploaded");
    }
    assert_eq!(late.statuses("storage.put").await, [403, 200]);
    assert_eq!(late.statuses("bizmori.refreshUploadUrls").await, [200]);
    assert_eq!(punctual.statuses("storage.put").await, [200]);
    let none: [u64; 0] = [];
    assert_eq!(punctual.statuses("bizmori.refreshUploadUrls").await, none);
}

async fn busy(account: &Account, times: Option<u32>) {
    let rule = json!({
        "times": times,
        "when": {"operation": "bizmori.createAntiAi"},
        "then": {"respond": {"status": 503}},
    });
    account.mock("POST", "rules", rule).await;
}

#[tokio::test]
async fn order_retries_a_vendor_that_is_busy_twice() {
    let account = Account::new().await;
    busy(&account, Some(2)).await;
    account.pictures.order("photo.jpg").await.expect("ordered");
    let statuses = account.statuses("bizmori.createAntiAi").await;
    assert_eq!(statuses, [503, 503, 200]);
}

#[tokio::test]
async fn protect_gives_up_after_three_tries() {
    let account = Account::new().await;
    busy(&account, None).await;
    let result = account.pictures.protect("photo.jpg", PHOTO).await;
    let error = result.expect_err("an error").to_string();
    assert!(error.contains("503"), "{error}");
    assert_eq!(account.statuses("*").await, [503, 503, 503]);
}
