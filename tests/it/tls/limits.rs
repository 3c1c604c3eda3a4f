//! Limits of the authority: who may read its key, and for which names it can sign.

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

use super::authority::{config, kept_in};
use super::{BIZMORI, Secure};

/// Error of a client that trusts the authority in `folder` and is shown a certificate for `name`
/// that whoever has the authority's key has made.
fn refused_connection(folder: &Path, name: &str) -> Option<String> {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a file");
    let key = KeyPair::from_pem(&read("ca.key")).expect("a key");
    let ca = CertificateDer::from_pem_slice(read("ca.pem").as_bytes()).expect("a certificate");
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    let number = hex::encode(&authority.key_identifier(&key)[..4]);
    let common_name = format!("stuntdouble {number}");
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, common_name);
    let own = KeyPair::generate().expect("a key");
    let forged = CertificateParams::new([name.to_owned()]).expect("a name");
    let forged = forged.signed_by(&own, &Issuer::new(authority, key));
    let forged = forged.expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(ca).expect("a root");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), ring);
    let verifier = verifier.build().expect("a verifier");
    let server = ServerName::try_from(name.to_owned()).expect("a name");
    let checked = verifier.verify_server_cert(forged.der(), &[], &server, &[], UnixTime::now());
    checked.err().map(|error| error.to_string())
}

#[tokio::test]
async fn authority_is_good_for_the_names_that_it_signs_and_no_other() {
    let data_dir = tempfile::tempdir().expect("a directory");
    let secure = Secure::start_with(|config| {
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
        assert_eq!(refused_connection(&folder, name), None, "{name}");
    }
    for name in [
        "example.com",
        "bizmori.com",
        "test",
        "10.1.2.4",
        "fd00::8",
        "127.0.0.2",
    ] {
        let why = refused_connection(&folder, name).unwrap_or_default();
        assert!(why.contains("NameConstraintViolation"), "{name}: {why}");
    }
    drop(secure);
}

#[tokio::test]
async fn name_that_the_kept_authority_does_not_permit_is_refused_at_the_start() {
    let data_dir = tempfile::tempdir().expect("a directory");
    kept_in(data_dir.path()).await.stunt.stop().await;
    let mut with_names = config(data_dir.path());
    with_names.tls.tls_names = ["localhost", "mock", "10.1.2.3"]
        .map(str::to_owned)
        .to_vec();
    let line = App::start(with_names.clone()).await.expect_err("it fails");
    let folder = data_dir.path().join("tls");
    assert_eq!(
        line,
        format!(
            "cannot use the certificate authority in {}: ca.pem: the name constraints do not permit mock, 10.1.2.3; remove that --tls-name, or remove ca.pem and ca.key to create a new authority, which clients have to trust again",
            folder.display()
        )
    );
    for file in ["ca.pem", "ca.key"] {
        std::fs::remove_file(folder.join(file)).expect("it was there");
    }
    App::start(with_names).await.expect("a new authority");
    // Fewer names than it was made for are no reason to refuse it.
    let again = kept_in(data_dir.path()).await;
    let hello = again.hello(BIZMORI);
    again.connect(&hello).await.expect("it is good");
}

#[tokio::test]
async fn key_that_others_can_read_is_refused_at_the_start() {
    let data_dir = tempfile::tempdir().expect("a directory");
    kept_in(data_dir.path()).await.stunt.stop().await;
    let key = data_dir.path().join("tls/ca.key");
    let set_mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&key, permissions).expect("it is ours");
    };
    for mode in [0o640, 0o604, 0o620] {
        set_mode(mode);
        let line = App::start(config(data_dir.path()))
            .await
            .expect_err("it fails");
        assert_eq!(
            line,
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
        .expect("it starts");
}
