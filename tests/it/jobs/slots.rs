//! Responses that clients do not read hold their orders back, and nothing else.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{PATIENCE, new};
use crate::support::{TestServer, picture, raw};

/// More than the worker has slots.
const UNREAD: usize = 280;

/// Sends a create whose order starts at once. The response is not read.
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
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it is read");
    stream
}

/// Number of `slow`'s orders in progress.
async fn in_progress(server: &TestServer) -> usize {
    let path = "/_mock/orders?account=slow&limit=1000";
    let listed = server.control(Method::GET, path, &json!({})).await;
    let orders = listed["orders"].as_array().expect("orders");
    let orders = orders.iter().filter(|it| it["status"] == "inProgress");
    orders.count()
}

#[tokio::test]
async fn two_hundred_and_eighty_responses_that_are_not_read_do_not_stop_other_orders() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 0).await;
    // A response that takes minutes is one that is not read.
    let drip = json!({"fault": "drip", "bytesPerSecond": 1});
    let rule =
        json!({"account": "slow", "when": {"operation": "bizmori.createAntiAi"}, "then": drip});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let mut unread = Vec::new();
    for n in 0..UNREAD {
        unread.push(create_unread(&server, n).await);
    }
    let held = async { while in_progress(&server).await < UNREAD {} };
    let held = tokio::time::timeout(PATIENCE, held).await;
    held.expect("all orders are held back");
    let id = server
        .confirm_detection("other", &new("a"), picture())
        .await;
    server.drain("other").await;
    assert_eq!(server.get_order("other", &id).await["status"], "complete");
    assert_eq!(
        in_progress(&server).await,
        UNREAD,
        "they are held back still"
    );
    drop(unread);
}
