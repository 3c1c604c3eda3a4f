//! Addresses on which the server listens.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Method;
use stuntdouble::app::App;
use stuntdouble::settings::Config;

use crate::support::TestServer;

/// Returns settings for all addresses, with a TLS listener.
fn config_for_all_addresses() -> Config {
    let mut config = Config {
        port: 0,
        host: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ..Config::defaults()
    };
    config.tls.tls = true;
    config.tls.tls_port = 0;
    config
}

#[tokio::test]
async fn listen_on_unspecified_ipv6_address_serves_ipv4_and_ipv6() {
    let server = TestServer::with_config(|config| *config = config_for_all_addresses()).await;
    let plain = server.origin.rsplit(':').next().expect("a port").to_owned();
    let tls = server.tls.expect("a TLS listener").port();
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        for origin in [
            format!("http://{host}:{plain}"),
            format!("https://{host}:{tls}"),
        ] {
            let path = "/_mock/health";
            let health = TestServer::connect(&origin)
                .send(Method::GET, path, &[], "")
                .await;
            assert_eq!(health.status, 200, "{origin}");
        }
    }
}

#[tokio::test]
async fn listen_on_all_addresses_prints_callable_urls() {
    let app = App::start(config_for_all_addresses())
        .await
        .expect("the server starts");
    let plain = app.address().port();
    let tls = app.tls_address().expect("a TLS listener").port();
    let line = app.listening_line();
    let expected =
        format!("listening on http://localhost:{plain}, https://localhost:{tls}, data in");
    assert!(line.contains(&expected), "{line}");
    let dashboard = format!(", dashboard at http://localhost:{plain}/_mock/");
    assert!(line.ends_with(&dashboard), "{line}");
    let ipv4 = Config {
        host: "0.0.0.0".parse().expect("an address"),
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(ipv4).await.expect("the server starts");
    let expected = format!(
        "listening on http://127.0.0.1:{}, data in",
        app.address().port()
    );
    assert!(
        app.listening_line().contains(&expected),
        "{}",
        app.listening_line()
    );
}
