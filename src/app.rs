//! The composition root: everything is made here once, wired, served, and brought down again.
//!
//! A request's life: [`crate::web`] observes it under its operation's name, a front door reads
//! it in the vendor's words, a verb does what it asks in one transaction, and the front door
//! tells the outcome. What takes time is a job, which [`crate::worker`] runs when it is due.

mod router;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::accounts::Accounts;
use crate::blobs::Blobs;
use crate::claims::Claims;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::engine::Engine;
use crate::entropy::Entropy;
use crate::inbox::Inbox;
use crate::journal::{self, Journal};
use crate::links::Links;
use crate::model::account::{Processing, Revision};
use crate::model::order::Vendor;
use crate::orders::{self, Orders};
use crate::outbound::Outbound;
use crate::presign::{KnownHosts, Signer};
use crate::rules::Rules;
use crate::snapshots::Snapshots;
use crate::store::Db;
use crate::web::{Connections, Context, Operation, Peer, Routes, Verbs};
use crate::webhooks::{Projection, Webhooks};
use crate::worker::Worker;
use crate::{bizmori, control, storage, undetectable};
use router::router;

/// What requests and jobs under way have when the server is told to stop; less than the ten
/// seconds docker gives.
const PATIENCE: Duration = Duration::from_secs(8);
const DATABASE: &str = "stuntdouble.db";

/// What each vendor tells by webhook.
const PROJECTIONS: [(Vendor, Projection); 1] = [(Vendor::Bizmori, bizmori::project)];

/// A server that is bound and not yet serving.
#[derive(Debug)]
pub struct App {
    context: Context,
    listener: TcpListener,
    address: SocketAddr,
    data: DataDir,
}

/// Every operation of every front door.
#[must_use]
pub fn operations() -> Vec<Operation> {
    [
        bizmori::routes(None),
        undetectable::routes(None),
        storage::routes(None),
        control::routes(None),
    ]
    .into_iter()
    .flat_map(Routes::operations)
    .collect()
}

impl App {
    /// Opens the data directory, takes up what an earlier process left there, and binds.
    ///
    /// # Errors
    /// One line that says what could not be had, and why.
    pub async fn start(config: Config) -> Result<Self, String> {
        let data = DataDir::open(config.data_dir.as_deref(), config.data_mount.as_deref())?;
        let said = |what: &'static str| {
            move |error: &dyn std::fmt::Display| format!("cannot {what}: {error}")
        };
        let db = Db::open(&data.path().join(DATABASE))
            .await
            .map_err(|e| said("open the database")(&e))?;
        let blobs = Blobs::open(data.path().to_owned())
            .await
            .map_err(|e| said("open the blob store")(&e))?;
        let context = compose(config, data.path(), db, blobs).await?;
        let wanted = SocketAddr::from((context.config.host, context.config.port));
        let bound = TcpListener::bind(wanted).await;
        let listener = bound.map_err(|error| {
            format!("cannot listen on {wanted}: {error}; choose another with --port, or a free one with --port 0")
        })?;
        let address = listener
            .local_addr()
            .map_err(|e| said("tell the address")(&e))?;
        Ok(Self {
            context,
            listener,
            address,
            data,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The line that says where it listens and where the data is.
    #[must_use]
    pub fn start_line(&self) -> String {
        let kept = if self.data.is_temporary() {
            " (temporary: gone at exit)"
        } else {
            ""
        };
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "stuntdouble {version} listening on http://{}, data in {}{kept}",
            self.address,
            self.data.path().display()
        )
    }

    /// Serves until `stop` is done; then requests and jobs under way are finished, and what is
    /// due later stays for the next start.
    ///
    /// # Errors
    /// If the jobs cannot be taken up, or the socket breaks.
    pub async fn serve(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), String> {
        let context = self.context;
        let not_taken_up = |error| format!("cannot take up the jobs: {error}");
        if context.config.orders.revision == Revision::V2026_10 {
            let foreseen = context.orders.foresee_sunset().await;
            foreseen.map_err(not_taken_up)?;
        }
        context.worker.start().await.map_err(not_taken_up)?;
        let service = router(&context).into_make_service_with_connect_info::<Peer>();
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let deadline = Arc::new(OnceLock::new());
        let told = Arc::clone(&deadline);
        let signal = async move {
            stop.await;
            told.get_or_init(|| Instant::now() + PATIENCE);
            let _ = stopping.send(());
        };
        let serving =
            axum::serve(Connections(self.listener), service).with_graceful_shutdown(signal);
        let overdue = async {
            let _ = stopped.await;
            tokio::time::sleep(PATIENCE).await;
        };
        tokio::select! {
            served = serving.into_future() => served.map_err(|error| format!("cannot serve: {error}"))?,
            () = overdue => tracing::warn!("cut off requests that did not end"),
        }
        context
            .worker
            .stop(
                deadline
                    .get()
                    .map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now())),
            )
            .await;
        context.db.close().await;
        drop(self.data);
        Ok(())
    }
}

fn signer_of(config: &Config) -> Signer {
    let storage = &config.storage;
    Signer::new(&storage.s3_key_id, &storage.s3_secret, &storage.s3_region)
}

fn settings_of(config: &Config) -> orders::Settings {
    let processing = Processing {
        delay_ms: config.orders.processing_ms,
        jitter_ms: config.orders.jitter_ms,
    };
    orders::Settings {
        processing,
        test_processing_ms: config.orders.test_processing_ms,
        documents: config.undetectable,
        retention_days: config.orders.retention_days,
        revision: config.orders.revision,
        fetch: config.orders.fetch,
    }
}

async fn compose(config: Config, root: &Path, db: Db, blobs: Blobs) -> Result<Context, String> {
    let broken = |error| format!("cannot read the database: {error}");
    let entropy = Entropy::new(&config.seed);
    let signer = Arc::new(signer_of(&config));
    let hosts = Arc::new(KnownHosts::default());
    let links = Links::load(Arc::clone(&signer), Arc::clone(&hosts), db.clone())
        .await
        .map_err(broken)?;
    let accounts = Accounts::load(db.clone(), blobs.clone(), entropy.clone(), config.mode)
        .await
        .map_err(broken)?;
    let accounts = Arc::new(accounts);
    let timeout = Duration::from_millis(u64::from(config.outbound.webhook_timeout_ms));
    let outbound = Outbound::new(timeout, config.outbound.allow_public);
    let rules = Rules::load(db.clone(), entropy.clone(), |id| accounts.by_id(id))
        .await
        .map_err(broken)?;
    let rules = Arc::new(rules);
    let engine = Engine::new(std::thread::available_parallelism().map_or(1, usize::from));
    let claims = Claims::new(db.agenda().clone());
    let webhooks = Arc::new(Webhooks::new(
        db.clone(),
        Arc::clone(&accounts),
        Arc::clone(&rules),
        entropy.clone(),
        links.clone(),
        outbound.clone(),
        claims.clone(),
        PROJECTIONS.to_vec(),
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
        settings_of(&config),
    ));
    let worker = Worker::new(
        db.clone(),
        Arc::clone(&accounts),
        Arc::clone(&orders),
        Arc::clone(&webhooks),
        claims,
    );
    let snapshots = Snapshots::open(
        root,
        db.clone(),
        blobs.clone(),
        Arc::clone(&accounts),
        Arc::clone(&rules),
        Arc::clone(&worker),
    )
    .await
    .map_err(|error| format!("cannot read the snapshots: {error}"))?;
    let journal = Journal::new(journal::Limits {
        requests: config.journal.journal_requests,
        bytes: config.journal.journal_bytes,
    });
    Ok(Arc::new(Verbs {
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
        inbox: Inbox::default(),
        rules,
        snapshots: Arc::new(snapshots),
        operations: operations(),
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::response::Response;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;
    use crate::clock::Clock;
    use crate::model::ids::{AccountId, ClockId};
    use crate::model::job::Kind;
    use crate::model::time::Timestamp;
    use crate::store::StoreError;

    async fn ask(context: &Context, method: &str, path: &str, body: String) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("host", "mock")
            .header("authorization", "Bearer sk_test_1");
        let request = request
            .header("content-type", "application/json")
            .body(Body::from(body));
        let answered = router(context).oneshot(request.expect("a request")).await;
        answered.expect("a router always answers")
    }

    async fn json_of(response: Response) -> Value {
        let bytes = to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[tokio::test]
    async fn an_order_stands_still_until_the_answer_to_its_confirm_is_written() {
        let mut config = Config {
            port: 0,
            ..Config::defaults()
        };
        config.orders.test_processing_ms = 0;
        let app = App::start(config).await.expect("a server");
        let context = Arc::clone(&app.context);
        context.worker.start().await.expect("a worker");
        let create = json!({"idempotencyKey": "a", "fileName": "a.jpg"}).to_string();
        let made =
            json_of(ask(&context, "POST", "/api/v2/orders/ai-detection", create).await).await;
        let upload = made["data"]["file"]["uploadUrl"].as_str().expect("a URL");
        ask(
            &context,
            "PUT",
            upload.trim_start_matches("http://mock"),
            "x".to_owned(),
        )
        .await;
        let id = made["data"]["orderId"].as_str().expect("an id").to_owned();
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let answer = ask(
            &context,
            "POST",
            "/api/v2/orders/ai-detection/confirm",
            confirm,
        )
        .await;
        assert_eq!(answer.status(), 200);

        let drain = async |ms| {
            let patience = Duration::from_millis(ms);
            context.worker.drain(None, patience).await.expect("a drain")
        };
        assert_eq!(
            drain(200).await,
            [(Kind::Process, id)],
            "it is due, and held"
        );
        drop(answer);
        assert_eq!(drain(10_000).await, []);
    }

    #[tokio::test]
    async fn the_clock_of_an_account_that_is_gone_moves_no_other() {
        let config = Config {
            port: 0,
            ..Config::defaults()
        };
        let app = App::start(config).await.expect("a server");
        let accounts = &app.context.accounts;
        let frozen = Clock::Frozen {
            at: Timestamp::from_ms(0),
        };
        let set = accounts.set_clock(ClockId::of(AccountId(77)), frozen).await;
        assert!(matches!(set, Err(StoreError::AccountGone)), "{set:?}");
        assert_eq!(accounts.clock(ClockId::DEFAULT), Clock::REAL);
    }
}
