//! TLS of the server's own, for clients whose base URL cannot be changed: they call a vendor's host,
//! which leads here, and trust the authority that has signed for it.
//!
//! The authority is made at the first start and kept in the data directory; nobody but who is
//! given its certificate trusts it, and its name constraints limit that to the names it was made for. The server's certificate, and the key of that, are made anew at
//! each start and kept nowhere. No name is signed for that was not asked for, whatever a client says.

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

/// The only protocol there is; a client that wants none or another gets no connection.
const HTTP_1_1: &[u8] = b"http/1.1";
/// Names that this machine has for itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A connection whose handshake is over.
pub type ClientTlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// Shakes hands with clients.
#[derive(Debug, Clone)]
pub struct Acceptor(Arc<ServerConfig>);

/// What the server needs for TLS, and what its clients do.
#[derive(Debug)]
pub struct ServerTls {
    pub acceptor: Acceptor,
    /// The authority's certificate, for clients to trust.
    pub ca_pem: Arc<str>,
}

impl Acceptor {
    /// Shakes hands; as long as the client takes.
    ///
    /// # Errors
    /// If the client goes, or speaks no TLS, or another one.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<ClientTlsStream> {
        TlsAcceptor::from(Arc::clone(&self.0)).accept(stream).await
    }
}

impl ServerTls {
    /// A certificate for these names and this machine's own, by the authority in `folder`, which is
    /// made if it is not there.
    ///
    /// # Errors
    /// One line that says what could not be had, and why.
    pub fn open(
        folder: &Path,
        names: impl Iterator<Item = String>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let describe = |error| {
            let shown = folder.display();
            format!("cannot use the certificate authority in {shown}: {error}")
        };
        let mut all: Vec<String> = Vec::new();
        for name in LOCAL_NAMES.map(str::to_owned).into_iter().chain(names) {
            let name = name.to_ascii_lowercase();
            if !name.is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
        let authority = CertificateAuthority::open(folder, &all, now).map_err(describe)?;
        let (certificate, key) = authority.issue(&all, now).map_err(describe)?;
        if authority.is_unlimited(now) {
            let folder = folder.display();
            tracing::warn!(
                "the certificate authority in {folder} was made without a limit to the names that it signs; {RENEW}"
            );
        }
        let broken = |error: rustls::Error| format!("cannot serve by TLS: {error}");
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(broken)?;
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
