//! The authority is kept as long as the data directory is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use reqwest::Method;
use serde_json::json;
use stuntdouble::app::App;
use stuntdouble::settings::Config;

use super::{BIZMORI, Hello, Secure};

pub(super) async fn kept_in(folder: &Path) -> Secure {
    Secure::start_with(|config| config.data_dir = Some(folder.to_owned())).await
}

/// The settings of a server by TLS that keeps its data there.
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
async fn it_outlives_the_server_and_its_key_is_the_owners_alone() {
    let data_dir = tempfile::tempdir().expect("a directory");
    let first = kept_in(data_dir.path()).await;
    let folder = data_dir.path().join("tls");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["ca.key", "ca.pem"], "and no other key");
    assert_eq!(mode(&folder.join("ca.key")), 0o600);
    assert_eq!(mode(&folder.join("ca.pem")), 0o600);
    let file = std::fs::read_to_string(folder.join("ca.pem")).expect("a file");
    let Secure {
        stunt: server, ca, ..
    } = first;
    assert_eq!(ca, file);
    server.stop().await;

    let again = kept_in(data_dir.path()).await;
    assert_eq!(again.ca, ca);
    let hello = Hello {
        ca: &ca,
        ..again.hello(BIZMORI)
    };
    again
        .connect(&hello)
        .await
        .expect("it is trusted as before");
}

#[tokio::test]
async fn a_reset_leaves_it() {
    let secure = Secure::start().await;
    secure
        .stunt
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    let response = secure
        .called(BIZMORI)
        .send(Method::GET, "/_mock/ca.pem", &[], "")
        .await;
    assert_eq!((response.status, response.text()), (200, secure.ca));
    let media_type = response.header("content-type");
    assert_eq!(media_type, "application/pem-certificate-chain");
}

#[tokio::test]
async fn a_key_without_a_certificate_is_given_one() {
    let data_dir = tempfile::tempdir().expect("a directory");
    kept_in(data_dir.path()).await.stunt.stop().await;
    std::fs::remove_file(data_dir.path().join("tls/ca.pem")).expect("it was there");
    let again = kept_in(data_dir.path()).await;
    again
        .connect(&again.hello(BIZMORI))
        .await
        .expect("it is good");
}

#[tokio::test]
async fn files_that_are_not_of_one_another_are_told_of_at_the_start() {
    let data_dir = tempfile::tempdir().expect("a directory");
    kept_in(data_dir.path()).await.stunt.stop().await;
    let folder = data_dir.path().join("tls");
    let started = async || {
        App::start(config(data_dir.path()))
            .await
            .expect_err("it fails")
    };
    std::fs::remove_file(folder.join("ca.key")).expect("it was there");
    let error = async |what: &str| {
        let line = started().await;
        let begins = format!(
            "cannot use the certificate authority in {}: {what}: ",
            folder.display()
        );
        assert!(line.starts_with(&begins), "{line}");
        let ends = "; remove ca.pem and ca.key to create a new authority";
        assert!(line.ends_with(ends), "{line}");
    };
    error("ca.pem: the certificate does not match ca.key").await;
    std::fs::write(folder.join("ca.pem"), "no certificate").expect("a file");
    error("ca.pem").await;
    std::fs::write(folder.join("ca.key"), "no key").expect("a file");
    error("ca.key").await;
    for file in ["ca.pem", "ca.key"] {
        std::fs::remove_file(folder.join(file)).expect("it was there");
    }
    let again = kept_in(data_dir.path()).await;
    again
        .connect(&again.hello(BIZMORI))
        .await
        .expect("new ones are good");
}

#[tokio::test]
async fn the_start_line_tells_both_addresses() {
    let data_dir = tempfile::tempdir().expect("a directory");
    let app = App::start(config(data_dir.path()))
        .await
        .expect("it starts");
    let (plain, tls) = (app.address(), app.tls_address().expect("it listens by TLS"));
    assert_eq!(
        app.listening_line(),
        format!(
            "stuntdouble {} listening on http://{plain}, https://{tls}, data in {}",
            env!("CARGO_PKG_VERSION"),
            data_dir.path().display()
        )
    );
    let other = tempfile::tempdir().expect("a directory");
    let mut accepted = config(other.path());
    accepted.tls.tls_port = tls.port();
    let line = App::start(accepted).await.expect_err("the port is taken");
    let ends = "choose another port with --tls-port, or any free port with --tls-port 0";
    assert!(line.ends_with(ends), "{line}");
}
