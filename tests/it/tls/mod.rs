//! Serving by TLS. Clients with a fixed host resolve it to the server and trust its authority.

mod authority;
mod end_to_end;
mod faults;
mod limits;
mod names;
mod silent_clients;

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

/// Server that also serves by TLS.
struct TlsServer {
    server: TestServer,
    address: SocketAddr,
    /// Certificate of the authority, in PEM.
    ca: String,
}

/// Parameters of a client's TLS handshake.
struct ClientHello<'h> {
    name: &'h str,
    /// The only authority that the client trusts.
    ca: &'h str,
    versions: &'h [&'static SupportedProtocolVersion],
    protocols: &'h [&'h str],
}

impl TlsServer {
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
        let address = server.tls.expect("a TLS address");
        let response = server.send(Method::GET, "/_mock/ca.pem", &[], "").await;
        assert_eq!(response.status, 200, "{}", response.text());
        let ca = response.text();
        Self {
            server,
            address,
            ca,
        }
    }

    /// Client that calls `host` by HTTPS, resolves it to this server and trusts only its authority.
    fn client_for(&self, host: &str) -> TestServer {
        let ca = reqwest::Certificate::from_pem(self.ca.as_bytes()).expect("a certificate");
        TestServer::connect_with(&format!("https://{host}"), |client| {
            client.tls_certs_only([ca]).resolve(host, self.address)
        })
    }

    fn hello<'h>(&'h self, name: &'h str) -> ClientHello<'h> {
        ClientHello {
            name,
            ca: &self.ca,
            versions: rustls::ALL_VERSIONS,
            protocols: &["http/1.1"],
        }
    }

    /// Connects and completes the handshake.
    async fn connect(&self, hello: &ClientHello<'_>) -> std::io::Result<TlsStream<TcpStream>> {
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

    /// Connects with the host of BIZ MORI.
    async fn connect_to_bizmori(&self) -> TlsStream<TcpStream> {
        let connection = self.connect(&self.hello(BIZMORI)).await;
        connection.expect("a handshake")
    }

    /// Sends bytes on a new connection and reads until its end.
    async fn exchange(&self, bytes: &[u8]) -> RawResponse {
        let mut stream = self.connect_to_bizmori().await;
        let written = stream.write_all(bytes).await;
        written.expect("the request is sent");
        raw::read_to_end(&mut stream).await
    }
}

/// Builds a GET request with API key `live`. `path` may be a presigned URL, which needs no key.
fn get(path: &str, headers: &str) -> Vec<u8> {
    let path = path.find("/_s3/").map_or(path, |start| &path[start..]);
    let key = if path.starts_with("/_s3/") {
        ""
    } else {
        "Authorization: Bearer live\r\n"
    };
    format!("GET {path} HTTP/1.1\r\nHost: {BIZMORI}\r\n{key}{headers}\r\n").into_bytes()
}
