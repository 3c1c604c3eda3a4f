//! Names in the server's certificate, and TLS versions and protocols.

use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;

use super::{BIZMORI, ClientHello, TRUTHSCAN, TlsServer, UNDETECTABLE, get};
use crate::support::TestServer;
use crate::support::raw;

/// Asserts that the handshake succeeds and a request is answered.
async fn assert_serves(secure: &TlsServer, hello: &ClientHello<'_>) {
    let mut stream = secure
        .connect(hello)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", hello.name));
    let request = get("/_mock/health", "Connection: close\r\n");
    let written = stream.write_all(&request).await;
    written.expect("the request is sent");
    let received = raw::read_to_end(&mut stream).await;
    assert_eq!(
        (received.response().status, received.error),
        (200, None),
        "{}",
        hello.name
    );
}

/// Returns the error of a handshake, which must fail.
async fn handshake_error(secure: &TlsServer, hello: &ClientHello<'_>) -> String {
    match secure.connect(hello).await {
        Ok(_) => panic!("{}: the handshake succeeded", hello.name),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn certificate_is_valid_for_vendor_hosts_and_this_machine() {
    let secure = TlsServer::start().await;
    for name in [
        BIZMORI,
        UNDETECTABLE,
        TRUTHSCAN,
        "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        "ai-image-detector-dev.nyc3.digitaloceanspaces.com",
        "localhost",
        "127.0.0.1",
        "::1",
    ] {
        for version in [&TLS12, &TLS13] {
            let hello = ClientHello {
                versions: &[version],
                ..secure.hello(name)
            };
            assert_serves(&secure, &hello).await;
        }
    }
}

#[tokio::test]
async fn certificate_is_valid_for_configured_names() {
    let secure = TlsServer::start_with(|config| {
        let names = [
            "mock",
            "Images.Example.test",
            "*.example.test",
            "10.1.2.3",
            "",
        ];
        config.tls.tls_names = names.map(str::to_owned).to_vec();
    })
    .await;
    for name in [
        "mock",
        "images.example.test",
        "any.example.test",
        "10.1.2.3",
        BIZMORI,
    ] {
        assert_serves(&secure, &secure.hello(name)).await;
    }
}

#[tokio::test]
async fn certificate_is_not_valid_for_other_names() {
    let secure = TlsServer::start().await;
    for name in ["www.bizmori.com", "mock", "127.0.0.2"] {
        let reason = handshake_error(&secure, &secure.hello(name)).await;
        assert!(reason.contains("not valid for name"), "{name}: {reason}");
    }
    assert_serves(&secure, &secure.hello(BIZMORI)).await;
}

#[tokio::test]
async fn client_that_trusts_another_authority_refuses_certificate() {
    let secure = TlsServer::start().await;
    let other = TlsServer::start().await;
    assert_ne!(
        secure.ca, other.ca,
        "each data directory has its own authority"
    );
    let hello = ClientHello {
        ca: &other.ca,
        ..secure.hello(BIZMORI)
    };
    let reason = handshake_error(&secure, &hello).await;
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[tokio::test]
async fn alpn_negotiates_http_1_1_only() {
    let secure = TlsServer::start().await;
    let hello = ClientHello {
        protocols: &["h2", "http/1.1"],
        ..secure.hello(BIZMORI)
    };
    let stream = secure.connect(&hello).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let without_alpn = ClientHello {
        protocols: &[],
        ..secure.hello(BIZMORI)
    };
    assert_serves(&secure, &without_alpn).await;
    let other = ClientHello {
        protocols: &["h2"],
        ..secure.hello(BIZMORI)
    };
    let reason = handshake_error(&secure, &other).await;
    assert!(reason.contains("NoApplicationProtocol"), "{reason}");
}

#[tokio::test]
async fn plain_http_request_at_tls_address_is_not_answered() {
    let secure = TlsServer::start().await;
    let request = get("/_mock/health", "");
    let origin = format!("http://{}", secure.address);
    let mut stream = raw::connect(&origin).await;
    let written = stream.write_all(&request).await;
    written.expect("the request is sent");
    let received = raw::read_to_end(&mut stream).await;
    assert!(!received.text().contains("HTTP/"), "{received:?}");
    assert_serves(&secure, &secure.hello(BIZMORI)).await;
}

#[tokio::test]
async fn get_ca_without_tls_setting_answers_not_found() {
    let server = TestServer::start().await;
    assert_eq!(server.tls, None);
    let response = server
        .send(reqwest::Method::GET, "/_mock/ca.pem", &[], "")
        .await;
    let error = serde_json::json!({"error": {
        "code": "no_tls",
        "message": "the server does not serve by TLS",
        "hint": "start it with --tls (STUNTDOUBLE_TLS=true)",
    }});
    assert_eq!((response.status, response.json()), (404, error));
}
