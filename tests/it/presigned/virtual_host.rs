//! Virtual-hosted style: the host names the bucket.

use reqwest::Method;
use serde_json::json;

use super::signed_url::{SignedUrl, send_to};
use super::{assert_refused, freeze, frozen, get, put};
use crate::support::{TestResponse, TestServer, raw};

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

/// A request without a signature.
async fn unsigned(
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
    let written = tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await;
    written.expect("it is read");
    raw::read_response(stream).await
}

#[tokio::test]
async fn object_is_put_and_read_by_the_host_of_its_bucket() {
    let server = frozen().await;
    for (path, key) in [
        ("/a.jpg", "a.jpg"),
        ("/my%20own/%C3%BC%2B%25.png", "my own/ü+%.png"),
        ("/a//b", "a//b"),
    ] {
        let done = request("PUT", path, "hello").send(&server).await;
        assert_eq!((done.status, done.text()), (200, String::new()), "{path}");
        assert_eq!(done.header("x-amz-request-id").len(), 16);
        let got = request("GET", path, "").send(&server).await;
        assert_eq!(
            (got.status, got.text()),
            (200, "hello".to_owned()),
            "{path}"
        );
        let head = request("HEAD", path, "").send(&server).await;
        assert_eq!((head.status, head.text()), (200, String::new()), "{path}");
        assert_eq!(head.header("content-length"), "5");
        // It is the object of path style.
        assert_eq!(get(&server, key, &[]).await.text(), "hello", "{key}");
        put(&server, key, &[], "other").await;
        let got = request("GET", path, "").send(&server).await;
        assert_eq!(got.text(), "other", "{path}");
    }
    let missing = request("GET", "/none", "").send(&server).await;
    let elements = "<Message>The specified key does not exist.</Message><Key>none</Key>";
    let reason = "key: no such object in bucket bizmori: not uploaded, or deleted";
    assert_refused(&missing, 404, "NoSuchKey", elements, reason);
}

#[tokio::test]
async fn every_bucket_has_hosts_in_any_domain_and_case() {
    let server = frozen().await;
    for host in [
        "bizmori.localhost",
        "BizMori.LocalHost:80",
        "bizmori.s3.us-east-1.amazonaws.com",
        "bizmori.mock.test.:8080",
        "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        "ai-image-detector-dev.nyc3.digitaloceanspaces.com:8443",
    ] {
        let done = SignedUrl {
            host,
            ..request("PUT", "/k", host)
        };
        let done = done.send(&server).await;
        assert_eq!((done.status, done.text()), (200, String::new()), "{host}");
    }
    assert_eq!(
        get(&server, "k", &[]).await.text(),
        "bizmori.mock.test.:8080"
    );
    // One store behind both names.
    let got = SignedUrl {
        host: "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        ..request("GET", "/k", "")
    };
    let last = "ai-image-detector-dev.nyc3.digitaloceanspaces.com:8443";
    assert_eq!(got.send(&server).await.text(), last);
}

#[tokio::test]
async fn signature_is_judged_over_the_path_as_it_was_sent() {
    let server = TestServer::with_config(|config| config.strict_host = true).await;
    freeze(&server).await;
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
    // The path of the other style was not signed.
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
async fn url_of_path_style_works_at_the_host_of_a_bucket() {
    let server = frozen().await;
    for bucket in ["bizmori", "ai-image-detector-dev"] {
        let path = format!("/_s3/{bucket}/k");
        let done = request("PUT", &path, bucket).send(&server).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let got = request("GET", &path, "").send(&server).await;
        assert_eq!(got.text(), bucket);
    }
    // A client whose endpoint is `http://localhost:8080/_s3`, in virtual-hosted style.
    let done = request("PUT", "/_s3/own/k.png", "own").send(&server).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(get(&server, "own/k.png", &[]).await.text(), "own");
}

#[tokio::test]
async fn routes_of_other_apis_are_keys_at_the_host_of_a_bucket() {
    let server = frozen().await;
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
        let done = request("PUT", path, path).send(&server).await;
        assert_eq!((done.status, done.text()), (200, String::new()), "{path}");
        let got = request("GET", path, "").send(&server).await;
        assert_eq!((got.status, got.text()), (200, path.to_owned()));
        assert_eq!(got.header("content-security-policy"), "sandbox", "{path}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
        let refused = unsigned(&server, "GET", HOST, path, "").await;
        assert_eq!(refused.status, 403, "{path}");
        let key = &path[1..];
        let reason = format!(
            "signature: missing in the query; use the presigned URL with all its parameters; \
             the host {HOST} names the bucket bizmori, {path} the key"
        );
        let elements = format!("<Message>Access Denied</Message><Key>{key}</Key>");
        assert_refused(&refused, 403, "AccessDenied", &elements, &reason);
        assert_eq!(refused.header("content-security-policy"), "sandbox");
    }
    let posted = unsigned(&server, "POST", HOST, "/detect", "").await;
    let elements = "<Message>The specified method is not allowed against this resource.</Message><Key>detect</Key><Method>POST</Method><ResourceType>OBJECT</ResourceType>";
    let reason = format!(
        "method: POST is not supported; use GET, HEAD, PUT, OPTIONS; the host {HOST} names the \
         bucket bizmori, /detect the key"
    );
    assert_refused(&posted, 405, "MethodNotAllowed", elements, &reason);
    let root = unsigned(&server, "GET", HOST, "/", "").await;
    assert_eq!(root.status, 405, "{}", root.text());
    assert!(root.text().contains("<ResourceType>BUCKET</ResourceType>"));
}

#[tokio::test]
async fn host_of_one_label_or_of_another_name_is_no_bucket() {
    let server = frozen().await;
    for host in [
        "bizmori",
        "bizmori:8080",
        "localhost",
        "api.bizmori.com",
        "x.bizmori.localhost",
        "bizmori-x.localhost",
    ] {
        let health = unsigned(&server, "GET", host, "/health", "").await;
        assert_eq!(health.status, 200, "{host}: {}", health.text());
        assert_eq!(health.header("content-type"), "application/json", "{host}");
    }
}

#[tokio::test]
async fn control_plane_is_no_object_at_any_host_and_keeps_its_checks() {
    let server = frozen().await;
    let health = unsigned(&server, "GET", HOST, "/_mock/health", "").await;
    assert_eq!(
        (health.status, health.json()["status"].take()),
        (200, json!("ok"))
    );
    let signed = request("PUT", "/_mock/reset", "x").send(&server).await;
    assert_eq!(signed.header("content-type"), "application/json");
    let code = signed.json()["error"]["code"].take();
    assert_eq!((signed.status, code), (404, json!("unknown_route")));
    let page = "Sec-Fetch-Site: cross-site\r\n";
    let refused = unsigned(&server, "POST", HOST, "/_mock/reset", page).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].take()),
        (403, json!("cross_origin"))
    );
    let rebound = "bizmori.evil.example";
    for path in ["/_mock/reset", "/_mock/health"] {
        let refused = unsigned(&server, "POST", rebound, path, "").await;
        let code = refused.json()["error"]["code"].take();
        assert_eq!(
            (refused.status, code),
            (421, json!("unknown_host")),
            "{path}"
        );
    }
    // No other spelling of the path is the control plane, but a key like any other.
    for path in ["/%5Fmock/health", "//_mock/health", "/x/../_mock/health"] {
        let refused = unsigned(&server, "GET", HOST, path, "").await;
        assert_eq!(refused.header("content-type"), "application/xml", "{path}");
        assert_eq!(refused.status, 403, "{path}");
    }
    // In path style, such a key is an object at every host.
    put(&server, "_mock/health", &[], "object").await;
    assert_eq!(get(&server, "_mock/health", &[]).await.text(), "object");
}

#[tokio::test]
async fn browsers_of_any_origin_may_call_by_the_host_of_a_bucket() {
    let server = frozen().await;
    let page = "Origin: http://app.test\r\nAccess-Control-Request-Method: PUT\r\n";
    let preflight = unsigned(&server, "OPTIONS", HOST, "/detect", page).await;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        "GET,HEAD,PUT"
    );
    let put = SignedUrl {
        headers: "Origin: http://app.test\r\n",
        ..request("PUT", "/detect", "x")
    };
    let put = put.send(&server).await;
    assert_eq!(
        (put.status, put.header("access-control-allow-origin")),
        (200, "*")
    );
}

#[tokio::test]
async fn journal_and_rules_see_an_object_in_path_style() {
    let server = frozen().await;
    for method in ["PUT", "GET", "HEAD"] {
        let done = request(method, "/api/v2/orders", "").send(&server).await;
        assert_eq!(done.status, 200, "{method}");
    }
    unsigned(&server, "OPTIONS", HOST, "/api/v2/orders", "").await;
    let stored = server
        .control(Method::GET, "/_mock/requests", &json!({}))
        .await;
    let stored = stored["requests"].as_array().expect("requests");
    let observed: Vec<_> = stored
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
    assert_eq!(observed, operations.map(|it| (Some(it), path)));

    for when in [
        json!({"operation": "storage.put"}),
        json!({"path": "/_s3/bizmori/api/**"}),
    ] {
        let rule = json!({"when": when, "then": {"respond": {"status": 503, "body": "ruled"}}});
        let created = server.control(Method::POST, "/_mock/rules", &rule).await;
        let response = request("PUT", "/api/v2/orders", "x").send(&server).await;
        assert_eq!(
            (response.status, response.text()),
            (503, "ruled".to_owned()),
            "{when}"
        );
        let rule = format!("/_mock/rules/{}", created["id"]);
        server.control(Method::DELETE, &rule, &json!({})).await;
    }
    let of_vendor = json!({
        "when": {"path": "/api/v2/orders"},
        "then": {"respond": {"status": 503}},
    });
    server
        .control(Method::POST, "/_mock/rules", &of_vendor)
        .await;
    let done = request("PUT", "/api/v2/orders", "x").send(&server).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn host_that_a_proxy_forwards_names_the_bucket_if_it_is_trusted() {
    for trusted in [true, false] {
        let server = TestServer::with_config(|config| config.trust_forwarded = trusted).await;
        freeze(&server).await;
        let signed = request("PUT", "/a.jpg", "x");
        let behind = SignedUrl {
            host: "inner:1",
            headers: "X-Forwarded-Host: bizmori.localhost:8080\r\n",
            ..request("PUT", "/a.jpg", "x")
        };
        let done = send_to(&server, &behind, &signed.target()).await;
        let expected = if trusted { 200 } else { 404 };
        assert_eq!(done.status, expected, "{}", done.text());
    }
}

#[tokio::test]
async fn upload_of_an_order_by_the_host_of_its_bucket_is_received() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let (_, rest) = url.split_once("/_s3/bizmori/").expect("a storage URL");
    let (key, _) = rest.split_once('?').expect("a query");
    let path = format!("/{key}");
    let picture = crate::support::picture();
    let signed = SignedUrl {
        body: &picture,
        ..request("PUT", &path, "")
    };
    assert_eq!(signed.send(&server).await.status, 200);
    server.confirm("live", &id).await;
}
