//! The certificate authority, which is stored in the data directory.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use reqwest::Method;
use serde_json::json;
use stuntdouble::app::App;
use stuntdouble::settings::Config;

use super::{BIZMORI, ClientHello, TlsServer};

/// Starts a TLS server with its data in `folder`.
pub(super) async fn start_in(folder: &Path) -> TlsServer {
    TlsServer::start_with(|config| config.data_dir = Some(folder.to_owned())).await
}

/// Settings of a TLS server with its data in `folder`.
pub(super) fn config(folder: &Path) -> Config {
    let mut config = Config {
        port: 0,
        data_dir: Some(folder.to_owned()),
        ..Config::defaults()
    };
    config.tls.tls = true;
    config.tls.tls_port = 0;
    config
}

fn mode(path: &Path) -> u32 {
    let metadata = std::fs::metadata(path).expect("a file");
    metadata.permissions().mode() & 0o777
}

#[tokio::test]
async fn authority_is_reused_after_restart_and_readable_by_owner_only() {
    let data_dir = tempfile::tempdir().expect("a directory");
    let first = start_in(data_dir.path()).await;
    let folder = data_dir.path().join("tls");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["ca.key", "ca.pem"], "no other key");
    assert_eq!(mode(&folder.join("ca.key")), 0o600);
    assert_eq!(mode(&folder.join("ca.pem")), 0o600);
    let file = std::fs::read_to_string(folder.join("ca.pem")).expect("a file");
    let ca = first.ca.clone();
    assert_eq!(ca, file);
    first.server.stop().await;

    let restarted = start_in(data_dir.path()).await;
    assert_eq!(restarted.ca, ca);
    let hello = ClientHello {
        ca: &ca,
        ..restarted.hello(BIZMORI)
    };
    let connection = restarted.connect(&hello).await;
    connection.expect("the client trusts the authority");
}

#[tokio::test]
async fn reset_does_not_change_authority() {
    let secure = TlsServer::start().await;
    secure
        .server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    let response = secure
        .client_for(BIZMORI)
        .send(Method::GET, "/_mock/ca.pem", &[], "")
        .await;
    assert_eq!((response.status, response.text()), (200, secure.ca));
    let media_type = response.header("content-type");
    assert_eq!(media_type, "application/pem-certificate-chain");
}

#[tokio::test]
async fn start_with_key_but_without_certificate_creates_certificate() {
    let data_dir = tempfile::tempdir().expect("a directory");
    start_in(data_dir.path()).await.server.stop().await;
    std::fs::remove_file(data_dir.path().join("tls/ca.pem")).expect("the file exists");
    let restarted = start_in(data_dir.path()).await;
    let connection = restarted.connect(&restarted.hello(BIZMORI)).await;
    connection.expect("a handshake");
}

#[tokio::test]
async fn start_with_mismatched_or_invalid_authority_files_fails() {
    let data_dir = tempfile::tempdir().expect("a directory");
    start_in(data_dir.path()).await.server.stop().await;
    let folder = data_dir.path().join("tls");
    std::fs::remove_file(folder.join("ca.key")).expect("the file exists");
    let assert_start_error = async |what: &str| {
        let error = App::start(config(data_dir.path()))
            .await
            .expect_err("the start fails");
        let prefix = format!(
            "cannot use the certificate authority in {}: {what}: ",
            folder.display()
        );
        assert!(error.starts_with(&prefix), "{error}");
        let suffix = "; remove ca.pem and ca.key to create a new authority";
        assert!(error.ends_with(suffix), "{error}");
    };
    assert_start_error("ca.pem: the certificate does not match ca.key").await;
    std::fs::write(folder.join("ca.pem"), "no certificate").expect("a file");
    assert_start_error("ca.pem").await;
    std::fs::write(folder.join("ca.key"), "no key").expect("a file");
    assert_start_error("ca.key").await;
    for file in ["ca.pem", "ca.key"] {
        std::fs::remove_file(folder.join(file)).expect("the file exists");
    }
    let restarted = start_in(data_dir.path()).await;
    let connection = restarted.connect(&restarted.hello(BIZMORI)).await;
    connection.expect("a handshake with the new authority");
}

#[tokio::test]
async fn start_line_has_plain_and_tls_address() {
    let data_dir = tempfile::tempdir().expect("a directory");
    let app = App::start(config(data_dir.path()))
        .await
        .expect("the server starts");
    let plain = app.address();
    let tls = app.tls_address().expect("a TLS address");
    assert_eq!(
        app.listening_line(),
        format!(
            "stuntdouble {} listening on http://{plain}, https://{tls}, data in {}, dashboard at http://{plain}/_mock/",
            env!("CARGO_PKG_VERSION"),
            data_dir.path().display()
        )
    );
    let other = tempfile::tempdir().expect("a directory");
    let mut same_port = config(other.path());
    same_port.tls.tls_port = tls.port();
    let error = App::start(same_port).await.expect_err("the port is in use");
    let suffix = "choose another port with --tls-port, or any free port with --tls-port 0";
    assert!(error.ends_with(suffix), "{error}");
}
