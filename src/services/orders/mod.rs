//! Orders: made, filled, started, brought to their end, read.
//!
//! An order advances exactly once: every step is a transition of [`crate::model::order`], made
//! in one transaction with the job or the event it causes. What is long (looking at pictures)
//! is done between transactions, and its result is only recorded if the job is still there.

mod archive;
mod billing;
mod blob_keys;
mod bulk;
mod confirm;
mod create;
mod deadline;
mod detect;
mod ended;
mod extract;
mod failures;
mod fault;
mod fixtures;
mod inputs;
mod manual;
mod new_order;
mod outputs;
mod overrides;
mod polling;
mod process;
mod puts;
mod query;
mod report;
mod retention;
mod samples;
mod timing;
mod upload;
mod work;
mod zero_copy;

use std::io;
use std::sync::Arc;

use crate::engine::{Engine, InputFile};
use crate::model::account::{ProcessingDelay, Revision};
use crate::model::ids::AccountId;
use crate::platform::outbound::OutboundClient;
use crate::platform::rng::Entropy;
use crate::services::accounts::{Account, Accounts};
use crate::services::claims::Claims;
use crate::services::rules::Rules;
use crate::services::webhooks::Webhooks;
use crate::settings;
use crate::storage::blobs::Blobs;
use crate::storage::db::Db;

pub use blob_keys::{KeyOwner, key_owner};
pub use confirm::{ConfirmError, ConfirmedOrder};
pub use create::{CreateOrderError, CreatedOrder};
pub use deadline::V2_SUNSET;
pub use fixtures::FileContent;
pub use inputs::DownloadError;
pub use manual::{ManualEnd, ManualEndError};
pub use new_order::{Charge, FileSource, NewFile, NewOrder};
pub use outputs::ArchiveOutcome;
pub use query::{Cursor, Listed, ObjectOwner};
pub use report::{ReportError, is_report_locale, report_kind, report_name};
pub use timing::DocumentTiming;
pub use upload::UploadedFile;

/// What the server's settings say of orders.
#[derive(Debug, Clone, Copy)]
pub struct OrderServiceSettings {
    /// How long processing takes, where the account does not say.
    pub processing: ProcessingDelay,
    /// Milliseconds, for test keys.
    pub test_processing_ms: u32,
    /// Of Undetectable's documents.
    pub documents: settings::UndetectableSettings,
    /// Days, where the account does not say.
    pub retention_days: u32,
    /// Expired orders and uploads of an account whose rows are kept.
    pub expired_max: u32,
    /// Where the account does not say.
    pub revision: Revision,
    /// Whether URLs are downloaded; else a sample stands for what they name.
    pub fetch: bool,
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
    outbound: OutboundClient,
    puts: puts::OutputPuts,
    settings: OrderServiceSettings,
}

impl Orders {
    /// Orders that go by the given settings.
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
        outbound: OutboundClient,
        settings: OrderServiceSettings,
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
            outbound,
            puts: puts::OutputPuts::default(),
            settings,
        }
    }

    /// How long what begins now is kept.
    fn retention_days(&self, account: &Account) -> u32 {
        let set = account.settings().retention_days;
        set.unwrap_or(self.settings.retention_days)
    }

    /// Returns an object's content, open for the engine. `None` if there is no such object.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    async fn content(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<InputFile>> {
        let opened = self.blobs.open_file(account, bucket, key).await?;
        Ok(opened.map(|(file, bytes)| InputFile {
            file: Arc::new(file),
            bytes,
            zip_entry: None,
        }))
    }

    /// The vendor's API as the account has it.
    #[must_use]
    pub fn revision(&self, account: &Account) -> Revision {
        let set = account.settings().revision;
        set.unwrap_or(self.settings.revision)
    }
}
