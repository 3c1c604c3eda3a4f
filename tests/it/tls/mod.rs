//! Serving by TLS: clients whose host is fixed are led here by its name, trust the authority, and
//! are as they were.

mod authority;
mod end_to_end;
mod faults;
mod limits;
mod names;
mod silent;

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Method;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use stuntdouble::settings::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::TestServer;
use crate::support::raw::{self, RawResponse};

const BIZMORI: &str = "api.bizmori.com";
const UNDETECTABLE: &str = "ai-image-detect.undetectable.ai";
const TRUTHSCAN: &str = "detect-image.truthscan.com";

/// A server that serves by TLS, too.
struct Secure {
    stunt: TestServer,
    address: SocketAddr,
    /// The authority's certificate.
    ca: String,
}

/// How a client begins.
struct Hello<'h> {
    name: &'h str,
    /// The authority that it trusts, and no other.
    ca: &'h str,
    versions: &'h [&'static SupportedProtocolVersion],
    protocols: &'h [&'h str],
}

impl Secure {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::with_config(|config| {
            config.tls.tls = true;
            config.tls.tls_port = 0;
            set(config);
        })
        .await;
        let address = server.tls.expect("it listens by TLS");
        let ca = server.send(Method::GET, "/_mock/ca.pem", &[], "").await;
        assert_eq!(ca.status, 200, "{}", ca.text());
        let ca = ca.text();
        Self {
            stunt: server,
            address,
            ca,
        }
    }

    /// The server as a client sees it that calls that host by https, trusts the authority alone, and
    /// finds the host's name leading here.
    fn called(&self, host: &str) -> TestServer {
        let ca = reqwest::Certificate::from_pem(self.ca.as_bytes()).expect("a certificate");
        TestServer::connect_with(&format!("https://{host}"), |client| {
            client.tls_certs_only([ca]).resolve(host, self.address)
        })
    }

    fn hello<'h>(&'h self, name: &'h str) -> Hello<'h> {
        Hello {
            name,
            ca: &self.ca,
            versions: rustls::ALL_VERSIONS,
            protocols: &["http/1.1"],
        }
    }

    /// A connection whose handshake is over.
    async fn connect(&self, hello: &Hello<'_>) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(hello.ca.as_bytes()).expect("a certificate");
        roots.add(ca).expect("a root");
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(ring)
            .with_protocol_versions(hello.versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = hello
            .protocols
            .iter()
            .map(|it| it.as_bytes().to_vec())
            .collect();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(hello.name.to_owned()).expect("a name");
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    /// A connection as BIZ MORI's clients make it.
    async fn connected(&self) -> TlsStream<TcpStream> {
        let connected = self.connect(&self.hello(BIZMORI)).await;
        connected.expect("a handshake")
    }

    /// What comes when that is sent on a connection of its own.
    async fn exchanged(&self, bytes: &[u8]) -> RawResponse {
        let mut stream = self.connected().await;
        stream.write_all(bytes).await.expect("it is read");
        raw::read_to_end(&mut stream).await
    }
}

/// The bytes of a GET with key `live`; the path may be a URL.
fn get(path: &str, headers: &str) -> Vec<u8> {
    let path = path.find("/_s3/").map_or(path, |begin| &path[begin..]);
    let key = if path.starts_with("/_s3/") {
        ""
    } else {
        "Authorization: Bearer live\r\n"
    };
    format!("GET {path} HTTP/1.1\r\nHost: {BIZMORI}\r\n{key}{headers}\r\n").into_bytes()
}
