//! Uploads that are truncated, not allowed or not decodable.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{ANTI_AI, CONFIRM_ANTI_AI, CONFIRM_DETECTION};
use crate::support::{TestResponse, TestServer, code, fixture, picture, raw};

/// Returns the status, the S3 code and the reason of an error.
fn s3_error_of(response: &TestResponse) -> (u16, String, String) {
    let text = response.text();
    let (_, rest) = text.split_once("<Code>").unwrap_or_default();
    let (code, _) = rest.split_once("</Code>").unwrap_or_default();
    assert_eq!(response.header("content-type"), "application/xml");
    (
        response.status,
        code.to_owned(),
        response.header("x-mock-reason").to_owned(),
    )
}

/// Asserts that the order waits for its file, and completes it.
async fn assert_waits_and_complete(server: &TestServer, id: &str, url: &str) {
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = server.post("live", CONFIRM_DETECTION, &confirm).await;
    let reason = format!("order {id} is pending: 0 of 1 files uploaded");
    refused.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &reason);
    server.put(url, picture()).await;
    server.confirm("live", id).await;
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", id).await["status"], "complete");
}

#[tokio::test]
async fn truncated_upload_leaves_order_waiting() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let path = url.trim_start_matches(server.origin.as_str());
    for (headers, body) in [
        ("Content-Length: 100000", picture()),
        (
            "Transfer-Encoding: chunked",
            b"5\r\nhello\r\n6\r\n wor".to_vec(),
        ),
    ] {
        let head = format!("PUT {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n");
        let mut stream = raw::connect(&server.origin).await;
        let request = [head.as_bytes(), &body].concat();
        let written = stream.write_all(&request).await;
        written.expect("the request is sent");
        stream.shutdown().await.expect("the connection ends");
        let response = raw::read_response(stream).await;
        assert_eq!(
            (response.status, s3_error_of(&response).1.as_str()),
            (400, "IncompleteBody")
        );
    }
    assert_waits_and_complete(&server, &id, &url).await;
}

#[tokio::test]
async fn upload_unlike_signed_request_leaves_order_waiting() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let other_body = json!({"idempotencyKey": "b", "fileName": "a_ai.jpg"});
    let (other, _) = server.create_detection("live", &other_body).await;
    let (bare, signature) = url.split_once("&X-Amz-Signature=").expect("a signature");
    let forged = format!("{bare}&X-Amz-Signature={}", "0".repeat(64));
    let truncated = format!("{bare}&X-Amz-Signature={}", &signature[..63]);
    let unsigned = bare.split_once('?').expect("a query").0;
    let mismatch = "SignatureDoesNotMatch";
    for (method, url, code) in [
        (Method::PUT, forged.as_str(), mismatch),
        (Method::PUT, &truncated, mismatch),
        (Method::GET, &url, mismatch),
        (Method::HEAD, &url, ""),
        (Method::DELETE, &url, "MethodNotAllowed"),
        (Method::POST, &url, "MethodNotAllowed"),
        (Method::PUT, &url.replace(&id, &other), mismatch),
        (Method::PUT, &url.replace("/a_ai.jpg", "/b.jpg"), mismatch),
        (
            Method::PUT,
            &url.replace("Expires=600", "Expires=601"),
            mismatch,
        ),
        (
            Method::PUT,
            &url.replace("20260312", "20260313"),
            "AccessDenied",
        ),
        (
            Method::PUT,
            &url.replace("20260312T100000", "20260312T095900"),
            mismatch,
        ),
        (
            Method::PUT,
            &url.replace("ACCESSKEY", "OTHERKEY"),
            "InvalidAccessKeyId",
        ),
        (Method::PUT, &format!("{url}&x=y"), mismatch),
        (Method::PUT, unsigned, "AccessDenied"),
        (Method::PUT, bare, "AuthorizationQueryParametersError"),
        (
            Method::PUT,
            &url.replace("Expires=600", "Expires=604801"),
            "AuthorizationQueryParametersError",
        ),
    ] {
        let response = server.send(method.clone(), url, &[], picture()).await;
        let (status, actual_code, reason) = s3_error_of(&response);
        let expected = match code {
            "MethodNotAllowed" => 405,
            "AuthorizationQueryParametersError" => 400,
            _ => 403,
        };
        let actual = (status, actual_code.as_str());
        assert_eq!(actual, (expected, code), "{method} {url}");
        assert!(!reason.is_empty(), "{method} {url}");
    }
    assert_waits_and_complete(&server, &id, &url).await;
}

#[tokio::test]
async fn upload_url_expires_after_ten_minutes_by_account_clock() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let (in_time, other) = server
        .create_detection("live", &json!({"idempotencyKey": "b", "fileName": "b.jpg"}))
        .await;
    server.advance("live", "PT599S").await;
    server.put(&other, picture()).await;
    server.confirm("live", &in_time).await;
    server.advance("live", "PT2S").await;
    let late = server.send(Method::PUT, &url, &[], picture()).await;
    let reason = "expired 1 s ago by the account's clock".to_owned();
    assert_eq!(s3_error_of(&late), (403, "AccessDenied".to_owned(), reason));
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = server.post("live", CONFIRM_DETECTION, &confirm).await;
    assert_eq!(refused.text(), code("ORDER_FILE_NOT_UPLOADED"));
    let repeated = server.post("live", super::DETECTION, &body).await.json();
    let new_url = repeated["data"]["file"]["uploadUrl"].as_str();
    assert_eq!(repeated["data"]["orderId"], json!(id));
    assert_waits_and_complete(&server, &id, new_url.expect("a URL")).await;
}

#[tokio::test]
async fn one_invalid_file_fails_its_order_and_no_later_order() {
    let server = TestServer::start_frozen("live").await;
    for fixture_name in ["truncated.jpg", "not-a-picture.jpg", "bomb.png", ""] {
        let (name, bytes) = match fixture_name {
            "" => ("empty.jpg", Vec::new()),
            name => (name, fixture(name)),
        };
        let files = json!([{"fileName": "a.jpg"}, {"fileName": name}]);
        let body = json!({"idempotencyKey": name, "files": files});
        let created = server.post("live", ANTI_AI, &body).await.json();
        let id = created["data"]["orderId"].as_str().expect("an id");
        for (n, bytes) in [picture(), bytes].into_iter().enumerate() {
            let url = created["data"]["files"][n]["uploadUrl"].as_str();
            let length = bytes.len().to_string();
            let headers = [("content-length", length.as_str())];
            let put = server.send(Method::PUT, url.expect("a URL"), &headers, bytes);
            assert_eq!(put.await.status, 200);
        }
        let confirm = json!({"idempotencyKey": "c", "orderId": id});
        let confirmed = server.post("live", CONFIRM_ANTI_AI, &confirm).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text());
        assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
        let order = server.get_order("live", id).await;
        assert_eq!(order["status"], "failed", "{name}: {order}");
        assert!(
            order["errors"]
                .as_str()
                .is_some_and(|line| line.contains(name)),
            "{order}"
        );
        assert_eq!(order["thumbnailImageUrl"], Value::Null);
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn test_upload_is_accepted_with_valid_token_within_one_hour_up_to_50_mebibytes() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection(key, &body).await;
    let (text, signature) = url.rsplit_once('.').expect("a token");
    let invalid_token = "the token is not one of ours";
    for url in [
        format!("{text}.{}", "0".repeat(64)),
        format!("{text}."),
        text.to_owned(),
        url.replace(&format!("{id}.0."), &format!("{id}.1.")),
        format!("{text}0.{signature}"),
    ] {
        let response = server.send(Method::PUT, &url, &[], "x").await;
        response.assert_refused(403, "AUTH_FORBIDDEN", invalid_token);
    }
    let large = server
        .send(Method::PUT, &url, &[], vec![0; 50 * 1024 * 1024 + 1])
        .await;
    let reason = "the body is larger than 52428800 bytes";
    large.assert_refused(413, "TEST_UPLOAD_TOO_LARGE", reason);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = server.post(key, CONFIRM_DETECTION, &confirm).await;
    assert_eq!(refused.text(), code("ORDER_FILE_NOT_UPLOADED"));
    server.put(&url, vec![0; 50 * 1024 * 1024]).await;
    server.advance(key, "PT1H").await;
    server.put(&url, Vec::new()).await;
    server.advance(key, "PT0.001S").await;
    let late = server.send(Method::PUT, &url, &[], "x").await;
    let reason = "the token has expired by the account's clock";
    late.assert_refused(403, "AUTH_FORBIDDEN", reason);
    server.confirm(key, &id).await;
    server.advance(key, "PT5S").await;
    assert_eq!(server.get_order(key, &id).await["status"], "complete");
}
