//! Hosts by which the control plane and the documentation may be called. Prevents DNS rebinding.

use reqwest::Method;
use serde_json::json;
use stuntdouble::settings::Config;

use super::{
    EVIL, assert_code, assert_refused, assert_unchanged, control_operations,
    create_protected_account, path_of, send_raw,
};
use crate::support::{TestServer, raw};

const REBOUND: &str = "Host: rebound.example:8080\r\n";

async fn health_status(server: &TestServer, headers: &str) -> u16 {
    send_raw(server, "GET", "/_mock/health", headers)
        .await
        .status
}

#[tokio::test]
async fn call_by_unknown_host_answers_unknown_host_on_every_operation() {
    let server = TestServer::start().await;
    create_protected_account(&server).await;
    let mut paths: Vec<_> = control_operations()
        .iter()
        .map(|it| (it.method.to_string(), path_of(it)))
        .collect();
    let unlisted_paths = [
        "/docs",
        "/docs/start.js",
        "/docs/nothing",
        "/_mock",
        "/_mock/",
        "/_mock/nothing",
    ];
    paths.extend(unlisted_paths.map(|path| ("GET".to_owned(), path.to_owned())));
    for (method, path) in paths {
        let response = send_raw(&server, &method, &path, REBOUND).await;
        let message = "rebound.example:8080 is not a host by which this server may be called";
        let hint = "call localhost or an IP address, or start the server with \
                    --allow-host rebound.example (STUNTDOUBLE_ALLOW_HOST)";
        assert_refused(&response, 421, "unknown_host", message, hint);
    }
    assert_unchanged(&server).await;
}

#[tokio::test]
async fn call_vendor_or_storage_by_any_host_is_allowed() {
    let server = TestServer::start().await;
    for path in [
        "/api/v2/orders/1",
        "/health",
        "/openapi.json",
        "/_s3/bizmori/a",
        "/nothing",
    ] {
        let response = send_raw(&server, "GET", path, REBOUND).await;
        assert_ne!(response.status, 421, "{path}");
    }
}

#[tokio::test]
async fn call_by_local_or_vendor_host_is_allowed_and_by_similar_names_refused() {
    let server = TestServer::start().await;
    for host in [
        "localhost",
        "LOCALHOST.:8080",
        "a.localhost",
        "stuntdouble:80",
        "host.docker.internal",
        "mock.local",
        "mock.test",
        "mock.ns.svc.cluster.local",
        "[::1]:8080",
        "192.168.1.7",
        "api.bizmori.com",
        "Detect-Image.TruthScan.com:443",
        "ai-image-detect.undetectable.ai",
        "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        "ai-image-detector-dev.nyc3.digitaloceanspaces.com",
    ] {
        assert_eq!(
            health_status(&server, &format!("Host: {host}\r\n")).await,
            200,
            "{host}"
        );
    }
    for host in [
        "evillocalhost.com",
        "localhost.evil.com",
        "evil.com",
        "host.docker.internal.evil.com",
        "api.bizmori.com.evil.com",
        "127.0.0.1.nip.io",
    ] {
        assert_eq!(
            health_status(&server, &format!("Host: {host}\r\n")).await,
            421,
            "{host}"
        );
    }
}

#[tokio::test]
async fn call_by_configured_host_is_allowed() {
    type HostSettings = fn(&mut Config);
    let settings: [(HostSettings, &str); 5] = [
        (
            |config| config.public_url = Some("http://Mock.example:8080".to_owned()),
            "mock.example",
        ),
        (
            |config| config.tls.tls_names = vec!["mock.example".to_owned()],
            "mock.example",
        ),
        (
            |config| config.control.allow_hosts = vec!["x".to_owned(), "mock.example".to_owned()],
            "MOCK.example.:1",
        ),
        (
            |config| config.control.allow_hosts = vec!["*.example".to_owned()],
            "a.mock.example",
        ),
        (
            |config| config.control.allow_hosts = vec!["*".to_owned()],
            "anything.com",
        ),
    ];
    for (set, host) in settings {
        let server = TestServer::with_config(set).await;
        assert_eq!(
            health_status(&server, &format!("Host: {host}\r\n")).await,
            200,
            "{host}"
        );
        let other = health_status(&server, "Host: evil.com\r\n").await;
        assert_eq!(
            other,
            if host == "anything.com" { 200 } else { 421 },
            "{host}"
        );
    }
}

#[tokio::test]
async fn call_with_several_hosts_requires_all_to_be_allowed() {
    let server = TestServer::start().await;
    let absolute = |host: &str| format!("http://{host}/_mock/health");
    for (authority, host, status) in [
        ("localhost:1", "localhost", 200),
        ("evil.com", "localhost", 421),
        ("localhost", "evil.com", 421),
        ("u@localhost", "localhost", 421),
    ] {
        let headers = format!("Host: {host}\r\n");
        let response = send_raw(&server, "GET", &absolute(authority), &headers).await;
        assert_eq!(response.status, status, "{authority} {host}");
    }
    let forwarded =
        |host: &str, forwarded: &str| format!("Host: {host}\r\nX-Forwarded-Host: {forwarded}\r\n");
    assert_eq!(
        health_status(&server, &forwarded("localhost", "evil.com")).await,
        200
    );
    let trusting = TestServer::with_config(|config| config.trust_forwarded = true).await;
    for (host, text, status) in [
        ("localhost", "mock.test", 200),
        ("evil.com", "localhost", 421),
        ("localhost", "evil.com", 421),
        ("localhost", "evil.com, localhost", 421),
        ("localhost", "a b", 421),
    ] {
        let actual = health_status(&trusting, &forwarded(host, text)).await;
        assert_eq!(actual, status, "{host} {text}");
    }
}

#[tokio::test]
async fn call_with_several_faults_reports_host_then_origin_then_token() {
    let server =
        TestServer::with_config(|config| config.control.control_token = Some("s3cret".to_owned()))
            .await;
    let token = "Authorization: Bearer s3cret\r\n";
    for (headers, status, code) in [
        (format!("{REBOUND}{EVIL}"), 421, "unknown_host"),
        (format!("{REBOUND}{EVIL}{token}"), 421, "unknown_host"),
        (EVIL.to_owned(), 403, "cross_origin"),
        (format!("{EVIL}{token}"), 403, "cross_origin"),
        (String::new(), 401, "unauthorized"),
        (format!("Host: a b\r\n{EVIL}"), 400, "bad_host"),
    ] {
        let response = send_raw(&server, "POST", "/_mock/reset", &headers).await;
        assert_code(&response, status, code, &headers);
    }
    assert_eq!(
        send_raw(&server, "POST", "/_mock/reset", token)
            .await
            .status,
        200
    );
    let inbox = send_raw(&server, "POST", "/_mock/inbox/a/messages", "").await;
    assert_code(&inbox, 401, "unauthorized", "not a delivery");
    let delivery = send_raw(&server, "POST", "/_mock/inbox/a", REBOUND).await;
    assert_code(
        &delivery,
        421,
        "unknown_host",
        "the host of a delivery is checked",
    );
}

#[tokio::test]
async fn refuse_call_with_large_body_drains_it_and_answers() {
    let server = TestServer::start().await;
    let body = "x".repeat(8 * 1024 * 1024);
    let headers = [("origin", "http://evil.test")];
    let response = server
        .send(Method::PUT, "/_mock/fixtures", &headers, body)
        .await;
    assert_code(&response, 403, "cross_origin", "8 MiB");
    let request = "GET /_mock/health HTTP/1.0\r\n\r\n";
    let http_1_0 = raw::send(&server.origin, request.as_bytes()).await;
    assert_eq!(
        http_1_0.json()["status"],
        json!("ok"),
        "HTTP/1.0 has no Host"
    );
}
