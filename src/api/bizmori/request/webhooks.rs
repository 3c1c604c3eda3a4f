//! Bodies of the webhook routes, and their validation.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::bizmori::error::ApiError;
use crate::model::time::{DAY_MS, Timestamp};
use crate::platform::clock;
use crate::services::webhooks::{EndpointParams, NAME_CHARS_MAX};

/// Distance of the two ends of a window.
const WINDOW_DAYS_MAX: i64 = 7;

/// `POST …/webhooks` and `PUT …/webhooks/{id}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBody {
    #[serde(default)]
    #[schemars(length(max = NAME_CHARS_MAX))]
    pub name: Option<String>,
    #[schemars(extend("format" = "uri"))]
    pub url: String,
    /// The endpoint gets the events of test orders. True if omitted with a test key, else false.
    #[serde(default)]
    pub is_test: Option<bool>,
}

impl From<WebhookBody> for EndpointParams {
    fn from(body: WebhookBody) -> Self {
        Self {
            name: body.name,
            url: body.url,
            test: body.is_test,
        }
    }
}

/// `POST …/webhook`, the legacy route.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyWebhookBody {
    #[schemars(extend("format" = "uri"))]
    url: String,
    #[serde(default)]
    is_test: Option<bool>,
}

impl From<LegacyWebhookBody> for WebhookBody {
    fn from(body: LegacyWebhookBody) -> Self {
        Self {
            name: None,
            url: body.url,
            is_test: body.is_test,
        }
    }
}

/// `POST …/events/retry-failed`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryFailed {
    /// ISO 8601 date or instant. A date means its whole day.
    from_date: String,
    /// At most 7 days after `fromDate`.
    to_date: String,
}

impl RetryFailed {
    /// Returns the window, both ends included. A date means its whole day. The length of the
    /// window is measured between the starts of the two days.
    ///
    /// # Errors
    /// Returns `VALIDATION_FAILED` if an end is malformed or the window ends before it begins, the same
    /// with status 422 if it is longer than [`WINDOW_DAYS_MAX`].
    pub fn window(&self) -> Result<RangeInclusive<Timestamp>, ApiError> {
        let from = parse_date_range("fromDate", &self.from_date)?;
        let to = parse_date_range("toDate", &self.to_date)?;
        if from.start() > to.end() {
            return Err(ApiError::invalid(format!(
                "fromDate: {} is after toDate {}",
                self.from_date, self.to_date
            )));
        }
        if to.start().since_ms(*from.start()) > WINDOW_DAYS_MAX * DAY_MS {
            return Err(ApiError::unprocessable(format!(
                "toDate: {} is more than {WINDOW_DAYS_MAX} days after fromDate {}",
                self.to_date, self.from_date
            )));
        }
        Ok(*from.start()..=*to.end())
    }
}

fn parse_date_range(field: &str, text: &str) -> Result<RangeInclusive<Timestamp>, ApiError> {
    clock::parse_iso_range(text)
        .ok_or_else(|| ApiError::invalid(format!("{field}: not an ISO 8601 date: {text:?}")))
}
