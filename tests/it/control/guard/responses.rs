//! Response headers that keep browsers from running what users and rules supply.

use reqwest::Method;
use reqwest::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use serde_json::json;
use stuntdouble::platform::clock::parse_iso;
use stuntdouble::platform::presign::{PresignParams, Signer};

use super::{EVIL, ask, control_operations, path_of};
use crate::support::{T0, TestResponse, TestServer, picture};

fn all(response: &TestResponse, name: &reqwest::header::HeaderName) -> Vec<String> {
    let values = response.headers.get_all(name).iter();
    values
        .map(|it| it.to_str().expect("ASCII").to_owned())
        .collect()
}

fn assert_policies(response: &TestResponse, policies: &[&str], what: &str) {
    assert_eq!(
        all(response, &X_CONTENT_TYPE_OPTIONS),
        ["nosniff"],
        "{what}"
    );
    assert_eq!(all(response, &CONTENT_SECURITY_POLICY), policies, "{what}");
}

#[tokio::test]
async fn own_pages_are_not_sniffed_and_not_framed() {
    let server = TestServer::start().await;
    let no_frames = "frame-ancestors 'none'";
    for operation in control_operations() {
        let path = path_of(&operation);
        for headers in ["", "Host: evil.com\r\n", "Host: a b\r\n", EVIL] {
            let response = ask(&server, operation.method.as_str(), &path, headers).await;
            assert_policies(&response, &[no_frames], &format!("{path} {headers}"));
        }
    }
    for path in [
        "/docs/start.js",
        "/docs/swagger-ui.css",
        "/docs/nothing",
        "/_mock/nothing",
    ] {
        let response = ask(&server, "GET", path, "").await;
        assert_policies(&response, &[no_frames], path);
    }
    let docs = ask(&server, "GET", "/docs", "").await;
    let policies = all(&docs, &CONTENT_SECURITY_POLICY);
    assert!(policies[0].starts_with("default-src 'none'; script-src 'self'; "));
    assert_policies(&docs, &[&policies[0], no_frames], "/docs");
    let vendor = ask(&server, "GET", "/health", "").await;
    assert!(!vendor.headers.contains_key(CONTENT_SECURITY_POLICY));
}

/// Presigns a HEAD of the object that `url` allows to read.
fn head_url(url: &str, origin: &str) -> String {
    let storage = stuntdouble::settings::Config::defaults().storage;
    let signer = Signer::new(&storage.s3_key_id, &storage.s3_secret, &storage.s3_region);
    let begin = format!("{origin}/_s3/bizmori/");
    let key = url.trim_start_matches(&begin).split('?').next();
    signer.presign(&PresignParams {
        method: "HEAD",
        origin,
        bucket: "bizmori",
        key: key.expect("a key"),
        expires_s: 60,
        now: parse_iso(T0).expect("an instant"),
        content_type: None,
        signed_headers: &[],
        response_content_disposition: None,
    })
}

#[tokio::test]
async fn uploaded_bytes_are_sandboxed_whatever_is_answered() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateHeatmap": true}});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &id).await;
    let url = order["heatmapUrl"].as_str().expect("a URL");
    let path = url.trim_start_matches(&server.origin);
    let head = head_url(url, &server.origin);
    let response = server.send(Method::HEAD, &head, &[], "").await;
    assert_eq!(response.status, 200);
    assert_policies(&response, &["sandbox"], "HEAD");
    for (method, headers, status) in [
        ("GET", "", 200),
        ("HEAD", "", 403),
        ("GET", "Range: bytes=0-9\r\n", 206),
        ("GET", "Range: bytes=999999999-\r\n", 416),
        ("GET", "If-None-Match: *\r\n", 304),
        ("OPTIONS", EVIL, 200),
        ("DELETE", "", 405),
    ] {
        let host = server.origin.trim_start_matches("http://");
        let headers = format!("Host: {host}\r\n{headers}");
        let response = ask(&server, method, path, &headers).await;
        assert_eq!(
            response.status,
            status,
            "{method} {headers} {}",
            response.text()
        );
        assert_policies(&response, &["sandbox"], &format!("{method} {headers}"));
    }
    let unsigned = ask(&server, "GET", "/_s3/bizmori/%3Cscript%3E", "").await;
    assert_policies(&unsigned, &["sandbox"], "unsigned");
    let no_host = ask(&server, "GET", "/_s3/bizmori/a", "Host: a b\r\n").await;
    assert_policies(&no_host, &["sandbox"], "no host");
    let query = "/_mock/requests?operation=storage.get&status=200";
    let stored = server.send(Method::GET, query, &[], "").await.json();
    let headers = &stored["requests"][0]["responseHeaders"];
    assert_eq!(headers["content-security-policy"], "sandbox");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn picture_of_a_document_is_sandboxed() {
    let server = TestServer::start_frozen("live").await;
    let slot = "/get-presigned-url?file_name=a_ai.jpg";
    let slot = server
        .send(Method::GET, slot, &[("apikey", "live")], "")
        .await
        .json();
    server
        .put(slot["presigned_url"].as_str().expect("a URL"), picture())
        .await;
    let url = format!(
        "{}/{}",
        server.origin,
        slot["file_path"].as_str().expect("a path")
    );
    let detect = json!({"key": "live", "url": url, "generate_preview": true}).to_string();
    let headers = [("content-type", "application/json")];
    let created = server
        .send(Method::POST, "/detect", &headers, detect)
        .await
        .json();
    server.advance("live", "PT5S").await;
    let id = created["id"].as_str().expect("an id");
    let key = json!({"key": "live"}).to_string();
    for path in [
        format!("/preview/{id}"),
        format!("/heatmap/{id}"),
        format!("/_s3/ai-image-detector-prod/results/{id}/heatmap.png"),
    ] {
        let response = server
            .send(Method::POST, &path, &headers, key.clone())
            .await;
        assert_eq!(response.status, 200, "{path} {}", response.text());
        assert_policies(&response, &["sandbox"], &path);
    }
}

#[tokio::test]
async fn answer_of_a_rule_is_sandboxed_on_every_api_whatever_the_rule_says() {
    let server = TestServer::start().await;
    let policy = "sandbox allow-scripts allow-same-origin";
    for (path, own) in [
        ("/api/v2/orders/1", &["sandbox", policy][..]),
        ("/query", &["sandbox", policy]),
        ("/nothing", &["sandbox", policy]),
        ("/_s3/bizmori/a", &["sandbox", policy]),
        ("/docs", &["sandbox", policy, "frame-ancestors 'none'"]),
    ] {
        let respond = json!({
            "status": 500,
            "headers": {
                "content-type": "text/html",
                "Content-Security-Policy": policy,
                "X-Content-Type-Options": "off",
            },
            "body": "<script>alert(1)</script>",
        });
        let rule = json!({"when": {"path": path}, "then": {"respond": respond}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
        let response = ask(&server, "GET", path, "").await;
        assert_eq!(
            (response.status, response.text()),
            (500, "<script>alert(1)</script>".to_owned())
        );
        assert_policies(&response, own, path);
    }
}
