//! Response headers that keep browsers from running uploaded content and responses of rules.

use reqwest::Method;
use reqwest::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use serde_json::json;
use stuntdouble::platform::clock::parse_iso;
use stuntdouble::platform::presign::{PresignParams, Signer};

use super::{EVIL, control_operations, path_of, send_raw};
use crate::support::{T0, TestResponse, TestServer, picture};

fn header_values(response: &TestResponse, name: &reqwest::header::HeaderName) -> Vec<String> {
    let values = response.headers.get_all(name).iter();
    values
        .map(|it| it.to_str().expect("ASCII").to_owned())
        .collect()
}

fn assert_policies(response: &TestResponse, policies: &[&str], case: &str) {
    assert_eq!(
        header_values(response, &X_CONTENT_TYPE_OPTIONS),
        ["nosniff"],
        "{case}"
    );
    assert_eq!(
        header_values(response, &CONTENT_SECURITY_POLICY),
        policies,
        "{case}"
    );
}

#[tokio::test]
async fn serve_own_page_sends_nosniff_and_frame_policy() {
    let server = TestServer::start().await;
    let no_frames = "frame-ancestors 'none'";
    for operation in control_operations() {
        let path = path_of(&operation);
        if path == "/_mock/" {
            // The dashboard has its own policy too, which its tests check.
            continue;
        }
        for headers in ["", "Host: evil.com\r\n", "Host: a b\r\n", EVIL] {
            let response = send_raw(&server, operation.method.as_str(), &path, headers).await;
            let policies = header_values(&response, &CONTENT_SECURITY_POLICY);
            let page_policy = policies.first().map(String::as_str).unwrap_or_default();
            // The page has a policy of its own too.
            let expected: &[&str] = match operation.name {
                "control.docs" if response.status == 200 => &[page_policy, no_frames],
                _ => &[no_frames],
            };
            assert_policies(&response, expected, &format!("{path} {headers}"));
        }
    }
    for path in [
        "/docs/start.js",
        "/docs/swagger-ui.css",
        "/docs/nothing",
        "/_mock/nothing",
    ] {
        let response = send_raw(&server, "GET", path, "").await;
        assert_policies(&response, &[no_frames], path);
    }
    let docs = send_raw(&server, "GET", "/docs", "").await;
    let policies = header_values(&docs, &CONTENT_SECURITY_POLICY);
    assert!(policies[0].starts_with("default-src 'none'; script-src 'self'; "));
    assert_policies(&docs, &[&policies[0], no_frames], "/docs");
    let vendor = send_raw(&server, "GET", "/health", "").await;
    assert!(!vendor.headers.contains_key(CONTENT_SECURITY_POLICY));
}

/// Presigns a HEAD request for the object that `url` gives access to.
fn head_url(url: &str, origin: &str) -> String {
    let storage = stuntdouble::settings::Config::defaults().storage;
    let signer = Signer::new(&storage.s3_key_id, &storage.s3_secret, &storage.s3_region);
    let prefix = format!("{origin}/_s3/bizmori/");
    let key = url.trim_start_matches(&prefix).split('?').next();
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
async fn serve_uploaded_bytes_sends_sandbox_policy_for_every_status() {
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
        let response = send_raw(&server, method, path, &headers).await;
        assert_eq!(
            response.status,
            status,
            "{method} {headers} {}",
            response.text()
        );
        assert_policies(&response, &["sandbox"], &format!("{method} {headers}"));
    }
    let unsigned = send_raw(&server, "GET", "/_s3/bizmori/%3Cscript%3E", "").await;
    assert_policies(&unsigned, &["sandbox"], "unsigned");
    let no_host = send_raw(&server, "GET", "/_s3/bizmori/a", "Host: a b\r\n").await;
    assert_policies(&no_host, &["sandbox"], "no host");
    let query = "/_mock/requests?operation=storage.get&status=200";
    let listing = server.send(Method::GET, query, &[], "").await.json();
    let headers = &listing["requests"][0]["responseHeaders"];
    assert_eq!(headers["content-security-policy"], "sandbox");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn serve_picture_of_a_document_sends_sandbox_policy() {
    let server = TestServer::start_frozen("live").await;
    let path = "/get-presigned-url?file_name=a_ai.jpg";
    let presigned = server
        .send(Method::GET, path, &[("apikey", "live")], "")
        .await
        .json();
    let upload_url = presigned["presigned_url"].as_str().expect("a URL");
    server.put(upload_url, picture()).await;
    let path = presigned["file_path"].as_str().expect("a path");
    let url = format!("{}/{path}", server.origin);
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
async fn respond_by_rule_sends_sandbox_policy_on_every_api() {
    let server = TestServer::start().await;
    let policy = "sandbox allow-scripts allow-same-origin";
    for (path, policies) in [
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
        let response = send_raw(&server, "GET", path, "").await;
        assert_eq!(
            (response.status, response.text()),
            (500, "<script>alert(1)</script>".to_owned())
        );
        assert_policies(&response, policies, path);
    }
}
