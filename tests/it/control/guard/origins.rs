//! Requests of web pages, recognised by `Sec-Fetch-Site`, else by comparing `Origin` with the host.

use reqwest::Method;
use serde_json::json;

use super::{
    EVIL, assert_code, assert_refused, assert_unchanged, control_operations,
    create_protected_account, path_of, send_raw,
};
use crate::support::{TestServer, picture};

const HINT: &str =
    "only the server's own pages, and clients that are not browsers, may change state";

#[tokio::test]
async fn write_from_other_origin_answers_cross_origin_on_every_operation() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    let mut refused_count = 0;
    for operation in control_operations() {
        let method = operation.method.as_str();
        let path = path_of(&operation);
        let is_safe = operation.method == Method::GET;
        if is_safe || operation.name == "control.postToInbox" {
            continue;
        }
        refused_count += 1;
        let response = send_raw(&server, method, &path, EVIL).await;
        let message = "a web page of another origin made this request (Origin: http://evil.test)";
        assert_refused(&response, 403, "cross_origin", message, HINT);
        let site = "Sec-Fetch-Site: cross-site\r\n";
        let response = send_raw(&server, method, &path, site).await;
        let message = "a web page of another origin made this request (Sec-Fetch-Site: cross-site)";
        assert_refused(&response, 403, "cross_origin", message, HINT);
    }
    assert!(refused_count > 15, "{refused_count}");
    let unknown = send_raw(&server, "POST", "/_mock/nothing", EVIL).await;
    assert_code(&unknown, 403, "cross_origin", "an unknown route");
    assert_unchanged(&server).await;
}

#[tokio::test]
async fn reset_from_a_page_requires_the_servers_own_origin() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    let own = &server.origin;
    let host = own.trim_start_matches("http://");
    for headers in [
        "Origin: null\r\n".to_owned(),
        "Origin: http://localhost:3000\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
        format!("Sec-Fetch-Site: cross-site\r\nOrigin: {own}\r\n"),
        format!("Origin: https://{host}\r\n"),
        format!("Origin: {own}\r\nOrigin: http://evil.test\r\n"),
        format!("Origin: {own}\r\nSec-Fetch-Site: none, cross-site\r\n"),
        format!("Origin: {own}\r\nHost: localhost\r\n"),
        "Content-Type: text/plain\r\nOrigin: http://evil.test\r\n".to_owned(),
    ] {
        let host = if headers.contains("Host:") {
            String::new()
        } else {
            format!("Host: {host}\r\n")
        };
        let response = send_raw(&server, "POST", "/_mock/reset", &format!("{host}{headers}")).await;
        assert_code(&response, 403, "cross_origin", &headers);
        assert_unchanged(&server).await;
    }
    for headers in [
        String::new(),
        "Sec-Fetch-Site: same-origin\r\n".to_owned(),
        "Sec-Fetch-Site: none\r\n".to_owned(),
        format!("Origin: {own}\r\n"),
        format!("Sec-Fetch-Site: same-origin\r\nOrigin: {own}\r\n"),
    ] {
        create_protected_account(&server).await;
        let headers = format!("Host: {host}\r\n{headers}");
        let response = send_raw(&server, "POST", "/_mock/reset", &headers).await;
        assert_eq!(
            (response.status, response.json()["accounts"].take()),
            (200, json!(1)),
            "{headers}"
        );
        let all = server.send(Method::GET, "/_mock/accounts", &[], "").await;
        assert_eq!(all.json(), json!({"accounts": [], "next": null}));
    }
}

#[tokio::test]
async fn reset_by_tls_or_proxy_requires_the_origin_that_was_called() {
    let secure = TestServer::with_config(|config| {
        config.tls.tls = true;
        config.tls.tls_port = 0;
    })
    .await;
    let own = format!("https://{}", secure.tls.expect("a TLS listener"));
    let plain = own.replace("https:", "http:");
    let reset = format!("{own}/_mock/reset");
    for (origin, status) in [(&own, 200), (&plain, 403), (&secure.origin, 403)] {
        let headers = [("origin", origin.as_str())];
        let response = secure.send(Method::POST, &reset, &headers, "").await;
        assert_eq!(response.status, status, "{origin}");
    }

    let forwarded = "Origin: https://mock.test\r\nX-Forwarded-Proto: https\r\n\
                     X-Forwarded-Host: mock.test\r\n";
    let behind_proxy = TestServer::with_config(|config| config.trust_forwarded = true).await;
    let response = send_raw(&behind_proxy, "POST", "/_mock/reset", forwarded).await;
    assert_eq!(response.status, 200);
    let wrong_origin = "Origin: http://localhost\r\nX-Forwarded-Host: mock.test\r\n";
    let response = send_raw(&behind_proxy, "POST", "/_mock/reset", wrong_origin).await;
    assert_code(&response, 403, "cross_origin", wrong_origin);
    let without_proxy = TestServer::start().await;
    let response = send_raw(&without_proxy, "POST", "/_mock/reset", forwarded).await;
    assert_code(&response, 403, "cross_origin", forwarded);
}

#[tokio::test]
async fn call_inbox_vendor_or_storage_from_any_page_is_allowed() {
    let server = TestServer::start_frozen("live").await;
    let cross = [
        ("origin", "http://evil.test"),
        ("sec-fetch-site", "cross-site"),
    ];
    let response = server
        .send(Method::POST, "/_mock/inbox/a", &cross, "x")
        .await;
    assert_eq!(response.status, 200);
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let [origin, site] = cross;
    let headers = [
        origin,
        site,
        ("authorization", "Bearer live"),
        ("content-type", "application/json"),
    ];
    let detection = "/api/v2/orders/ai-detection";
    let response = server
        .send(Method::POST, detection, &headers, body.to_string())
        .await;
    assert_eq!(response.status, 200, "{}", response.text());
    let created = response.json();
    let url = created["data"]["file"]["uploadUrl"]
        .as_str()
        .expect("a URL");
    let put = server.send(Method::PUT, url, &cross, picture()).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let query = json!({"id": "a"}).to_string();
    let headers = [origin, site, ("content-type", "application/json")];
    let response = server.send(Method::POST, "/query", &headers, query).await;
    assert_ne!(response.status, 403, "{}", response.text());
    for path in [
        "/_mock/inbox/a/messages",
        "/_mock/inbox/",
        "/_mock/inbox/a/",
    ] {
        let refused = send_raw(&server, "POST", path, EVIL).await;
        assert_code(&refused, 403, "cross_origin", path);
    }
    let set = send_raw(&server, "PUT", "/_mock/inbox/a", EVIL).await;
    assert_code(&set, 403, "cross_origin", "PUT");
}

#[tokio::test]
async fn call_from_other_origin_gets_no_cors_headers() {
    let server = TestServer::start().await;
    for operation in control_operations() {
        let path = path_of(&operation);
        let preflight = format!(
            "{EVIL}Access-Control-Request-Method: {}\r\n\
             Access-Control-Request-Headers: content-type\r\n\
             Access-Control-Request-Private-Network: true\r\n",
            operation.method
        );
        for (method, headers) in [
            ("OPTIONS", preflight.as_str()),
            ("GET", EVIL),
            (operation.method.as_str(), EVIL),
        ] {
            let response = send_raw(&server, method, &path, headers).await;
            let names = response
                .headers
                .keys()
                .map(reqwest::header::HeaderName::as_str);
            let cors: Vec<_> = names
                .filter(|it| it.starts_with("access-control-"))
                .collect();
            assert!(cors.is_empty(), "{method} {path}: {cors:?}");
            assert!(method != "OPTIONS" || response.status == 404, "{path}");
        }
    }
}

#[tokio::test]
async fn refuse_call_counts_it_under_its_reason() {
    let server = TestServer::start().await;
    for _ in 0..2 {
        send_raw(&server, "POST", "/_mock/reset", EVIL).await;
    }
    send_raw(&server, "GET", "/_mock/accounts", "Host: evil.com\r\n").await;
    send_raw(&server, "GET", "/nothing", "Host: a b\r\n").await;
    let metrics = server
        .send(Method::GET, "/_mock/metrics", &[], "")
        .await
        .text();
    for line in [
        r#"stuntdouble_http_requests_total{operation="cross_origin",status="403"} 2"#,
        r#"stuntdouble_http_requests_total{operation="unknown_host",status="421"} 1"#,
        r#"stuntdouble_http_requests_total{operation="bad_host",status="400"} 1"#,
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}\n{metrics}");
    }
    assert!(
        !metrics.contains("control.reset"),
        "the operation is not reached"
    );
}
