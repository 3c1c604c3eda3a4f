//! Unread responses delay the start of their own orders and of no others.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{PATIENCE, order_body};
use crate::support::{TestServer, picture, raw};

/// Number of unread responses. Larger than the number of worker slots.
const UNREAD: usize = 280;

/// Creates an order that starts at once, and does not read the response.
async fn create_unread(server: &TestServer, n: usize) -> TcpStream {
    let url = "http://files.test/a.jpg";
    let files = json!([{"fileName": "a.jpg", "originalFileUrl": url}]);
    let body = json!({"idempotencyKey": n.to_string(), "files": files}).to_string();
    let length = body.len();
    let request = format!(
        "POST /api/v2/orders/anti-ai HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer slow\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads the request");
    stream
}

/// Returns the number of orders of `slow` in progress.
async fn count_in_progress(server: &TestServer) -> usize {
    let path = "/_mock/orders?account=slow&limit=1000";
    let listing = server.control(Method::GET, path, &json!({})).await;
    let orders = listing["orders"].as_array().expect("orders");
    let in_progress = orders.iter().filter(|it| it["status"] == "inProgress");
    in_progress.count()
}

#[tokio::test]
async fn leave_280_responses_unread_does_not_block_other_orders() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    // A drip that takes minutes acts like a response that is not read.
    let drip = json!({"fault": "drip", "bytesPerSecond": 1});
    let rule =
        json!({"account": "slow", "when": {"operation": "bizmori.createAntiAi"}, "then": drip});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let mut unread = Vec::new();
    for n in 0..UNREAD {
        unread.push(create_unread(&server, n).await);
    }
    let all_created = async { while count_in_progress(&server).await < UNREAD {} };
    tokio::time::timeout(PATIENCE, all_created)
        .await
        .expect("all orders are in progress");
    let id = server
        .confirm_detection("other", &order_body("a"), picture())
        .await;
    server.drain("other").await;
    assert_eq!(server.get_order("other", &id).await["status"], "complete");
    assert_eq!(
        count_in_progress(&server).await,
        UNREAD,
        "no order with an unread response has ended"
    );
    drop(unread);
}
