//! Upload URLs of orders.

use std::sync::{Arc, OnceLock};

use super::test_uploads;
use crate::http::Services;
use crate::model::account::Revision;
use crate::model::order::{ApiVersion, Order, OrderState, Vendor};
use crate::model::picture::FileKind;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::accounts::{Account, UploadSubject};

/// Creates the upload URLs of one response.
pub struct UploadUrls<'v> {
    state: &'v Services,
    account: &'v Arc<Account>,
    /// Origin that the client called.
    origin: &'v str,
    /// Date of all URLs of the response, read when the first one is created.
    now: OnceLock<Timestamp>,
    revision: Revision,
}

impl<'v> UploadUrls<'v> {
    pub fn new(state: &'v Services, account: &'v Arc<Account>, origin: &'v str) -> Self {
        Self {
            state,
            account,
            origin,
            now: OnceLock::new(),
            revision: state.orders.revision(account),
        }
    }

    /// Returns the upload URL of file `index` of `order`: a presigned URL, or for a test order one whose
    /// uploads are discarded.
    pub fn url(&self, order: &Order, index: usize) -> String {
        let now = *self.now.get_or_init(|| self.record_issued_urls(order));
        let config = &self.state.config;
        if order.test {
            let secret = &config.storage.s3_secret;
            return test_uploads::url(secret, self.origin, &order.id, index, now);
        }
        let expires_s = match (&order.work, order.api) {
            (_, ApiVersion::V3) => config.orders.v3_upload_url_ttl_s,
            (Work::AiDetection { .. }, ApiVersion::V2) => {
                config.orders.ai_detection_upload_url_ttl_s(self.revision)
            }
            (_, ApiVersion::V2) => config.orders.upload_url_ttl_s,
        };
        let file = &order.files[index];
        // In this revision v3 URLs are signed for the type that fits the extension.
        let signs_type = self.revision == Revision::V2026_10 && order.api == ApiVersion::V3;
        let kind = FileKind::of_name(&file.name).filter(|_| signs_type);
        self.state.presigned_urls.upload_url(
            self.origin,
            Vendor::Bizmori,
            &file.key,
            now,
            expires_s,
            kind.map(FileKind::media_type),
        )
    }

    /// Records the upload URLs of `order` as issued, and returns their date. A jumping clock waits for
    /// issued uploads. The clock is read after the record, so that it cannot jump between the two.
    fn record_issued_urls(&self, order: &Order) -> Timestamp {
        let accounts = &self.state.accounts;
        let issued = accounts.issue_upload(self.account, UploadSubject::Order(order.number));
        let now = self.account.now();
        if order.state == OrderState::Pending && order.has_pending_uploads() {
            issued.keep();
        }
        now
    }
}
