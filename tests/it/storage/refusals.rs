//! Who is not let in, and what they are told.

use super::*;

fn assert_s3_error(status: u16, code: &str, why: &'static str) -> (u16, String, &'static str) {
    (status, code.to_owned(), why)
}

#[tokio::test]
async fn a_request_without_a_signature_is_access_denied() {
    let door = StorageFixture::open().await;
    let response = door.call("GET", "/_s3/bizmori/k", "", b"").await;
    let why = "signature: missing in the query; use the presigned URL with all its parameters";
    assert_eq!(
        response.error_of(),
        assert_s3_error(403, "AccessDenied", why)
    );
    assert!(
        response
            .text()
            .contains("<Message>Access Denied</Message><Key>k</Key>")
    );
}

#[tokio::test]
async fn an_expired_url_tells_when_by_the_account_s_clock() {
    let door = StorageFixture::open().await;
    let target = door.target(&door.plan("GET", &door.key));
    door.stunt.advance(ACCOUNT, "PT634.5S").await;
    let response = door.call("GET", &target, "", b"").await;
    let why = "expired 35 s ago by the account's clock";
    assert_eq!(
        response.error_of(),
        assert_s3_error(403, "AccessDenied", why)
    );
    let message = format!(
        "<Message>Request has expired</Message><Key>{}</Key><X-Amz-Expires>600</X-Amz-Expires>\
         <Expires>2026-03-12T10:10:00Z</Expires><ServerTime>2026-03-12T10:10:34Z</ServerTime>",
        door.key
    );
    assert!(response.text().contains(&message), "{}", response.text());
    let target = door.target(&PresignParams {
        now: t0().plus_ms(634_500 + 901_000),
        ..door.plan("GET", &door.key)
    });
    let response = door.call("GET", &target, "", b"").await;
    let why = "signed 901 s ahead of the account's clock";
    assert_eq!(
        response.error_of(),
        assert_s3_error(403, "AccessDenied", why)
    );
    assert!(response.text().contains("Request is not yet valid"));
}

#[tokio::test]
async fn a_signature_of_something_else_shows_what_we_signed() {
    let door = StorageFixture::open().await;
    let target = door.target(&PresignParams {
        content_type: Some("image/png"),
        now: t0(),
        ..door.plan("PUT", &door.key)
    });
    let response = door
        .call("PUT", &target, "Content-Type: image/jpeg\r\n", b"x")
        .await;
    let why = "signature: Content-Type was signed as image/png, sent image/jpeg";
    assert_eq!(
        response.error_of(),
        assert_s3_error(403, "SignatureDoesNotMatch", why)
    );
    let text = response.text();
    let canonical = format!(
        "content-type:image/jpeg\nhost:{}\n\ncontent-type;host\nUNSIGNED-PAYLOAD</CanonicalRequest>",
        door.at
    );
    assert!(text.contains("<CanonicalRequest>PUT\n/_s3/bizmori/ai-detection/"));
    assert!(text.contains(&canonical), "{text}");
    assert!(text.contains("<StringToSign>AWS4-HMAC-SHA256\n20260312T100000Z\n20260312/us-east-1"));
    let fits = door
        .call("PUT", &target, "Content-Type: image/png\r\n", b"x")
        .await;
    assert_eq!(fits.status, 200);
}

#[tokio::test]
async fn a_url_works_at_any_host_and_with_strict_host_at_its_own_only() {
    for strict in [false, true] {
        let door = StorageFixture::open_with(strict).await;
        let target = door.upload_url.replace("http://made.for:8080", "");
        let response = door.call("PUT", &target, "", b"x").await;
        if strict {
            let (status, code, why) = response.error_of();
            assert_eq!((status, code.as_str()), (403, "SignatureDoesNotMatch"));
            let made_for = "signature: made for the host made.for:8080, arrived at 127.0.0.1";
            assert!(why.starts_with(made_for), "{why}");
            assert_eq!(door.put(&door.key, "", b"x").await.status, 200);
        } else {
            assert_eq!(response.status, 200);
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_after_the_signature() {
    let door = StorageFixture::open().await;
    let response = door.get(&door.key, "").await;
    let why = "key: no such object in bucket bizmori: not uploaded, or deleted";
    assert_eq!(response.error_of(), assert_s3_error(404, "NoSuchKey", why));
    let key = format!("<Key>{}</Key>", door.key);
    assert!(response.text().contains(&key));
    let target = door.target(&PresignParams {
        bucket: "other",
        ..door.plan("GET", &door.key)
    });
    let response = door.call("GET", &target, "", b"").await;
    assert_eq!(
        response.error_of(),
        assert_s3_error(404, "NoSuchBucket", "bucket: other does not exist")
    );
    let target = door.target(&door.plan("HEAD", &door.key));
    let response = door.call("HEAD", &target, "", b"").await;
    assert_eq!((response.status, response.text().as_str()), (404, ""));
    assert!(response.header("x-mock-reason").is_some());
}

#[tokio::test]
async fn a_key_or_path_beyond_s3_s_limits_is_told_so() {
    let door = StorageFixture::open().await;
    let key = "ü".repeat(513);
    let response = door.put(&key, "", b"x").await;
    let why = "key: too long: 1026 bytes, maximum 1024";
    assert_eq!(
        response.error_of(),
        assert_s3_error(400, "KeyTooLongError", why)
    );
    assert_eq!(door.put(&"ü".repeat(512), "", b"x").await.status, 200);
    for path in ["/_s3/bizmori/%ff", "/_s3/bizmori/%zz", "/_s3/bizmori/a%4"] {
        let response = door.call("GET", path, "", b"").await;
        assert_eq!(response.error_of().1, "InvalidURI", "{path}");
    }
}

#[tokio::test]
async fn other_methods_and_requests_are_refused() {
    let door = StorageFixture::open().await;
    for method in ["POST", "DELETE", "PATCH"] {
        let target = door.target(&door.plan(method, &door.key));
        let response = door.call(method, &target, "", b"x").await;
        let (status, code, why) = response.error_of();
        assert_eq!((status, code.as_str()), (405, "MethodNotAllowed"));
        assert_eq!(
            why,
            format!("method: {method} is not supported; use GET, HEAD, PUT, OPTIONS")
        );
        assert_eq!(response.header("allow"), Some("GET, HEAD, PUT, OPTIONS"));
    }
    for path in ["/_s3", "/_s3/", "/_s3/bizmori", "/_s3/bizmori/"] {
        let response = door.call("GET", path, "", b"").await;
        assert_eq!(response.error_of().1, "MethodNotAllowed", "{path}");
    }
    let copied = door
        .put(&door.key, "x-amz-copy-source: /bizmori/k\r\n", b"")
        .await;
    assert_eq!(
        (copied.status, copied.error_of().1.as_str()),
        (501, "NotImplemented")
    );
    let chunked = door
        .put(&door.key, "Content-Encoding: aws-chunked\r\n", b"x")
        .await;
    assert_eq!(chunked.status, 501);
}

#[tokio::test]
async fn an_upload_over_the_limit_is_too_large_told_or_not() {
    let door = StorageFixture::open().await;
    let large = vec![0; 2 * 1024 * 1024 + 1];
    let response = door.put(&door.key, "", &large).await;
    let why = "body: too large: 2097153 bytes or more, maximum 2097152";
    assert_eq!(
        response.error_of(),
        assert_s3_error(400, "EntityTooLarge", why)
    );
    assert!(
        response
            .text()
            .contains("<MaxSizeAllowed>2097152</MaxSizeAllowed>")
    );
    let mut chunked = b"200001\r\n".to_vec();
    chunked.extend_from_slice(&large);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let response = door
        .put(&door.key, "Transfer-Encoding: chunked\r\n", &chunked)
        .await;
    assert_eq!(response.error_of().1, "EntityTooLarge");
    assert_eq!(door.unfinished(), 0);
    assert!(!door.is_received().await);
    assert_eq!(door.put(&door.key, "", &large[1..]).await.status, 200);
}

#[tokio::test]
async fn an_upload_says_how_long_it_is() {
    let door = StorageFixture::open().await;
    let target = door.target(&door.plan("PUT", &door.key));
    let stream = door.begin("PUT", &target, "").await;
    let response = read_answer(stream).await;
    let why = "body: requires Content-Length or Transfer-Encoding: chunked";
    assert_eq!(
        response.error_of(),
        assert_s3_error(411, "MissingContentLength", why)
    );
    let long = format!("Content-Type: image/{}\r\n", "x".repeat(200));
    assert_eq!(door.put(&door.key, &long, b"x").await.status, 200);
}

#[tokio::test]
async fn a_refused_client_reads_its_answer_even_while_it_is_sending() {
    let door = StorageFixture::open().await;
    let body = vec![0; 6_000_000];
    let response = door.call("PUT", "/_s3/bizmori/k", "", &body).await;
    assert_eq!(response.error_of().1, "AccessDenied");

    // one that waits to be told to go on is told not to
    let headers = "Content-Length: 6000000\r\nExpect: 100-continue\r\n";
    let stream = door.begin("PUT", "/_s3/bizmori/k", headers).await;
    assert_eq!(read_answer(stream).await.status, 403);
}
