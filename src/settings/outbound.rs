//! Calls from the server to webhooks and to files.

use clap::Args;
use clap::builder::FalseyValueParser;

/// Settings of outbound calls.
#[derive(Debug, Clone, Args)]
pub struct OutboundSettings {
    /// Milliseconds within which the receiver of a webhook must respond with 2xx
    #[arg(
        long,
        env = "STUNTDOUBLE_WEBHOOK_TIMEOUT_MS",
        default_value_t = 5_000,
        value_name = "MS"
    )]
    pub webhook_timeout_ms: u32,
    /// Call public addresses too; if not set, only loopback and private addresses are called;
    /// metadata addresses of clouds are never called
    #[arg(
        long = "outbound-allow-public",
        env = "STUNTDOUBLE_OUTBOUND_ALLOW_PUBLIC",
        value_parser = FalseyValueParser::new()
    )]
    pub allow_public: bool,
}
