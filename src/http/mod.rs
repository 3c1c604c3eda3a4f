//! Parts that all APIs share: routes and operations, middleware, extractors, OpenAPI documents,
//! explaining response headers, TLS, and connections that report when a response has been written.

mod body;
mod browser;
mod connection;
mod cors;
mod drain_body;
mod embedded;
mod explain_error;
mod explain_headers;
mod fault;
mod guard;
mod host;
mod json;
mod listener;
mod open_connections;
pub mod openapi;
mod operation;
mod origin;
mod path_param;
mod progress;
mod record_body;
mod request_body;
mod request_log;
mod rule_middleware;
mod server;
mod socket;
mod stream_listing;
pub mod swagger_ui;
pub mod tls;
mod write_fault;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::platform::change_log::ChangeLog;
use crate::platform::metrics::Metrics;
use crate::platform::presign::{KnownHosts, Signer};
use crate::platform::rng::Entropy;
use crate::services::accounts::Accounts;
use crate::services::inbox::Inbox;
use crate::services::journal::Journal;
use crate::services::orders::Orders;
use crate::services::presigned_urls::PresignedUrls;
use crate::services::rules::Rules;
use crate::services::snapshots::Snapshots;
use crate::services::vendors::Vendors;
use crate::services::webhooks::Webhooks;
use crate::services::worker::Worker;
use crate::settings::Config;
use crate::storage::blobs::Blobs;
use crate::storage::db::Db;

pub use body::{BodyError, JSON_BYTES_MAX, JsonObject, peek_body, read_bytes, read_json};
pub use browser::{is_inbox_delivery, requires_same_origin, sandbox};
pub use connection::{ConnectionHandle, OnResponseSent};
pub use embedded::EmbeddedFiles;
pub use explain_headers::{
    INTERNAL_ERROR, X_MOCK_OUTCOME, X_MOCK_REASON, header_line, outcome_line,
};
pub use guard::{DASHBOARD, Guard, GuardRefusal, PREFLIGHT, require_control_access};
pub use host::Host;
pub use json::Json;
pub use listener::TcpOrTlsListener;
pub use open_connections::OpenConnections;
pub use openapi::{ApiDocument, Operation};
pub use operation::{AddMiddleware, OperationLayerState, Routes, operation_middleware};
pub use origin::{Origin, OriginError, RequestContext, origin_host};
pub use path_param::{PathParam, PathParamPair};
pub use progress::ConnectionTimeouts;
pub use request_body::BodyStalled;
pub use request_log::InternalFault;
pub use rule_middleware::{AccountResolver, ResolvedAccount, sleep_ms};
pub use server::HttpServer;
pub use stream_listing::{StreamError, serialize_item, stream_listing};

/// Shared dependencies of all handlers.
#[derive(Debug)]
pub struct Services {
    pub config: Config,
    /// Path of the data directory.
    pub data_dir: PathBuf,
    /// `true` if the data directory is removed at exit.
    pub is_data_dir_temporary: bool,
    pub db: Db,
    pub accounts: Arc<Accounts>,
    pub orders: Arc<Orders>,
    pub webhooks: Arc<Webhooks>,
    pub worker: Arc<Worker>,
    pub blobs: Blobs,
    pub engine: Engine,
    pub presigned_urls: PresignedUrls,
    pub signer: Arc<Signer>,
    pub hosts: Arc<KnownHosts>,
    pub entropy: Entropy,
    pub journal: Journal,
    /// Log of changes, which streams of events read.
    pub changes: ChangeLog,
    pub metrics: Metrics,
    pub inbox: Inbox,
    pub rules: Arc<Rules>,
    pub snapshots: Arc<Snapshots>,
    pub vendors: Vendors,
    /// Certificate of the authority that signs the server's TLS certificate, in PEM. `None` without TLS.
    pub ca_pem: Option<Arc<str>>,
    /// Open connections of clients.
    pub connections: Arc<OpenConnections>,
    /// Cancelled when the server stops, so that long polls end.
    pub stopping: CancellationToken,
    /// URL of the dashboard, to which log lines of failed requests link. Unset if no person reads the log.
    pub request_links: OnceLock<Arc<str>>,
    /// The operations of all APIs.
    pub operations: Vec<Operation>,
    /// OpenAPI documents of the APIs that have one.
    pub api_documents: &'static [ApiDocument],
}

impl Services {
    /// Awaits `poll`, which is called with the time that it may wait. When the server stops, `poll`
    /// is called again with no time to wait.
    pub async fn long_poll<F: Future>(
        &self,
        timeout: Duration,
        poll: impl Fn(Duration) -> F,
    ) -> F::Output {
        tokio::select! {
            biased;
            polled = poll(timeout) => polled,
            () = self.stopping.cancelled() => poll(Duration::ZERO).await,
        }
    }
}

/// Axum state of all handlers.
pub type AppState = Arc<Services>;
