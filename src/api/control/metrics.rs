//! `GET /_mock/metrics`: counters and gauges in the text format of Prometheus.
//!
//! A page costs a few queries along indexes and no work per object. Therefore the bytes of written
//! objects are counted, but not the bytes on disk.

use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::error::ControlError;
use super::openapi::describe_errors;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Routes, Services};
use crate::model::job::JobKind;
use crate::platform::memory_limit::resident_bytes;
use crate::platform::metrics::{MEDIA_TYPE, MetricType, MetricsText};

/// Adds the route of the metrics.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.metrics", Method::GET, "/_mock/metrics", get)
        .docs(describe)
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get metrics",
            "Text format of Prometheus, version 0.0.4. Counters start at 0 when the server starts.",
        )
        .binary_response(200, "All metrics.", &[MEDIA_TYPE]);
    describe_errors(doc, &[])
}

async fn get(State(state): State<AppState>) -> Result<Response, ControlError> {
    let mut page = MetricsText::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.family(
        "stuntdouble_build_info",
        MetricType::Gauge,
        "Version of stuntdouble, as a label; the value is 1.",
    )
    .sample(&version, 1);
    state.metrics.write(&mut page);
    if let Some(bytes) = resident_bytes() {
        let name = "process_resident_memory_bytes";
        gauge(&mut page, name, "Resident memory of the process.", bytes);
    }
    write_engine_gauges(&state, &mut page);
    write_job_gauges(&state, &mut page).await?;
    write_state_gauges(&state, &mut page).await?;
    let media_type = [(CONTENT_TYPE, MEDIA_TYPE)];
    Ok((media_type, page.finish()).into_response())
}

fn gauge(page: &mut MetricsText, name: &'static str, help: &'static str, value: u64) {
    page.family(name, MetricType::Gauge, help)
        .sample(&[], value);
}

fn write_engine_gauges(state: &Services, page: &mut MetricsText) {
    let budget = state.engine.budget();
    for (name, help, bytes) in [
        (
            "stuntdouble_engine_memory_budget_bytes",
            "Memory budget for work on pictures.",
            budget.total_bytes(),
        ),
        (
            "stuntdouble_engine_memory_leased_bytes",
            "Memory that work on pictures holds now.",
            budget.leased_bytes(),
        ),
        (
            "stuntdouble_engine_memory_leased_bytes_max",
            "Most memory that work on pictures has held at once since the start.",
            budget.leased_bytes_max(),
        ),
    ] {
        gauge(page, name, help, bytes);
    }
}

async fn write_job_gauges(state: &Services, page: &mut MetricsText) -> Result<(), ControlError> {
    let depths = state.worker.queue_depths().await?;
    let mut write_by_kind = |name, help, count: fn(&crate::services::worker::QueueDepth) -> u64| {
        let mut family = page.family(name, MetricType::Gauge, help);
        for kind in JobKind::ALL {
            let depth = depths.iter().find(|depth| depth.kind == kind);
            family.sample(&[("kind", kind.name())], depth.map_or(0, count));
        }
    };
    write_by_kind(
        "stuntdouble_jobs_queued",
        "Stored jobs, whenever they are due, by kind.",
        |depth| depth.queued,
    );
    write_by_kind(
        "stuntdouble_jobs_due",
        "Jobs that are due by the clocks of their accounts, by kind.",
        |depth| depth.due,
    );
    write_by_kind(
        "stuntdouble_jobs_running",
        "Jobs that are claimed or waited for, by kind.",
        |depth| depth.running,
    );
    let pending = state.webhooks.pending_deliveries().await?;
    gauge(
        page,
        "stuntdouble_webhook_deliveries_pending",
        "Webhook deliveries whose next attempt is still to come.",
        pending,
    );
    Ok(())
}

async fn write_state_gauges(state: &Services, page: &mut MetricsText) -> Result<(), ControlError> {
    let to_u64 = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let name = "stuntdouble_connections";
    let help = "Open connections of clients.";
    gauge(page, name, help, to_u64(state.connections.count()));
    let name = "stuntdouble_accounts";
    gauge(
        page,
        name,
        "Number of accounts.",
        to_u64(state.accounts.count()),
    );
    let database = state.db.bytes().await?;
    let help = "Size of the database and its write-ahead log on disk.";
    gauge(page, "stuntdouble_database_bytes", help, database);
    let (objects, bytes) = state.blobs.written();
    let help = "Objects written since the start.";
    page.family(
        "stuntdouble_objects_written_total",
        MetricType::Counter,
        help,
    )
    .sample(&[], objects);
    let name = "stuntdouble_objects_written_bytes_total";
    let help = "Bytes of the objects written since the start.";
    page.family(name, MetricType::Counter, help)
        .sample(&[], bytes);
    let snapshots = state.snapshots.list(None);
    let bytes = snapshots.iter().map(|about| about.bytes).sum();
    let length = to_u64(snapshots.len());
    gauge(
        page,
        "stuntdouble_snapshots",
        "Number of snapshots.",
        length,
    );
    let help = "Bytes of the objects in snapshots.";
    gauge(page, "stuntdouble_snapshots_bytes", help, bytes);
    let (requests, bytes) = state.journal.size();
    let help = "Requests in the journal.";
    gauge(page, "stuntdouble_journal_requests", help, to_u64(requests));
    let help = "Approximate bytes of the requests in the journal.";
    gauge(page, "stuntdouble_journal_bytes", help, to_u64(bytes));
    Ok(())
}
