//! Orders: made, filled, started, brought to their end, read.
//!
//! An order advances exactly once: every step is a transition of [`crate::model::order`], made
//! in one transaction with the job or the event it causes. What is long (looking at pictures)
//! is done between transactions, and its result is only recorded if the job is still there.

mod advance;
mod archive;
mod create;
mod layout;
mod look;
mod protect;
mod query;
mod ruled;
mod start;
mod upload;

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::blobs::Blobs;
use crate::claims::Claims;
use crate::engine::Engine;
use crate::entropy::Entropy;
use crate::model::account::Processing;
use crate::rules::Rules;
use crate::store::Db;
use crate::webhooks::Webhooks;

pub use create::{Created, Files, New, Refused};
pub use layout::{KeyOwner, key_owner};
pub use query::Owner;
pub use start::{StartError, Started};
pub use upload::Uploaded;

/// Where the account does not say, how long things take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub processing: Processing,
    /// Milliseconds, for test keys.
    pub test_processing_ms: u32,
    /// Milliseconds until an Undetectable document is done.
    pub document_ms: u32,
    pub retention_days: u32,
}

/// Orders, and all that is needed to move them on.
#[derive(Debug)]
pub struct Orders {
    pub(crate) db: Db,
    accounts: Arc<Accounts>,
    webhooks: Arc<Webhooks>,
    rules: Arc<Rules>,
    blobs: Blobs,
    engine: Engine,
    entropy: Entropy,
    claims: Claims,
    times: Times,
    bypass_watermarks: bool,
}

impl Orders {
    /// Orders that take the given times.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "the composition root names each once"
    )]
    pub fn new(
        db: Db,
        accounts: Arc<Accounts>,
        webhooks: Arc<Webhooks>,
        rules: Arc<Rules>,
        blobs: Blobs,
        engine: Engine,
        entropy: Entropy,
        claims: Claims,
        times: Times,
        bypass_watermarks: bool,
    ) -> Self {
        Self {
            db,
            accounts,
            webhooks,
            rules,
            blobs,
            engine,
            entropy,
            claims,
            times,
            bypass_watermarks,
        }
    }
}
