//! By which names the server may be called, and who finds them good.

use rustls::version::{TLS12, TLS13};

use super::{BIZMORI, Hello, Secure, TRUTHSCAN, UNDETECTABLE, get};
use crate::support::TestServer;
use crate::support::raw;

/// An answer came by that handshake.
async fn assert_serves(secure: &Secure, hello: &Hello<'_>) {
    let mut stream = secure
        .connect(hello)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", hello.name));
    let request = get("/_mock/health", "Connection: close\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, &request)
        .await
        .expect("it is read");
    let came = raw::read_to_end(&mut stream).await;
    assert_eq!(
        (came.response().status, came.error),
        (200, None),
        "{}",
        hello.name
    );
}

/// Why the client went.
async fn start_error(secure: &Secure, hello: &Hello<'_>) -> String {
    match secure.connect(hello).await {
        Ok(_) => panic!("{} was taken", hello.name),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn the_vendors_hosts_and_this_machine_are_good_by_the_authority_alone() {
    let secure = Secure::start().await;
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
            let hello = Hello {
                versions: &[version],
                ..secure.hello(name)
            };
            assert_serves(&secure, &hello).await;
        }
    }
}

#[tokio::test]
async fn so_are_names_that_were_asked_for() {
    let secure = Secure::start_with(|config| {
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
async fn no_name_is_good_that_was_not_asked_for() {
    let secure = Secure::start().await;
    for name in ["www.bizmori.com", "mock", "127.0.0.2"] {
        let why = start_error(&secure, &secure.hello(name)).await;
        assert!(why.contains("not valid for name"), "{name}: {why}");
    }
    assert_serves(&secure, &secure.hello(BIZMORI)).await;
}

#[tokio::test]
async fn who_trusts_another_authority_finds_none_good() {
    let (secure, other) = (Secure::start().await, Secure::start().await);
    assert_ne!(secure.ca, other.ca, "each temporary directory has its own");
    let hello = Hello {
        ca: &other.ca,
        ..secure.hello(BIZMORI)
    };
    let why = start_error(&secure, &hello).await;
    assert!(why.contains("UnknownIssuer"), "{why}");
}

#[tokio::test]
async fn http_1_1_is_agreed_on_or_taken_for_granted_and_nothing_else() {
    let secure = Secure::start().await;
    let hello = Hello {
        protocols: &["h2", "http/1.1"],
        ..secure.hello(BIZMORI)
    };
    let stream = secure.connect(&hello).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let silent = Hello {
        protocols: &[],
        ..secure.hello(BIZMORI)
    };
    assert_serves(&secure, &silent).await;
    let other = Hello {
        protocols: &["h2"],
        ..secure.hello(BIZMORI)
    };
    let why = start_error(&secure, &other).await;
    assert!(why.contains("NoApplicationProtocol"), "{why}");
}

#[tokio::test]
async fn who_speaks_no_tls_is_let_go() {
    let secure = Secure::start().await;
    let request = get("/_mock/health", "");
    let origin = format!("http://{}", secure.address);
    let mut stream = raw::connect(&origin).await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, &request)
        .await
        .expect("it is read");
    let came = raw::read_to_end(&mut stream).await;
    assert!(!came.text().contains("HTTP/"), "{came:?}");
    assert_serves(&secure, &secure.hello(BIZMORI)).await;
}

#[tokio::test]
async fn without_the_setting_there_is_no_authority() {
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
