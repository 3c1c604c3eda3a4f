//! Builds the settings of the services from the server's settings.

use crate::engine::{Budget, Engine};
use crate::http::ConnectionTimeouts;
use crate::model::account::ProcessingDelay;
use crate::platform::memory_limit;
use crate::platform::presign::Signer;
use crate::services::journal::JournalLimits;
use crate::services::orders;
use crate::settings::Config;

pub(super) fn connection_timeouts(config: &Config) -> ConnectionTimeouts {
    let connections = &config.connections;
    ConnectionTimeouts {
        header: connections.header_timeout(),
        idle: connections.idle_timeout(),
        body: connections.body_timeout(),
        write: connections.write_timeout(),
    }
}

pub(super) fn build_signer(config: &Config) -> Signer {
    let storage = &config.storage;
    Signer::new(&storage.s3_key_id, &storage.s3_secret, &storage.s3_region)
}

pub(super) fn order_settings(config: &Config) -> orders::OrderServiceSettings {
    let processing = ProcessingDelay {
        delay_ms: config.orders.processing_ms,
        jitter_ms: config.orders.jitter_ms,
    };
    orders::OrderServiceSettings {
        processing,
        test_processing_ms: config.orders.test_processing_ms,
        documents: config.undetectable,
        retention_days: config.orders.retention_days,
        expired_max: config.orders.expired_max,
        revision: config.orders.revision,
        fetch: config.orders.fetch,
    }
}

pub(super) fn build_engine(config: &Config) -> Engine {
    let process_bytes = memory_limit::process_bytes();
    let budget = match config.engine.engine_memory {
        Some(bytes) => Budget::new(bytes),
        None => Budget::for_process(process_bytes),
    };
    let bytes = budget.total_bytes();
    tracing::debug!(bytes, process_bytes, "memory budget of the engine");
    Engine::new(
        std::thread::available_parallelism().map_or(1, usize::from),
        budget,
    )
}

/// Returns the limits of the journal.
pub(super) fn journal_limits(config: &Config) -> JournalLimits {
    JournalLimits {
        requests: config.journal.journal_requests_max,
        bytes: config.journal.journal_bytes_max,
    }
}
