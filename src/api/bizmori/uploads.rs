//! Where the files of orders are put.

use std::sync::{Arc, OnceLock};

use super::test_uploads;
use crate::http::Services;
use crate::model::account::Revision;
use crate::model::order::{ApiVersion, Order, OrderState, Vendor};
use crate::model::picture::FileKind;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::accounts::{Account, UploadFor};

/// Makes upload URLs for one request.
pub struct UploadUrls<'v> {
    state: &'v Services,
    account: &'v Arc<Account>,
    origin: String,
    /// Date of the request's URLs, read when the first is made.
    now: OnceLock<Timestamp>,
    revision: Revision,
}

impl<'v> UploadUrls<'v> {
    /// URLs for an account that called us by `origin`.
    pub fn new(verbs: &'v Services, account: &'v Arc<Account>, origin: String) -> Self {
        Self {
            state: verbs,
            account,
            origin,
            now: OnceLock::new(),
            revision: verbs.orders.revision(account),
        }
    }

    /// What the URLs begin with.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where the order's file of that index is put: a presigned URL, or with a test key one where
    /// what is put is thrown away.
    pub fn url(&self, order: &Order, index: usize) -> String {
        let Self {
            state: verbs,
            origin,
            revision,
            ..
        } = self;
        let now = *self.now.get_or_init(|| self.hand_out(order));
        let config = &verbs.config;
        if order.test {
            return test_uploads::url(&config.storage.s3_secret, origin, &order.id, index, now);
        }
        let newest = *revision == Revision::V2026_10;
        let expires_s = match (&order.work, order.api) {
            (_, ApiVersion::V3) => config.orders.v3_upload_url_ttl_s,
            (Work::AiDetection { .. }, ApiVersion::V2) => {
                config.orders.ai_detection_upload_url_ttl_s(*revision)
            }
            (_, ApiVersion::V2) => config.orders.upload_url_ttl_s,
        };
        let file = &order.files[index];
        let media = FileKind::of_name(&file.name).filter(|_| newest && order.api == ApiVersion::V3);
        let (links, vendor) = (&verbs.links, Vendor::Bizmori);
        let media_type = media.map(FileKind::media_type);
        links.upload_url(origin, vendor, &file.key, now, expires_s, media_type)
    }

    /// Enters the order's uploads as owed by the client, and returns the date of their URLs. The
    /// account's clock does not leap in between.
    fn hand_out(&self, order: &Order) -> Timestamp {
        let accounts = &self.state.accounts;
        let owed = accounts.hand_out_upload(self.account, UploadFor::Order(order.number));
        let now = self.account.now();
        if order.state == OrderState::Pending && order.has_pending_uploads() {
            owed.keep();
        }
        now
    }
}
