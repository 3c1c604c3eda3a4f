//! The composition root: everything is made here once, wired, served, and brought down again.
//!
//! A request's life: [`crate::http`] observes it under its operation's name, a front door reads
//! it in the vendor's words, a verb does what it asks in one transaction, and the front door
//! tells the outcome. What takes time is a job, which [`crate::services::worker`] runs when it is due.

mod descriptors;
mod listen;
mod router;
mod settings;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{bizmori, control, s3, undetectable};
use crate::http::tls::{Acceptor, ServerTls};
use crate::http::{
    AppState, GuardRefusal, HttpServer, OpenConnections, Operation, PREFLIGHT, Routes, Services,
    TcpOrTlsListener,
};
use crate::model::account::Revision;
use crate::model::order::Vendor;
use crate::platform::clock;
use crate::platform::metrics::Metrics;
use crate::platform::outbound::OutboundClient;
use crate::platform::presign::KnownHosts;
use crate::platform::rng::Entropy;
use crate::services::accounts::Accounts;
use crate::services::claims::Claims;
use crate::services::inbox::Inbox;
use crate::services::journal::{self, Journal};
use crate::services::orders::Orders;
use crate::services::presigned_urls::PresignedUrls;
use crate::services::rules::Rules;
use crate::services::snapshots::Snapshots;
use crate::services::webhooks::{EventBuilder, Webhooks};
use crate::services::worker::Worker;
use crate::settings::Config;
use crate::storage::blobs::Blobs;
use crate::storage::data_dir::DataDir;
use crate::storage::db::Db;
use listen::{bind, local_url};
use router::{UNMATCHED, router, vendor_hosts};
use settings::{build_engine, build_signer, order_settings, outbound_timeouts};

/// Grace period for requests in flight and running jobs, both together, on shutdown. Docker kills
/// after 10 s.
const GRACE_PERIOD: Duration = Duration::from_secs(3);
/// Target of the log line that says that the server listens. In JSON it is on standard output, in
/// place of the line in text.
pub const START_TARGET: &str = "stuntdouble::start";
const DATABASE: &str = "stuntdouble.db";
/// The folder of the authority that signs for TLS.
const TLS_DIR: &str = "tls";

/// What each vendor tells by webhook.
const EVENT_BUILDERS: [(Vendor, EventBuilder); 1] = [(Vendor::Bizmori, bizmori::build_event)];

/// A server that is bound and not yet serving.
#[derive(Debug)]
pub struct App {
    state: AppState,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<HttpsListener>,
    data: DataDir,
}

/// Where it listens by TLS, too.
#[derive(Debug)]
struct HttpsListener {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Acceptor,
}

/// Every operation of every front door.
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
    /// Opens the data directory, takes up what an earlier process left there, binds, and sets up
    /// the fixtures, if there are any.
    ///
    /// # Errors
    /// One line that says what could not be had, and why.
    pub async fn start(config: Config) -> Result<Self, String> {
        descriptors::raise_limit();
        let data = DataDir::open(config.data_dir.as_deref(), config.data_mount.as_deref())?;
        let describe = |what: &'static str| {
            move |error: &dyn std::fmt::Display| format!("cannot {what}: {error}")
        };
        let db = Db::open(&data.path().join(DATABASE))
            .await
            .map_err(|e| describe("open the database")(&e))?;
        let blobs = Blobs::open(data.path().to_owned())
            .await
            .map_err(|e| describe("open the blob store")(&e))?;
        let tls = load_tls(&config, data.path())?;
        let ca_pem = tls.as_ref().map(|tls| Arc::clone(&tls.ca_pem));
        let context = build_services(config, data.path(), db, blobs, ca_pem).await?;
        let (host, settings) = (context.config.host, &context.config.tls);
        let (listener, address) = bind(host, context.config.port, "--port").await?;
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
        if let Some(file) = &context.config.fixtures {
            let origin = context.config.public_url.clone();
            let origin = origin.unwrap_or_else(|| local_url("http", address));
            control::load_fixtures(&context, file, &origin).await?;
        }
        Ok(Self {
            state: context,
            listener,
            address,
            tls,
            data,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens by TLS, if it does.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|tls| tls.address)
    }

    /// The line that says where it listens and where the data is.
    #[must_use]
    pub fn listening_line(&self) -> String {
        let stored = if self.data.is_temporary() {
            " (temporary: gone at exit)"
        } else {
            ""
        };
        let by_tls = self.tls_address();
        let by_tls = by_tls.map(|it| format!(", {}", local_url("https", it)));
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "stuntdouble {version} listening on {}{}, data in {}{stored}",
            local_url("http", self.address),
            by_tls.unwrap_or_default(),
            self.data.path().display()
        )
    }

    /// Logs what [`App::listening_line`] says, as fields.
    pub fn log_start(&self) {
        let tls = self.tls_address().map(|it| format!("https://{it}"));
        tracing::info!(
            target: START_TARGET,
            version = env!("CARGO_PKG_VERSION"),
            address = format!("http://{}", self.address),
            tls,
            data = &*self.data.path().to_string_lossy(),
            temporary = self.data.is_temporary(),
            "listening"
        );
    }

    /// Serves until `stop` is done, which names the signal; then requests and jobs under way are finished, and what is
    /// due later stays for the next start.
    ///
    /// # Errors
    /// If the jobs cannot be taken up.
    pub async fn serve(
        self,
        stop: impl Future<Output = &'static str> + Send + 'static,
    ) -> Result<(), String> {
        let context = self.state;
        let began = Instant::now();
        let not_taken_up = |error| format!("cannot take up the jobs: {error}");
        if context.config.orders.revision == Revision::V2026_10 {
            let scheduled = context.orders.schedule_sunset_jobs().await;
            scheduled.map_err(not_taken_up)?;
        }
        context.worker.start().await.map_err(not_taken_up)?;
        let by_tls = self.tls.map(|tls| (tls.listener, Some(tls.acceptor)));
        let listeners = [(self.listener, None)].into_iter().chain(by_tls);
        let listeners =
            listeners.map(|(listener, acceptor)| TcpOrTlsListener::new(listener, acceptor));
        let mut server = HttpServer::new(
            listeners.collect(),
            router(&context),
            outbound_timeouts(&context.config),
            Arc::clone(&context.connections),
            context.stopping.clone(),
        );
        let stopping = context.stopping.clone();
        let signal = tokio::spawn(async move {
            let signal = stop.await;
            stopping.cancel();
            signal
        });
        server.serve().await;
        let deadline = Instant::now() + GRACE_PERIOD;
        if !server.finish(deadline).await {
            tracing::warn!("cut off requests that did not end");
        }
        let remaining = deadline.saturating_duration_since(Instant::now());
        context.worker.stop(remaining).await;
        log_stop(&context, signal.await.ok(), began.elapsed()).await;
        context.db.close().await;
        context.blobs.close().await;
        drop(self.data);
        Ok(())
    }
}

/// Logs that the server stops, and what it has done.
async fn log_stop(context: &Services, signal: Option<&str>, uptime: Duration) {
    let (requests, refused) = context.metrics.totals();
    let webhooks_pending = context.webhooks.pending_deliveries().await.ok();
    tracing::info!(
        signal,
        uptimeSeconds = (uptime.as_secs_f64() * 10.0).round() / 10.0,
        requests,
        refused,
        webhooksPending = webhooks_pending,
        "stopped"
    );
}

/// What is needed for TLS, where that is wanted.
fn load_tls(config: &Config, root: &Path) -> Result<Option<ServerTls>, String> {
    if !config.tls.tls {
        return Ok(None);
    }
    let wanted = config.tls.tls_names.iter().cloned();
    let names = vendor_hosts().map(str::to_owned).chain(wanted);
    ServerTls::open(&root.join(TLS_DIR), names, clock::real_now()).map(Some)
}

async fn build_services(
    config: Config,
    root: &Path,
    db: Db,
    blobs: Blobs,
    ca_pem: Option<Arc<str>>,
) -> Result<AppState, String> {
    let broken = |error| format!("cannot read the database: {error}");
    let operations = operations();
    let names = operations.iter().map(|operation| operation.name);
    let refused = GuardRefusal::NAMES
        .into_iter()
        .chain([PREFLIGHT, UNMATCHED]);
    let metrics = Metrics::new(names.chain(refused));
    let entropy = Entropy::new(&config.seed);
    let signer = Arc::new(build_signer(&config));
    let hosts = Arc::new(KnownHosts::default());
    let links = PresignedUrls::load(Arc::clone(&signer), Arc::clone(&hosts), db.clone())
        .await
        .map_err(broken)?;
    let accounts = Accounts::load(db.clone(), blobs.clone(), entropy.clone(), config.mode)
        .await
        .map_err(broken)?;
    let accounts = Arc::new(accounts);
    let timeout = Duration::from_millis(u64::from(config.outbound.webhook_timeout_ms));
    let outbound = OutboundClient::new(timeout, config.outbound.allow_public);
    let rules = Rules::load(db.clone(), entropy.clone(), |id| accounts.by_id(id))
        .await
        .map_err(broken)?;
    let rules = Arc::new(rules);
    let engine = build_engine(&config);
    let claims = Claims::new(db.agenda().clone());
    let webhooks = Arc::new(Webhooks::new(
        db.clone(),
        Arc::clone(&accounts),
        Arc::clone(&rules),
        entropy.clone(),
        links.clone(),
        outbound.clone(),
        claims.clone(),
        metrics.clone(),
        EVENT_BUILDERS.to_vec(),
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
        root,
        db.clone(),
        blobs.clone(),
        Arc::clone(&accounts),
        Arc::clone(&rules),
    )
    .await
    .map_err(|error| format!("cannot read the snapshots: {error}"))?;
    let journal = Journal::new(journal::JournalLimits {
        requests: config.journal.journal_requests_max,
        bytes: config.journal.journal_bytes_max,
    });
    let connections_max = descriptors::connections_max(config.connections.connections_max);
    Ok(Arc::new(Services {
        config,
        db,
        accounts,
        orders,
        webhooks,
        worker,
        blobs,
        engine,
        links,
        signer,
        hosts,
        entropy,
        journal,
        metrics,
        inbox: Inbox::default(),
        rules,
        snapshots: Arc::new(snapshots),
        ca_pem,
        connections: Arc::new(OpenConnections::new(connections_max)),
        stopping: CancellationToken::new(),
        operations,
    }))
}
