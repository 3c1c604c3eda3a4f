//! Listings of the control plane are read page by page.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestServer};

/// Reads a listing to its end, and returns its pages.
async fn pages(server: &TestServer, path: &str, field: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = format!("{path}{after}");
        let mut listing = server.control(Method::GET, &page, &json!({})).await;
        pages.push(serde_json::from_value(listing[field].take()).expect("a list"));
        assert!(pages.len() < 100, "{path} has no end");
        let Some(next) = listing["next"].as_str() else {
            assert_eq!(listing["next"], Value::Null);
            return pages;
        };
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        after = format!("&after={next}");
    }
}

/// One field of each entry, page by page.
fn fields(pages: &[Vec<Value>], field: &str) -> Value {
    let page = |page: &Vec<Value>| page.iter().map(|it| it[field].clone()).collect::<Value>();
    pages.iter().map(page).collect()
}

#[tokio::test]
async fn list_accounts_by_pages_answers_each_once_by_key() {
    let server = TestServer::start().await;
    for key in ["c", "a b&", "é", "b", "a"] {
        let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        let path = format!("/_mock/accounts/{}", key.replace('+', "%20"));
        server.control(Method::PUT, &path, &json!({})).await;
    }
    let read = pages(&server, "/_mock/accounts?limit=2", "accounts").await;
    assert_eq!(
        fields(&read, "key"),
        json!([["a", "a b&"], ["b", "c"], ["é"]])
    );
    let read = pages(&server, "/_mock/accounts?limit=5", "accounts").await;
    assert_eq!(fields(&read, "key"), json!([["a", "a b&", "b", "c", "é"]]));
    let read = pages(&server, "/_mock/accounts?account=b", "accounts").await;
    assert_eq!(fields(&read, "key"), json!([["b"]]));
}

#[tokio::test]
async fn list_rules_by_pages_answers_each_once_after_deleting_the_cursor() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for delay in 1..=5 {
        let rule = json!({"then": {"delayMs": delay}});
        let created = server.control(Method::POST, "/_mock/rules", &rule).await;
        ids.push(created["id"].as_i64().expect("an id"));
    }
    let read = pages(&server, "/_mock/rules?limit=2", "rules").await;
    let expected = json!([ids[..2], ids[2..4], ids[4..]]);
    assert_eq!(fields(&read, "id"), expected);
    let removed = format!("/_mock/rules/{}", ids[1]);
    server.control(Method::DELETE, &removed, &json!({})).await;
    let path = format!("/_mock/rules?limit=9&after={}", ids[1]);
    let read = pages(&server, &path, "rules").await;
    assert_eq!(fields(&read, "id"), json!([ids[2..]]));
}

#[tokio::test]
async fn list_orders_by_pages_answers_newest_pages_first() {
    let server = TestServer::start().await;
    let make = async |key: &str, number: u32| {
        let name = format!("{number}.jpg");
        let body = json!({"idempotencyKey": name, "fileName": name});
        server.create_detection(key, &body).await;
    };
    for number in 1..=5 {
        make("live", number).await;
        make("other", number).await;
    }
    let path = "/_mock/orders?account=live&limit=2";
    let first = server.control(Method::GET, path, &json!({})).await;
    // Entries that come meanwhile are on none of the pages that follow.
    make("live", 6).await;
    let after = first["next"].as_str().expect("a cursor");
    let rest = pages(&server, &format!("{path}&after={after}"), "orders").await;
    let first: Vec<Value> = serde_json::from_value(first["orders"].clone()).expect("a list");
    let read = [vec![first], rest].concat();
    let names = [[["4.jpg"], ["5.jpg"]], [["2.jpg"], ["3.jpg"]]];
    let mut expected = json!(names);
    expected
        .as_array_mut()
        .expect("a list")
        .push(json!([["1.jpg"]]));
    assert_eq!(fields(&read, "fileNames"), expected);
    let all = pages(&server, "/_mock/orders?limit=4", "orders").await;
    let sizes: Vec<_> = all.iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 4, 3]);
}

#[tokio::test]
async fn list_orders_beyond_the_read_batch_answers_each_once() {
    let server = TestServer::start().await;
    for number in 1..=70 {
        let name = format!("{number}.jpg");
        let body = json!({"idempotencyKey": name, "fileName": name});
        server.create_detection("live", &body).await;
    }
    let read = pages(&server, "/_mock/orders?limit=1000", "orders").await;
    let expected: Vec<_> = (1..=70).map(|number| [format!("{number}.jpg")]).collect();
    assert_eq!(fields(&read, "fileNames"), json!([expected]));
}

#[tokio::test]
async fn list_deliveries_by_pages_and_filters_answers_each_once() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    for number in 1..=5 {
        let name = format!("{number}_ai.jpg");
        let body = json!({"idempotencyKey": name, "fileName": name});
        server
            .confirm_detection("live", &body, crate::support::picture())
            .await;
        server.advance("live", "PT1S").await;
    }
    let whole = pages(&server, "/_mock/deliveries?limit=1000", "deliveries")
        .await
        .concat();
    assert_eq!(whole.len(), 5);
    for query in [
        "?limit=2".to_owned(),
        "?limit=2&account=live".to_owned(),
        format!("?limit=2&webhookId={webhook}"),
        "?limit=2&eventType=order.aiDetection.completed".to_owned(),
    ] {
        let read = pages(&server, &format!("/_mock/deliveries{query}"), "deliveries").await;
        assert_eq!(read, [&whole[3..], &whole[1..3], &whole[..1]], "{query}");
    }
}

#[tokio::test]
async fn list_with_invalid_page_is_refused() {
    let server = TestServer::start().await;
    for (path, message) in [
        ("/_mock/orders?after=x", "after: x is no cursor"),
        ("/_mock/deliveries?after=", "after:  is no cursor"),
        ("/_mock/rules?after=1.5", "after: 1.5 is no cursor"),
        ("/_mock/accounts?limit=0", "limit: 0 is no such number"),
        ("/_mock/rules?limit=1001", "limit: 1001 is no such number"),
        (
            "/_mock/deliveries?webhookId=x",
            "webhookId: x is no such number",
        ),
    ] {
        let response = server.send(Method::GET, path, &[], "").await;
        let error = response.json()["error"].take();
        assert_eq!(
            (response.status, &error["code"]),
            (400, &json!("bad_query")),
            "{path}"
        );
        assert_eq!(error["message"], message, "{path}");
    }
}
