//! What `Pictures` does with both vendors. All tests run in parallel, each with a key of its own.

mod account;
mod stuntdouble;

use account::Account;
use pictures::Verdict;
use serde_json::json;

const PHOTO: &[u8] = include_bytes!("../../../../../../fixtures/photo.jpg");

#[tokio::test]
async fn a_picture_is_protected() {
    let account = Account::new().await;
    let protected = account.pictures.protect("photo.jpg", PHOTO).await;
    let protected = protected.expect("protected");
    assert!(protected.starts_with(b"\xff\xd8\xff"));
    assert_ne!(protected, PHOTO);
    assert_eq!(account.statuses("storage.*").await, [200, 200]);
}

#[tokio::test]
async fn a_picture_is_judged() {
    let account = Account::new().await;
    // What is due comes at once, in order: nobody waits.
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
async fn an_upload_url_that_expired_is_asked_for_anew() {
    let (late, punctual) = (Account::new().await, Account::new().await);
    let late_order = late.pictures.order("photo.jpg").await.expect("ordered");
    let punctual_order = punctual.pictures.order("photo.jpg").await.expect("ordered");
    // An hour passes for one key, and for no other.
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
async fn a_vendor_that_is_busy_twice_is_asked_three_times() {
    let account = Account::new().await;
    busy(&account, Some(2)).await;
    account.pictures.order("photo.jpg").await.expect("ordered");
    let statuses = account.statuses("bizmori.createAntiAi").await;
    assert_eq!(statuses, [503, 503, 200]);
}

#[tokio::test]
async fn a_vendor_that_stays_busy_is_given_up() {
    let account = Account::new().await;
    busy(&account, None).await;
    let error = account.pictures.protect("photo.jpg", PHOTO).await;
    let error = error.expect_err("given up").to_string();
    assert!(error.contains("503"), "{error}");
    assert_eq!(account.statuses("*").await, [503, 503, 503]);
}
