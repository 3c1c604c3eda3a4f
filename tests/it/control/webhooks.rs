//! Listing of webhooks, and of the deliveries of one order.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestServer, picture};

async fn get(server: &TestServer, path: &str) -> Value {
    server.control(Method::GET, path, &json!({})).await
}

#[tokio::test]
async fn webhooks_are_listed_with_secret_and_schedule() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("other").await;
    let receiver = Receiver::start().await;
    let (first, secret) = server.webhook("live", &receiver.url).await;
    let (second, _) = server.webhook("other", &receiver.url).await;
    let listed = get(&server, "/_mock/webhooks?account=live").await;
    let mut expected = json!({
        "id": first.parse::<u64>().expect("a number"),
        "account": "live",
        "vendor": "bizmori",
        "name": listed["webhooks"][0]["name"],
        "url": receiver.url,
        "secret": secret,
        "isTest": false,
        "isActive": true,
        "isLegacy": false,
        "signatureHeader": listed["webhooks"][0]["signatureHeader"],
        "retryScheduleMs": [1_000, 2_000, 4_000, 1_800_000, 7_200_000, 14_400_000],
        "createdAt": "2026-03-12T10:00:00.000Z",
        "updatedAt": "2026-03-12T10:00:00.000Z",
        "lastSentAt": null,
    });
    assert_eq!(listed, json!({"webhooks": [expected], "next": null}));
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let message = &receiver.messages(1).await[0];
    let header = expected["signatureHeader"].as_str().expect("a name");
    assert!(message.headers.contains_key(header), "{header}");
    expected["lastSentAt"] = json!("2026-03-12T10:00:00.300Z");
    let listed = get(&server, "/_mock/webhooks?account=live").await;
    assert_eq!(listed, json!({"webhooks": [expected], "next": null}));

    let page = get(&server, "/_mock/webhooks?limit=1").await;
    assert_eq!(page["webhooks"][0]["id"].to_string(), second);
    let next = page["next"].as_str().expect("a cursor");
    let page = get(&server, &format!("/_mock/webhooks?limit=1&after={next}")).await;
    assert_eq!(page, json!({"webhooks": [expected], "next": null}));
    let unknown = json!({"accountKnown": false, "webhooks": [], "next": null});
    assert_eq!(
        get(&server, "/_mock/webhooks?account=nobody").await,
        unknown
    );
}

#[tokio::test]
async fn deliveries_are_filtered_by_order() {
    let server = TestServer::start_frozen("live").await;
    server.freeze("other").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let mut ids = Vec::new();
    for key in ["a", "b"] {
        let body = json!({"idempotencyKey": key, "fileName": "a.jpg"});
        ids.push(server.confirm_detection("live", &body, picture()).await);
    }
    server.advance("live", "PT1S").await;
    let all = get(&server, "/_mock/deliveries?account=live").await;
    let rows = all["deliveries"].as_array().expect("deliveries");
    assert_eq!(rows.len(), 2);
    for (row, id) in rows.iter().zip(&ids) {
        assert_eq!(row["orderId"], **id);
        let expected = json!({"deliveries": [row], "next": null});
        for account in ["", "&account=live"] {
            let path = format!("/_mock/deliveries?orderId={id}{account}");
            assert_eq!(get(&server, &path).await, expected);
        }
    }
    let none = json!({"deliveries": [], "next": null});
    let id = &ids[0];
    let foreign = format!("/_mock/deliveries?orderId={id}&account=other");
    for path in [foreign.as_str(), "/_mock/deliveries?orderId=0"] {
        assert_eq!(get(&server, path).await, none);
    }
}
