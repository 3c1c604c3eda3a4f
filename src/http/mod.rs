//! What the front doors share: operations by name and their descriptions, bodies, origins, answers
//! that say why, and connections that know when an answer has been written.

mod body;
mod browser;
mod connection;
mod cors;
mod drain_body;
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
mod peek_body;
mod progress;
mod record_body;
mod request_body;
mod request_log;
mod rule_middleware;
mod server;
mod socket;
mod streamed;
pub mod swagger_ui;
pub mod tls;
mod write_fault;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
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
use crate::services::webhooks::Webhooks;
use crate::services::worker::Worker;
use crate::settings::Config;
use crate::storage::blobs::Blobs;
use crate::storage::db::Db;

pub use body::{BodyError, JSON_BYTES_MAX, JsonObject, read_bytes, read_json};
pub use browser::{is_inbox_delivery, requires_same_origin, sandbox};
pub use connection::{ConnectionHandle, OnResponseSent};
pub use explain_headers::{
    INTERNAL_ERROR, X_MOCK_OUTCOME, X_MOCK_REASON, header_line, outcome_line,
};
pub use guard::{Guard, GuardRefusal, PREFLIGHT, require_control_access};
pub use host::Host;
pub use json::Json;
pub use listener::TcpOrTlsListener;
pub use open_connections::OpenConnections;
pub use openapi::Operation;
pub use operation::{AddMiddleware, OperationLayerState, Routes, operation_middleware};
pub use origin::{Origin, OriginError, RequestContext, origin_host};
pub use path_param::{PathParam, PathParamPair};
pub use peek_body::peek_body;
pub use progress::ConnectionTimeouts;
pub use request_body::BodyStalled;
pub use request_log::InternalFault;
pub use rule_middleware::{AccountResolver, ResolvedAccount, sleep_ms};
pub use server::HttpServer;
pub use streamed::{item, streamed};

/// What a front door may use.
#[derive(Debug)]
pub struct Services {
    pub config: Config,
    pub db: Db,
    pub accounts: Arc<Accounts>,
    pub orders: Arc<Orders>,
    pub webhooks: Arc<Webhooks>,
    pub worker: Arc<Worker>,
    pub blobs: Blobs,
    pub engine: Engine,
    pub links: PresignedUrls,
    pub signer: Arc<Signer>,
    pub hosts: Arc<KnownHosts>,
    pub entropy: Entropy,
    pub journal: Journal,
    pub metrics: Metrics,
    pub inbox: Inbox,
    pub rules: Arc<Rules>,
    pub snapshots: Arc<Snapshots>,
    /// The certificate of the authority that has signed for TLS, where that is served.
    pub ca_pem: Option<Arc<str>>,
    /// The connections that clients have opened.
    pub connections: Arc<OpenConnections>,
    /// Cancelled when the server stops: long polls end.
    pub stopping: CancellationToken,
    /// Every operation of every front door.
    pub operations: Vec<Operation>,
}

impl Services {
    /// Awaits `poll`, which takes the time that it may wait. Once the server stops, it has no time
    /// left.
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

/// The state of every handler.
pub type AppState = Arc<Services>;
