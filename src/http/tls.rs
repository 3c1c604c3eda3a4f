//! TLS for clients whose base URL cannot be changed. Such a client calls a vendor's real host, which DNS
//! resolves to this server, and trusts the server's certificate authority.
//!
//! The authority is created at the first start and stored in the data directory. Only clients that
//! install its certificate trust it, and its name constraints limit that trust to the names it was
//! created for. The server's certificate and its key are created at each start and never
//! stored. The certificate covers a fixed list of names, regardless of the name that a client requests
//! (SNI).

mod authority;

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::model::time::Timestamp;
use authority::{CertificateAuthority, RENEW};

/// The only protocol offered by ALPN. The handshake fails if a client offers only others.
const HTTP_1_1: &[u8] = b"http/1.1";
/// Names of this machine for itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A TLS connection after its handshake.
pub type ClientTlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// Performs TLS handshakes with clients.
#[derive(Debug, Clone)]
pub struct Acceptor(Arc<ServerConfig>);

/// TLS of the server: the acceptor, and the authority's certificate for clients.
#[derive(Debug)]
pub struct ServerTls {
    pub acceptor: Acceptor,
    /// Certificate of the authority in PEM, for clients to trust.
    pub ca_pem: Arc<str>,
}

impl Acceptor {
    /// Performs the handshake. Has no timeout.
    ///
    /// # Errors
    /// Returns an error if the client hangs up, or does not speak a supported version of TLS.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<ClientTlsStream> {
        TlsAcceptor::from(Arc::clone(&self.0)).accept(stream).await
    }
}

impl ServerTls {
    /// Creates a certificate for `names` and the names of this machine, signed by the authority in
    /// `folder`. Creates the authority if it does not exist.
    ///
    /// # Errors
    /// Returns a message for people that names the file and the cause.
    pub fn open(
        folder: &Path,
        names: impl Iterator<Item = String>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let authority_error = |error| {
            format!(
                "cannot use the certificate authority in {}: {error}",
                folder.display()
            )
        };
        let mut all: Vec<String> = Vec::new();
        for name in LOCAL_NAMES.map(str::to_owned).into_iter().chain(names) {
            let name = name.to_ascii_lowercase();
            if !name.is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
        let authority = CertificateAuthority::open(folder, &all, now).map_err(authority_error)?;
        let (certificate, key) = authority.issue(&all, now).map_err(authority_error)?;
        if authority.is_unlimited(now) {
            tracing::warn!(
                "the certificate authority in {} has no name constraints; {RENEW}",
                folder.display()
            );
        }
        let tls_error = |error: rustls::Error| format!("cannot configure TLS: {error}");
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(tls_error)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(tls_error)?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self {
            acceptor: Acceptor(Arc::new(config)),
            ca_pem: authority.pem.into(),
        })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
