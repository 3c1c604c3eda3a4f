//! Response bodies of v2, in the vendor's field order. Each is built from domain types alone.
//!
//! A field that is an `Option` is null if it has no value, unless its comment says that it is omitted.

mod created;
mod detail;
mod listing;
pub mod webhooks;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::order::{Order, OrderState};

use created::NewFileView;
pub use created::{
    AiDetectionCreated, AntiAiCreated, StartedOrder, WatermarkEmbedCreated, WatermarkExtractCreated,
};
pub use detail::OrderDetail;
pub use listing::{ListingWriter, OrderListing, RecentStats};

/// Response to a confirm.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmResponse {
    pub order_id: String,
    #[schemars(extend("enum" = OrderState::STATUSES))]
    pub status: &'static str,
}

/// Response to `POST …/refresh-urls`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefreshUrlsResponse {
    files: Vec<NewFileView>,
}

impl RefreshUrlsResponse {
    /// Lists the files of `order` that are not uploaded yet. `upload_url` returns the URL of the file
    /// with that index.
    pub fn new(order: &Order, upload_url: impl Fn(usize) -> String) -> Self {
        let files = order.files.iter().enumerate();
        let pending = files.filter(|(_, file)| file.is_upload_pending());
        let views = pending.map(|(index, file)| NewFileView::new(file, || upload_url(index)));
        Self {
            files: views.collect(),
        }
    }
}

/// Response to `GET …/download`: one URL under both names that the vendor shows.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrl {
    #[schemars(extend("format" = "uri"))]
    pub url: String,
    #[schemars(extend("format" = "uri"))]
    pub download_url: String,
    /// Seconds.
    pub expires_in: u32,
}
