//! Virtual-hosted-style requests, whose host names the bucket.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::signed_url::{SignedUrl, send_to};
use super::{assert_s3_error, freeze_default_clock, get, put, start_frozen};
use crate::support::{TestResponse, TestServer, picture, raw};

const HOST: &str = "bizmori.localhost:8080";

fn request<'a>(method: &'a str, path: &'a str, body: &'a str) -> SignedUrl<'a> {
    SignedUrl {
        method,
        host: HOST,
        path,
        parameters: &[],
        headers: "",
        body: body.as_bytes(),
    }
}

/// Sends a request without a signature.
async fn send_unsigned(
    server: &TestServer,
    method: &str,
    host: &str,
    target: &str,
    headers: &str,
) -> TestResponse {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Length: 0\r\n\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    let written = stream.write_all(head.as_bytes()).await;
    written.expect("the head is sent");
    raw::read_response(stream).await
}

#[tokio::test]
async fn put_then_get_and_head_at_bucket_host_answer_object_of_path_style() {
    let server = start_frozen().await;
    for (path, key) in [
        ("/a.jpg", "a.jpg"),
        ("/my%20own/%C3%BC%2B%25.png", "my own/ü+%.png"),
        ("/a//b", "a//b"),
    ] {
        let stored = request("PUT", path, "hello").send(&server).await;
        assert_eq!(
            (stored.status, stored.text()),
            (200, String::new()),
            "{path}"
        );
        assert_eq!(stored.header("x-amz-request-id").len(), 16);
        let object = request("GET", path, "").send(&server).await;
        assert_eq!(
            (object.status, object.text()),
            (200, "hello".to_owned()),
            "{path}"
        );
        let head = request("HEAD", path, "").send(&server).await;
        assert_eq!((head.status, head.text()), (200, String::new()), "{path}");
        assert_eq!(head.header("content-length"), "5");
        assert_eq!(get(&server, key, &[]).await.text(), "hello", "{key}");
        put(&server, key, &[], "other").await;
        let replaced = request("GET", path, "").send(&server).await;
        assert_eq!(replaced.text(), "other", "{path}");
    }
    let missing = request("GET", "/none", "").send(&server).await;
    let elements = "<Message>The specified key does not exist.</Message><Key>none</Key>";
    let reason = "key: no such object in bucket bizmori: not uploaded, or deleted";
    assert_s3_error(&missing, 404, "NoSuchKey", elements, reason);
}

#[tokio::test]
async fn put_at_host_of_any_bucket_domain_and_case_stores_object() {
    let server = start_frozen().await;
    for host in [
        "bizmori.localhost",
        "BizMori.LocalHost:80",
        "bizmori.s3.us-east-1.amazonaws.com",
        "bizmori.mock.test.:8080",
        "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        "ai-image-detector-dev.nyc3.digitaloceanspaces.com:8443",
    ] {
        let request = SignedUrl {
            host,
            ..request("PUT", "/k", host)
        };
        let stored = request.send(&server).await;
        assert_eq!(
            (stored.status, stored.text()),
            (200, String::new()),
            "{host}"
        );
    }
    assert_eq!(
        get(&server, "k", &[]).await.text(),
        "bizmori.mock.test.:8080"
    );
    // Both buckets of Undetectable AI share their objects.
    let object = SignedUrl {
        host: "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        ..request("GET", "/k", "")
    };
    let last_body = "ai-image-detector-dev.nyc3.digitaloceanspaces.com:8443";
    assert_eq!(object.send(&server).await.text(), last_body);
}

#[tokio::test]
async fn put_with_other_path_or_host_than_signed_answers_signature_does_not_match() {
    let server = TestServer::with_config(|config| config.strict_host = true).await;
    freeze_default_clock(&server).await;
    let signed = request("PUT", "/a.jpg", "x");
    assert_eq!(signed.send(&server).await.status, 200);
    let query = signed.target().replace("/a.jpg", "");
    let refused = send_to(&server, &signed, &format!("/b.jpg{query}")).await;
    assert_eq!(refused.status, 403);
    let text = refused.text();
    assert!(
        text.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{text}"
    );
    assert!(text.contains("<CanonicalRequest>PUT\n/b.jpg\n"), "{text}");
    assert!(text.contains("\nhost:bizmori.localhost:8080\n"), "{text}");
    // The signature does not cover the path-style path.
    let target = format!("/_s3/bizmori/a.jpg{query}");
    assert_eq!(send_to(&server, &signed, &target).await.status, 403);
    let elsewhere = SignedUrl {
        host: "bizmori.mock.test",
        ..request("PUT", "/a.jpg", "x")
    };
    let refused = send_to(&server, &elsewhere, &signed.target()).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[tokio::test]
async fn put_and_get_with_path_style_path_at_bucket_host_use_its_bucket() {
    let server = start_frozen().await;
    for bucket in ["bizmori", "ai-image-detector-dev"] {
        let path = format!("/_s3/{bucket}/k");
        let stored = request("PUT", &path, bucket).send(&server).await;
        assert_eq!(stored.status, 200, "{}", stored.text());
        let object = request("GET", &path, "").send(&server).await;
        assert_eq!(object.text(), bucket);
    }
    // Client with the endpoint `http://localhost:8080/_s3` and virtual-hosted style.
    let stored = request("PUT", "/_s3/own/k.png", "own").send(&server).await;
    assert_eq!(stored.status, 200, "{}", stored.text());
    assert_eq!(get(&server, "own/k.png", &[]).await.text(), "own");
}

#[tokio::test]
async fn paths_of_other_apis_at_bucket_host_are_object_keys() {
    let server = start_frozen().await;
    for path in [
        "/detect",
        "/health",
        "/docs",
        "/openapi.json",
        "/api/v2/orders/ai-detection",
        "/get-presigned-url",
        "/test-uploads/a/b",
        "/_mocked/reset",
    ] {
        let stored = request("PUT", path, path).send(&server).await;
        assert_eq!(
            (stored.status, stored.text()),
            (200, String::new()),
            "{path}"
        );
        let object = request("GET", path, "").send(&server).await;
        assert_eq!((object.status, object.text()), (200, path.to_owned()));
        assert_eq!(
            object.header("content-security-policy"),
            "sandbox",
            "{path}"
        );
        assert_eq!(object.header("x-content-type-options"), "nosniff", "{path}");
        let refused = send_unsigned(&server, "GET", HOST, path, "").await;
        assert_eq!(refused.status, 403, "{path}");
        let key = &path[1..];
        let reason = format!(
            "signature: missing in the query; use the presigned URL with all its parameters; \
             the host {HOST} names the bucket bizmori, {path} the key"
        );
        let elements = format!("<Message>Access Denied</Message><Key>{key}</Key>");
        assert_s3_error(&refused, 403, "AccessDenied", &elements, &reason);
        assert_eq!(refused.header("content-security-policy"), "sandbox");
    }
    let posted = send_unsigned(&server, "POST", HOST, "/detect", "").await;
    let elements = "<Message>The specified method is not allowed against this resource.</Message><Key>detect</Key><Method>POST</Method><ResourceType>OBJECT</ResourceType>";
    let reason = format!(
        "method: POST is not supported; use GET, HEAD, PUT, OPTIONS; the host {HOST} names the \
         bucket bizmori, /detect the key"
    );
    assert_s3_error(&posted, 405, "MethodNotAllowed", elements, &reason);
    let root = send_unsigned(&server, "GET", HOST, "/", "").await;
    assert_eq!(root.status, 405, "{}", root.text());
    assert!(root.text().contains("<ResourceType>BUCKET</ResourceType>"));
}

#[tokio::test]
async fn host_without_bucket_label_serves_other_apis() {
    let server = start_frozen().await;
    for host in [
        "bizmori",
        "bizmori:8080",
        "localhost",
        "api.bizmori.com",
        "x.bizmori.localhost",
        "bizmori-x.localhost",
    ] {
        let health = send_unsigned(&server, "GET", host, "/health", "").await;
        assert_eq!(health.status, 200, "{host}: {}", health.text());
        assert_eq!(health.header("content-type"), "application/json", "{host}");
    }
}

#[tokio::test]
async fn control_plane_path_at_bucket_host_is_never_an_object() {
    let server = start_frozen().await;
    let health = send_unsigned(&server, "GET", HOST, "/_mock/health", "").await;
    assert_eq!(
        (health.status, health.json()["status"].take()),
        (200, json!("ok"))
    );
    let signed = request("PUT", "/_mock/reset", "x").send(&server).await;
    assert_eq!(signed.header("content-type"), "application/json");
    let unknown_route = signed.json()["error"]["code"].take();
    assert_eq!(
        (signed.status, unknown_route),
        (404, json!("unknown_route"))
    );
    let cross_site = "Sec-Fetch-Site: cross-site\r\n";
    let refused = send_unsigned(&server, "POST", HOST, "/_mock/reset", cross_site).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].take()),
        (403, json!("cross_origin"))
    );
    let unknown_host = "bizmori.evil.example";
    for path in ["/_mock/reset", "/_mock/health"] {
        let refused = send_unsigned(&server, "POST", unknown_host, path, "").await;
        let code = refused.json()["error"]["code"].take();
        assert_eq!(
            (refused.status, code),
            (421, json!("unknown_host")),
            "{path}"
        );
    }
    // Other spellings of the path are object keys.
    for path in ["/%5Fmock/health", "//_mock/health", "/x/../_mock/health"] {
        let refused = send_unsigned(&server, "GET", HOST, path, "").await;
        assert_eq!(refused.header("content-type"), "application/xml", "{path}");
        assert_eq!(refused.status, 403, "{path}");
    }
    // In path style, the key is an object at every host.
    put(&server, "_mock/health", &[], "object").await;
    assert_eq!(get(&server, "_mock/health", &[]).await.text(), "object");
}

#[tokio::test]
async fn browser_requests_at_bucket_host_are_allowed_from_any_origin() {
    let server = start_frozen().await;
    let page = "Origin: http://app.test\r\nAccess-Control-Request-Method: PUT\r\n";
    let preflight = send_unsigned(&server, "OPTIONS", HOST, "/detect", page).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        "GET,HEAD,PUT"
    );
    let request = SignedUrl {
        headers: "Origin: http://app.test\r\n",
        ..request("PUT", "/detect", "x")
    };
    let stored = request.send(&server).await;
    assert_eq!(
        (stored.status, stored.header("access-control-allow-origin")),
        (200, "*")
    );
}

#[tokio::test]
async fn journal_and_rules_at_bucket_host_use_path_style_paths() {
    let server = start_frozen().await;
    for method in ["PUT", "GET", "HEAD"] {
        let response = request(method, "/api/v2/orders", "").send(&server).await;
        assert_eq!(response.status, 200, "{method}");
    }
    send_unsigned(&server, "OPTIONS", HOST, "/api/v2/orders", "").await;
    let journal = server
        .control(Method::GET, "/_mock/requests", &json!({}))
        .await;
    let entries = journal["requests"].as_array().expect("requests");
    let operations_and_paths: Vec<_> = entries
        .iter()
        .map(|entry| (entry["operation"].as_str(), entry["path"].as_str()))
        .collect();
    let path = Some("/_s3/bizmori/api/v2/orders");
    let operations = [
        "storage.put",
        "storage.get",
        "storage.head",
        "storage.options",
    ];
    let expected = operations.map(|operation| (Some(operation), path));
    assert_eq!(operations_and_paths, expected);

    for when in [
        json!({"operation": "storage.put"}),
        json!({"path": "/_s3/bizmori/api/**"}),
    ] {
        let then = json!({"respond": {"status": 503, "body": "from a rule"}});
        let rule = json!({"when": when, "then": then});
        let created = server.control(Method::POST, "/_mock/rules", &rule).await;
        let response = request("PUT", "/api/v2/orders", "x").send(&server).await;
        assert_eq!(
            (response.status, response.text()),
            (503, "from a rule".to_owned()),
            "{when}"
        );
        let rule = format!("/_mock/rules/{}", created["id"]);
        server.control(Method::DELETE, &rule, &json!({})).await;
    }
    let rule_on_vendor_path = json!({
        "when": {"path": "/api/v2/orders"},
        "then": {"respond": {"status": 503}},
    });
    server
        .control(Method::POST, "/_mock/rules", &rule_on_vendor_path)
        .await;
    let stored = request("PUT", "/api/v2/orders", "x").send(&server).await;
    assert_eq!(stored.status, 200, "{}", stored.text());
}

#[tokio::test]
async fn forwarded_host_names_the_bucket_only_if_trusted() {
    for trusted in [true, false] {
        let server = TestServer::with_config(|config| config.trust_forwarded = trusted).await;
        freeze_default_clock(&server).await;
        let signed = request("PUT", "/a.jpg", "x");
        let forwarded = SignedUrl {
            host: "inner:1",
            headers: "X-Forwarded-Host: bizmori.localhost:8080\r\n",
            ..request("PUT", "/a.jpg", "x")
        };
        let response = send_to(&server, &forwarded, &signed.target()).await;
        let expected = if trusted { 200 } else { 404 };
        assert_eq!(response.status, expected, "{}", response.text());
    }
}

#[tokio::test]
async fn put_order_file_at_bucket_host_completes_its_upload() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let (_, rest) = url.split_once("/_s3/bizmori/").expect("a storage URL");
    let (key, _) = rest.split_once('?').expect("a query");
    let path = format!("/{key}");
    let picture = picture();
    let signed = SignedUrl {
        body: &picture,
        ..request("PUT", &path, "")
    };
    assert_eq!(signed.send(&server).await.status, 200);
    server.confirm("live", &id).await;
}
