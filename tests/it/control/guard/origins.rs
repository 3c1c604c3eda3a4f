//! Requests of web pages: by `Sec-Fetch-Site`, else by `Origin` against the host.

use reqwest::Method;
use serde_json::json;

use super::{
    EVIL, ask, assert_code, assert_kept, assert_refused, control_operations, keep_account, path_of,
};
use crate::support::{TestServer, picture};

const HINT: &str =
    "only the server's own pages, and clients that are not browsers, may change state";

#[tokio::test]
async fn unsafe_call_from_other_origin_answers_cross_origin_on_every_operation() {
    let server = TestServer::start().await;
    keep_account(&server).await;
    let mut refused = 0;
    for operation in control_operations() {
        let (method, path) = (operation.method.as_str(), path_of(&operation));
        let is_safe = operation.method == Method::GET;
        if is_safe || operation.name == "control.postToInbox" {
            continue;
        }
        refused += 1;
        let response = ask(&server, method, &path, EVIL).await;
        let message = "a web page of another origin made this request (Origin: http://evil.test)";
        assert_refused(&response, 403, "cross_origin", message, HINT);
        let site = "Sec-Fetch-Site: cross-site\r\n";
        let response = ask(&server, method, &path, site).await;
        let message = "a web page of another origin made this request (Sec-Fetch-Site: cross-site)";
        assert_refused(&response, 403, "cross_origin", message, HINT);
    }
    assert!(refused > 15, "{refused}");
    let unknown = ask(&server, "POST", "/_mock/nothing", EVIL).await;
    assert_code(&unknown, 403, "cross_origin", "no operation");
    assert_kept(&server).await;
}

#[tokio::test]
async fn reset_is_refused_for_every_page_but_the_servers_own() {
    let server = TestServer::start().await;
    keep_account(&server).await;
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
        let response = ask(&server, "POST", "/_mock/reset", &format!("{host}{headers}")).await;
        assert_code(&response, 403, "cross_origin", &headers);
        assert_kept(&server).await;
    }
    for headers in [
        String::new(),
        "Sec-Fetch-Site: same-origin\r\n".to_owned(),
        "Sec-Fetch-Site: none\r\n".to_owned(),
        format!("Origin: {own}\r\n"),
        format!("Sec-Fetch-Site: same-origin\r\nOrigin: {own}\r\n"),
    ] {
        keep_account(&server).await;
        let headers = format!("Host: {host}\r\n{headers}");
        let response = ask(&server, "POST", "/_mock/reset", &headers).await;
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
async fn own_origin_is_the_one_that_was_called_by_tls_and_through_a_proxy() {
    let secure = TestServer::with_config(|config| {
        config.tls.tls = true;
        config.tls.tls_port = 0;
    })
    .await;
    let own = format!("https://{}", secure.tls.expect("it listens by TLS"));
    let plain = own.replace("https:", "http:");
    let reset = format!("{own}/_mock/reset");
    for (origin, status) in [(&own, 200), (&plain, 403), (&secure.origin, 403)] {
        let headers = [("origin", origin.as_str())];
        let response = secure.send(Method::POST, &reset, &headers, "").await;
        assert_eq!(response.status, status, "{origin}");
    }

    let forwarded = "Origin: https://mock.test\r\nX-Forwarded-Proto: https\r\n\
                     X-Forwarded-Host: mock.test\r\n";
    let behind = TestServer::with_config(|config| config.trust_forwarded = true).await;
    let response = ask(&behind, "POST", "/_mock/reset", forwarded).await;
    assert_eq!(response.status, 200);
    let own = "Origin: http://localhost\r\nX-Forwarded-Host: mock.test\r\n";
    let response = ask(&behind, "POST", "/_mock/reset", own).await;
    assert_code(&response, 403, "cross_origin", own);
    let alone = TestServer::start().await;
    let response = ask(&alone, "POST", "/_mock/reset", forwarded).await;
    assert_code(&response, 403, "cross_origin", forwarded);
}

#[tokio::test]
async fn inbox_deliveries_vendors_and_storage_take_requests_of_any_page() {
    let server = TestServer::start_frozen("live").await;
    let cross = [
        ("origin", "http://evil.test"),
        ("sec-fetch-site", "cross-site"),
    ];
    let posted = server
        .send(Method::POST, "/_mock/inbox/a", &cross, "x")
        .await;
    assert_eq!(posted.status, 200);
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
    let url = response.json()["data"]["file"]["uploadUrl"].take();
    let url = url.as_str().expect("a URL");
    let put = server.send(Method::PUT, url, &cross, picture()).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let query = json!({"id": "a"}).to_string();
    let headers = [origin, site, ("content-type", "application/json")];
    let reply = server.send(Method::POST, "/query", &headers, query).await;
    assert_ne!(reply.status, 403, "{}", reply.text());
    for path in [
        "/_mock/inbox/a/messages",
        "/_mock/inbox/",
        "/_mock/inbox/a/",
    ] {
        let received = ask(&server, "POST", path, EVIL).await;
        assert_code(&received, 403, "cross_origin", path);
    }
    let set = ask(&server, "PUT", "/_mock/inbox/a", EVIL).await;
    assert_code(&set, 403, "cross_origin", "PUT");
}

#[tokio::test]
async fn no_answer_of_the_control_plane_lets_other_origins_read_it() {
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
            let response = ask(&server, method, &path, headers).await;
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
async fn refused_call_is_counted_under_its_reason() {
    let server = TestServer::start().await;
    for _ in 0..2 {
        ask(&server, "POST", "/_mock/reset", EVIL).await;
    }
    ask(&server, "GET", "/_mock/accounts", "Host: evil.com\r\n").await;
    ask(&server, "GET", "/nothing", "Host: a b\r\n").await;
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
        "it never came to the operation"
    );
}
