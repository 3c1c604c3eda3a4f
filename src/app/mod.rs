//! Composition root: builds the services, mounts the APIs, serves, and shuts down. The crate docs
//! describe the flow of a request.

mod descriptors;
mod listen;
mod router;
mod settings;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{bizmori, control, s3, undetectable};
use crate::http::tls::{Acceptor, ServerTls};
use crate::http::{
    ApiDocument, AppState, DASHBOARD, GuardRefusal, HttpServer, OpenConnections, Operation,
    PREFLIGHT, Routes, Services, TcpOrTlsListener,
};
use crate::model::account::Revision;
use crate::platform::clock;
use crate::platform::metrics::Metrics;
use crate::platform::outbound::OutboundClient;
use crate::platform::presign::KnownHosts;
use crate::platform::rng::Entropy;
use crate::services::accounts::Accounts;
use crate::services::claims::Claims;
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
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use listen::{bind, local_url};
use router::{UNMATCHED, router, vendor_hosts};
use settings::{build_engine, build_signer, connection_timeouts, journal_limits, order_settings};

/// Grace period for requests in flight and running jobs, both together, on shutdown. Docker kills
/// after 10 s.
const GRACE_PERIOD: Duration = Duration::from_secs(3);
/// Target of the log line "listening". With `--log-format json` that line goes to standard output, in
/// place of [`App::listening_line`].
pub const START_TARGET: &str = "stuntdouble::start";
const DATABASE: &str = "stuntdouble.db";
/// Folder of the TLS authority's key and certificate, below the data directory.
const TLS_DIR: &str = "tls";

/// Profiles of the vendors.
const VENDORS: Vendors = Vendors::new([&bizmori::PROFILE, &undetectable::PROFILE]);

/// OpenAPI documents of the APIs that have one.
static API_DOCUMENTS: [ApiDocument; 3] = [
    ApiDocument::new("bizmori", bizmori::description),
    ApiDocument::new("undetectable", undetectable::description),
    ApiDocument::new("control", control::description),
];

/// A server that is bound to its ports and does not serve yet.
#[derive(Debug)]
pub struct App {
    state: AppState,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<HttpsListener>,
    data: DataDir,
}

/// Listener for HTTPS.
#[derive(Debug)]
struct HttpsListener {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Acceptor,
}

/// Returns the operations of all APIs.
#[must_use]
pub fn operations() -> Vec<Operation> {
    [
        bizmori::routes(None),
        undetectable::routes(None),
        s3::routes(None),
        control::routes(None),
    ]
    .into_iter()
    .flat_map(Routes::operations)
    .collect()
}

impl App {
    /// Opens the data directory, loads the state of an earlier process, binds the ports, and loads
    /// the fixtures if a file is configured.
    ///
    /// # Errors
    /// Returns a message for people that names the step that failed and the cause.
    pub async fn start(config: Config) -> Result<Self, String> {
        descriptors::raise_limit();
        let data = DataDir::open(config.data_dir.as_deref(), config.data_mount.as_deref())?;
        let db = Db::open(&data.path().join(DATABASE))
            .await
            .map_err(|error| format!("cannot open the database: {error}"))?;
        let blobs = Blobs::open(data.path().to_owned())
            .await
            .map_err(|error| format!("cannot open the blob store: {error}"))?;
        let tls = load_tls(&config, data.path())?;
        let ca_pem = tls.as_ref().map(|tls| Arc::clone(&tls.ca_pem));
        let state = build_services(config, &data, db, blobs, ca_pem).await?;
        let host = state.config.host;
        let settings = &state.config.tls;
        let (listener, address) = bind(host, state.config.port, "--port").await?;
        let tls = match tls {
            None => None,
            Some(ServerTls { acceptor, .. }) => {
                let (listener, address) = bind(host, settings.tls_port, "--tls-port").await?;
                Some(HttpsListener {
                    listener,
                    address,
                    acceptor,
                })
            }
        };
        if let Some(file) = &state.config.fixtures {
            let public_url = state.config.public_url.clone();
            let origin = public_url.unwrap_or_else(|| local_url("http", address));
            control::load_fixtures(&state, file, &origin).await?;
        }
        Ok(Self {
            state,
            listener,
            address,
            tls,
            data,
        })
    }

    /// Returns the address of the HTTP listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the HTTPS listener. `None` without TLS.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|tls| tls.address)
    }

    /// Returns the URL of the dashboard for a browser on this machine.
    fn dashboard_url(&self) -> String {
        format!("{}{DASHBOARD}", local_url("http", self.address))
    }

    /// Returns a line with the version, the URLs, the data directory and the dashboard.
    #[must_use]
    pub fn listening_line(&self) -> String {
        let lifetime = if self.data.is_temporary() {
            " (temporary: removed at exit)"
        } else {
            ""
        };
        let https_url = self
            .tls_address()
            .map(|address| format!(", {}", local_url("https", address)))
            .unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "stuntdouble {version} listening on {}{https_url}, data in {}{lifetime}, dashboard at {}",
            local_url("http", self.address),
            self.data.path().display(),
            self.dashboard_url()
        )
    }

    /// Ends the log lines of failed requests with links to the dashboard, for people who read the log
    /// in a terminal.
    pub fn link_requests(&self) {
        // A second call changes nothing: the address is the same.
        let _ = self.state.request_links.set(self.dashboard_url().into());
    }

    /// Logs the facts of [`App::listening_line`] as fields.
    pub fn log_start(&self) {
        let tls = self
            .tls_address()
            .map(|address| format!("https://{address}"));
        tracing::info!(
            target: START_TARGET,
            version = env!("CARGO_PKG_VERSION"),
            address = format!("http://{}", self.address),
            tls,
            dashboard = self.dashboard_url(),
            data = &*self.data.path().to_string_lossy(),
            temporary = self.data.is_temporary(),
            "listening"
        );
    }

    /// Serves until `stop` completes with the name of a signal. Requests in flight and running jobs
    /// then have 3 s to end. Jobs that are due later stay in the database.
    ///
    /// # Errors
    /// Returns a message for people if the pending jobs cannot be read from the database.
    pub async fn serve(
        self,
        stop: impl Future<Output = &'static str> + Send + 'static,
    ) -> Result<(), String> {
        let state = self.state;
        let started_at = Instant::now();
        let job_error = |error| format!("cannot read the pending jobs: {error}");
        if state.config.orders.revision == Revision::V2026_10 {
            let scheduled = state.orders.schedule_sunset_jobs().await;
            scheduled.map_err(job_error)?;
        }
        state.worker.start().await.map_err(job_error)?;
        let https = self.tls.map(|tls| (tls.listener, Some(tls.acceptor)));
        let listeners = [(self.listener, None)]
            .into_iter()
            .chain(https)
            .map(|(listener, acceptor)| TcpOrTlsListener::new(listener, acceptor))
            .collect();
        let mut server = HttpServer::new(
            listeners,
            router(&state),
            connection_timeouts(&state.config),
            Arc::clone(&state.connections),
            state.stopping.clone(),
        );
        let stopping = state.stopping.clone();
        let signal = tokio::spawn(async move {
            let signal = stop.await;
            stopping.cancel();
            signal
        });
        server.serve().await;
        let deadline = Instant::now() + GRACE_PERIOD;
        if !server.finish(deadline).await {
            tracing::warn!("shutdown grace period exceeded; aborting in-flight requests");
        }
        let remaining = deadline.saturating_duration_since(Instant::now());
        state.worker.stop(remaining).await;
        log_stop(&state, signal.await.ok(), started_at.elapsed()).await;
        state.db.close().await;
        state.blobs.close().await;
        drop(self.data);
        Ok(())
    }
}

/// Logs that the server stops, with its uptime and counts of requests and undelivered webhooks.
async fn log_stop(state: &Services, signal: Option<&str>, uptime: Duration) {
    let (requests, refused) = state.metrics.totals();
    let webhooks_pending = state.webhooks.pending_deliveries().await.ok();
    tracing::info!(
        signal,
        uptimeSeconds = (uptime.as_secs_f64() * 10.0).round() / 10.0,
        requests,
        refused,
        webhooksPending = webhooks_pending,
        "stopped"
    );
}

/// Returns the TLS acceptor and the authority's certificate. `None` if TLS is switched off.
fn load_tls(config: &Config, root: &Path) -> Result<Option<ServerTls>, String> {
    if !config.tls.tls {
        return Ok(None);
    }
    let configured = config.tls.tls_names.iter().cloned();
    let names = vendor_hosts().map(str::to_owned).chain(configured);
    ServerTls::open(&root.join(TLS_DIR), names, clock::real_now()).map(Some)
}

async fn build_services(
    config: Config,
    data: &DataDir,
    db: Db,
    blobs: Blobs,
    ca_pem: Option<Arc<str>>,
) -> Result<AppState, String> {
    let database_error = |error| format!("cannot read the database: {error}");
    let operations = operations();
    let names = operations.iter().map(|operation| operation.name);
    let other_names = GuardRefusal::NAMES
        .into_iter()
        .chain([PREFLIGHT, UNMATCHED]);
    let metrics = Metrics::new(names.chain(other_names));
    let entropy = Entropy::new(&config.seed);
    let signer = Arc::new(build_signer(&config));
    let hosts = Arc::new(KnownHosts::default());
    let presigned_urls = PresignedUrls::load(Arc::clone(&signer), Arc::clone(&hosts), db.clone())
        .await
        .map_err(database_error)?;
    let accounts = Accounts::load(db.clone(), blobs.clone(), entropy.clone(), config.mode)
        .await
        .map(Arc::new)
        .map_err(database_error)?;
    let timeout = Duration::from_millis(u64::from(config.outbound.webhook_timeout_ms));
    let outbound = OutboundClient::new(timeout, config.outbound.allow_public);
    let rules = Rules::load(db.clone(), entropy.clone(), |id| accounts.by_id(id))
        .await
        .map(Arc::new)
        .map_err(database_error)?;
    let engine = build_engine(&config);
    let claims = Claims::new(db.due_index().clone());
    let webhooks = Arc::new(Webhooks::new(
        db.clone(),
        Arc::clone(&accounts),
        Arc::clone(&rules),
        entropy.clone(),
        presigned_urls.clone(),
        outbound.clone(),
        claims.clone(),
        metrics.clone(),
        VENDORS,
    ));
    let orders = Arc::new(Orders::new(
        db.clone(),
        Arc::clone(&accounts),
        Arc::clone(&webhooks),
        Arc::clone(&rules),
        blobs.clone(),
        engine.clone(),
        entropy.clone(),
        claims.clone(),
        outbound,
        VENDORS,
        order_settings(&config),
    ));
    let worker = Worker::new(
        db.clone(),
        Arc::clone(&accounts),
        Arc::clone(&orders),
        Arc::clone(&webhooks),
        claims,
        metrics.clone(),
    );
    let snapshots = Snapshots::open(
        data.path(),
        db.clone(),
        blobs.clone(),
        Arc::clone(&accounts),
        Arc::clone(&rules),
    )
    .await
    .map_err(|error| format!("cannot read the snapshots: {error}"))?;
    let limits = journal_limits(&config);
    let changes = db.changes().clone();
    let connections_max = descriptors::connections_max(config.connections.connections_max);
    Ok(Arc::new(Services {
        config,
        data_dir: data.path().to_owned(),
        is_data_dir_temporary: data.is_temporary(),
        db,
        accounts,
        orders,
        webhooks,
        worker,
        blobs,
        engine,
        presigned_urls,
        signer,
        hosts,
        entropy,
        journal: Journal::new(limits, changes.clone()),
        metrics,
        inbox: Inbox::new(changes.clone()),
        changes,
        rules,
        snapshots: Arc::new(snapshots),
        vendors: VENDORS,
        ca_pem,
        connections: Arc::new(OpenConnections::new(connections_max)),
        stopping: CancellationToken::new(),
        operations,
        request_links: OnceLock::new(),
        api_documents: &API_DOCUMENTS,
    }))
}
