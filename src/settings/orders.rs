//! Durations and lifetimes of orders.

use clap::builder::{FalseyValueParser, PossibleValue};
use clap::{Args, ValueEnum};

use crate::model::account::Revision;

impl ValueEnum for Revision {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::V2026_03, Self::V2026_10]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::V2026_03 => "Before the changes of October 2026",
            Self::V2026_10 => "With the changes of October 2026",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// Settings of orders. Settings of one vendor have its name in their help text.
#[derive(Debug, Clone, Args)]
pub struct OrderSettings {
    /// Revision of BIZ MORI's API, by its date
    #[arg(
        long,
        env = "STUNTDOUBLE_REVISION",
        value_enum,
        default_value = "2026-03"
    )]
    pub revision: Revision,
    /// BIZ MORI: milliseconds for which an order is processed
    #[arg(
        long,
        env = "STUNTDOUBLE_PROCESSING_MS",
        default_value_t = 300,
        value_name = "MS"
    )]
    pub processing_ms: u32,
    /// Upper limit of random milliseconds that are added to the processing of each order
    #[arg(
        long,
        env = "STUNTDOUBLE_JITTER_MS",
        default_value_t = 0,
        value_name = "MS"
    )]
    pub jitter_ms: u32,
    /// BIZ MORI: milliseconds for which an order of a test key is processed
    #[arg(
        long,
        env = "STUNTDOUBLE_TEST_PROCESSING_MS",
        default_value_t = 5_000,
        value_name = "MS"
    )]
    pub test_processing_ms: u32,
    /// BIZ MORI: lifetime of the upload URL of an AI detection, in seconds; if not set, 600, and
    /// 3600 in revision 2026-10
    #[arg(
        long,
        env = "STUNTDOUBLE_AI_DETECTION_UPLOAD_URL_TTL_S",
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        value_name = "S"
    )]
    pub ai_detection_upload_url_ttl_s: Option<u32>,
    /// BIZ MORI: lifetime of the upload URLs of other v2 orders, in seconds
    #[arg(
        long,
        env = "STUNTDOUBLE_UPLOAD_URL_TTL_S",
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        default_value_t = 3_600,
        value_name = "S"
    )]
    pub upload_url_ttl_s: u32,
    /// BIZ MORI: lifetime of the upload URLs of v3 orders, in seconds
    #[arg(
        long,
        env = "STUNTDOUBLE_V3_UPLOAD_URL_TTL_S",
        value_parser = clap::value_parser!(u32).range(1..=604_800),
        default_value_t = 900,
        value_name = "S"
    )]
    pub v3_upload_url_ttl_s: u32,
    /// Days until an order, a document or an upload without a document expires
    #[arg(
        long,
        env = "STUNTDOUBLE_RETENTION_DAYS",
        value_parser = clap::value_parser!(u32).range(1..),
        default_value_t = 7,
        value_name = "DAYS"
    )]
    pub retention_days: u32,
    /// Number of expired orders, documents and uploads that are kept per account; the oldest are
    /// removed first
    #[arg(
        long,
        env = "STUNTDOUBLE_EXPIRED_MAX",
        value_parser = clap::value_parser!(u32).range(1..),
        default_value_t = 100_000,
        value_name = "N"
    )]
    pub expired_max: u32,
    /// Download files that requests name by URL; if not set, a sample picture replaces each such
    /// file of BIZ MORI's API, and Undetectable's `url` must name an upload
    #[arg(long, env = "STUNTDOUBLE_FETCH", value_parser = FalseyValueParser::new())]
    pub fetch: bool,
}

impl OrderSettings {
    /// Returns the lifetime of the upload URL of an AI detection, in seconds.
    #[must_use]
    pub fn ai_detection_upload_url_ttl_s(&self, revision: Revision) -> u32 {
        let by_default = match revision {
            Revision::V2026_03 => 600,
            Revision::V2026_10 => 3_600,
        };
        self.ai_detection_upload_url_ttl_s.unwrap_or(by_default)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::OrderSettings;

    #[derive(Debug, Parser)]
    struct OrdersParser {
        #[command(flatten)]
        orders: OrderSettings,
    }

    #[test]
    fn parsing_a_retention_below_one_day_is_refused() {
        let parse = |days| OrdersParser::try_parse_from(["stuntdouble", "--retention-days", days]);
        let refused = parse("0").expect_err("no retention").to_string();
        assert!(refused.contains("0 is not in 1.."), "{refused}");
        assert_eq!(parse("1").expect("a day").orders.retention_days, 1);
    }
}
