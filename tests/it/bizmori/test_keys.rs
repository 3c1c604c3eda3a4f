//! API keys that begin with `sk_test_`.

use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_ANTI_AI};
use crate::support::{TestServer, code};

#[tokio::test]
async fn orders_of_test_key_take_five_seconds_store_nothing_and_have_no_outputs() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let created = server
        .post(
            key,
            ANTI_AI,
            &json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]}),
        )
        .await
        .json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    let url = created["data"]["files"][0]["uploadUrl"]
        .as_str()
        .expect("a URL");
    assert!(
        url.starts_with(&format!("{}/api/v2/test-uploads/{id}.0.", server.origin)),
        "{url}"
    );
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    assert_eq!(
        server.post(key, CONFIRM_ANTI_AI, &confirm).await.text(),
        code("ORDER_FILE_NOT_UPLOADED")
    );
    server.put(url, b"not an image".to_vec()).await;
    server.post(key, CONFIRM_ANTI_AI, &confirm).await;
    assert!(server.advance(key, "PT4.999S").await.is_empty());
    assert_eq!(server.advance(key, "PT0.001S").await, ["order.process"]);
    let refused = server
        .get(key, &format!("/api/v2/orders/{id}/download"))
        .await;
    assert_eq!(
        (refused.status, refused.text()),
        (404, code("PROCESSED_FILE_NOT_FOUND"))
    );

    for (name, probability) in [("a.jpg", 0.02), ("a_ai.jpg", 0.98), ("a_human.jpg", 0.02)] {
        let body =
            json!({"idempotencyKey": name, "fileName": name, "options": {"generateHeatmap": true}});
        let id = server
            .confirm_detection(key, &body, b"anything".to_vec())
            .await;
        server.advance(key, "PT5S").await;
        let detail = server
            .get(key, &format!("/api/v2/orders/{id}"))
            .await
            .json();
        let order = &detail["data"];
        assert_eq!(order["status"], "complete", "{name}");
        assert_eq!(order["probability"], probability, "{name}");
        assert_eq!(order["heatmapUrl"], Value::Null, "{name}");
        assert_eq!(order["originalImageUrl"], Value::Null, "{name}");
    }
    let failed = server
        .confirm_detection(
            key,
            &json!({"idempotencyKey": "f", "fileName": "f_FAIL.jpg"}),
            vec![1],
        )
        .await;
    server.advance(key, "PT5S").await;
    let detail = server
        .get(key, &format!("/api/v2/orders/{failed}"))
        .await
        .json();
    assert_eq!(detail["data"]["status"], "failed");
}
