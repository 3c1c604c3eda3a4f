//! Limits of the authority: permitted names, and permissions of its key file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use stuntdouble::app::App;

use super::authority::{config, start_in};
use super::{BIZMORI, TlsServer};

/// Signs a certificate for `name` with the authority's key. Returns the error of a client that trusts
/// the authority in `folder`.
fn connection_error(folder: &Path, name: &str) -> Option<String> {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a file");
    let key = KeyPair::from_pem(&read("ca.key")).expect("a key");
    let ca = CertificateDer::from_pem_slice(read("ca.pem").as_bytes()).expect("a certificate");
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    let key_id = hex::encode(&authority.key_identifier(&key)[..4]);
    let common_name = format!("stuntdouble {key_id}");
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, common_name);
    let server_key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let signed = params.signed_by(&server_key, &Issuer::new(authority, key));
    let certificate = signed.expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(ca).expect("a root");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), ring);
    let verifier = builder.build().expect("a verifier");
    let server = ServerName::try_from(name.to_owned()).expect("a name");
    let result = verifier.verify_server_cert(certificate.der(), &[], &server, &[], UnixTime::now());
    result.err().map(|error| error.to_string())
}

#[tokio::test]
async fn authority_is_limited_to_names_of_the_server() {
    let data_dir = tempfile::tempdir().expect("a directory");
    let secure = TlsServer::start_with(|config| {
        config.data_dir = Some(data_dir.path().to_owned());
        let names = ["mock", "*.example.test", "10.1.2.3", "fd00::7"];
        config.tls.tls_names = names.map(str::to_owned).to_vec();
    })
    .await;
    let folder = data_dir.path().join("tls");
    for name in [
        BIZMORI,
        "localhost",
        "::1",
        "mock",
        "a.example.test",
        "10.1.2.3",
        "fd00::7",
    ] {
        assert_eq!(connection_error(&folder, name), None, "{name}");
    }
    for name in [
        "example.com",
        "bizmori.com",
        "test",
        "10.1.2.4",
        "fd00::8",
        "127.0.0.2",
    ] {
        let reason = connection_error(&folder, name).unwrap_or_default();
        assert!(
            reason.contains("NameConstraintViolation"),
            "{name}: {reason}"
        );
    }
    drop(secure);
}

#[tokio::test]
async fn start_with_name_that_stored_authority_does_not_permit_fails() {
    let data_dir = tempfile::tempdir().expect("a directory");
    start_in(data_dir.path()).await.server.stop().await;
    let mut with_names = config(data_dir.path());
    with_names.tls.tls_names = ["localhost", "mock", "10.1.2.3"]
        .map(str::to_owned)
        .to_vec();
    let error = App::start(with_names.clone())
        .await
        .expect_err("the start fails");
    let folder = data_dir.path().join("tls");
    assert_eq!(
        error,
        format!(
            "cannot use the certificate authority in {}: ca.pem: the name constraints do not permit mock, 10.1.2.3; remove that --tls-name, or remove ca.pem and ca.key to create a new authority, which clients have to trust again",
            folder.display()
        )
    );
    for file in ["ca.pem", "ca.key"] {
        std::fs::remove_file(folder.join(file)).expect("the file exists");
    }
    App::start(with_names).await.expect("a new authority");
    // The authority permits more names than the settings have.
    let restarted = start_in(data_dir.path()).await;
    let hello = restarted.hello(BIZMORI);
    let connection = restarted.connect(&hello).await;
    connection.expect("a handshake");
}

#[tokio::test]
async fn start_with_key_readable_by_others_fails() {
    let data_dir = tempfile::tempdir().expect("a directory");
    start_in(data_dir.path()).await.server.stop().await;
    let key = data_dir.path().join("tls/ca.key");
    let set_mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&key, permissions).expect("permissions are set");
    };
    for mode in [0o640, 0o604, 0o620] {
        set_mode(mode);
        let error = App::start(config(data_dir.path()))
            .await
            .expect_err("the start fails");
        assert_eq!(
            error,
            format!(
                "cannot use the certificate authority in {}: ca.key: only its owner may have access (mode {mode:o}); run chmod 600 {}, or remove ca.pem and ca.key to create a new authority",
                data_dir.path().join("tls").display(),
                key.display()
            )
        );
    }
    set_mode(0o600);
    App::start(config(data_dir.path()))
        .await
        .expect("the server starts");
}
