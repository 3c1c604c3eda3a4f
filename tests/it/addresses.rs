//! Addresses that the server listens on.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Method;
use stuntdouble::app::App;
use stuntdouble::settings::Config;

use crate::support::TestServer;

/// The settings of a server on all addresses, by TLS too.
fn everywhere() -> Config {
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
async fn server_on_the_unspecified_ipv6_address_serves_both_families() {
    let server = TestServer::with_config(|config| *config = everywhere()).await;
    let plain = server.origin.rsplit(':').next().expect("a port").to_owned();
    let tls = server.tls.expect("it listens by TLS").port();
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
async fn start_line_of_a_server_on_all_addresses_has_urls_that_can_be_called() {
    let app = App::start(everywhere()).await.expect("it starts");
    let (plain, tls) = (app.address().port(), app.tls_address().expect("TLS").port());
    let line = app.listening_line();
    let expected =
        format!("listening on http://localhost:{plain}, https://localhost:{tls}, data in");
    assert!(line.contains(&expected), "{line}");
    let ipv4 = Config {
        host: "0.0.0.0".parse().expect("an address"),
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(ipv4).await.expect("it starts");
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
