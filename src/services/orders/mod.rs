//! Orders: created, uploaded, confirmed, processed, and read.
//!
//! Every change of an order's state is a transition of [`crate::model::order`], written in one
//! transaction with the job or the event that it causes. Long work, such as reading images, is done
//! between transactions. Its result is recorded only if the job still exists.

mod archive;
mod billing;
mod blob_ids;
mod blob_keys;
mod bulk;
mod confirm;
mod create;
mod deadline;
mod detect;
mod end_log;
mod extract;
mod failures;
mod fault;
mod fixtures;
mod inputs;
mod inspect;
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
use crate::services::vendors::Vendors;
use crate::services::webhooks::Webhooks;
use crate::settings;
use crate::storage::blobs::Blobs;
use crate::storage::db::Db;

pub use blob_ids::OpenBlob;
pub use blob_keys::{KeyOwner, key_owner};
pub use confirm::{ConfirmError, ConfirmedOrder};
pub use create::{CreateOrderError, CreatedOrder};
pub use deadline::V2_SUNSET;
pub use fixtures::FileContent;
pub use inputs::DownloadError;
pub use inspect::{InspectedFile, InspectedOutput, OutputKind};
pub use manual::{ManualEnd, ManualEndError};
pub use new_order::{Charge, FileSource, NewFile, NewOrder};
pub use outputs::ArchiveOutcome;
pub use query::{Cursor, ListingScope, ObjectOwner};
pub use report::{ReportError, is_report_locale, report_kind, report_name};
pub use timing::DocumentTiming;
pub use upload::UploadedFile;

/// The server's settings for orders.
#[derive(Debug, Clone, Copy)]
pub struct OrderServiceSettings {
    /// Processing time, unless the account has its own.
    pub processing: ProcessingDelay,
    /// Processing time for test keys in milliseconds.
    pub test_processing_ms: u32,
    /// Settings for Undetectable's documents.
    pub documents: settings::UndetectableSettings,
    /// Retention, unless the account has its own.
    pub retention_days: u32,
    /// Maximum number of expired orders, and of expired uploads, whose rows an account keeps.
    pub expired_max: u32,
    /// API revision, unless the account has its own.
    pub revision: Revision,
    /// `true` if URLs are downloaded. `false` if a generated sample replaces their content.
    pub fetch: bool,
}

/// Service for orders.
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
    vendors: Vendors,
    settings: OrderServiceSettings,
}

impl Orders {
    /// Creates the service.
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
        vendors: Vendors,
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
            vendors,
            settings,
        }
    }

    /// Returns the retention of an order that is created now, in days.
    fn retention_days(&self, account: &Account) -> u32 {
        let account_days = account.settings().retention_days;
        account_days.unwrap_or(self.settings.retention_days)
    }

    /// Opens an object for the engine. `None` if the object does not exist.
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

    /// Returns the API revision that the account uses.
    #[must_use]
    pub fn revision(&self, account: &Account) -> Revision {
        let account_revision = account.settings().revision;
        account_revision.unwrap_or(self.settings.revision)
    }
}
