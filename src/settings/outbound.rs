//! Whom the server calls.

use clap::Args;
use clap::builder::FalseyValueParser;

/// Settings of the calls that leave the server.
#[derive(Debug, Clone, Args)]
pub struct OutboundSettings {
    /// Milliseconds a webhook's receiver has to answer 2xx
    #[arg(
        long,
        env = "STUNTDOUBLE_WEBHOOK_TIMEOUT_MS",
        default_value_t = 5_000,
        value_name = "MS"
    )]
    pub webhook_timeout_ms: u32,
    /// Call public addresses too; without it only loopback and private ones are called, and metadata
    /// addresses of clouds never
    #[arg(
        long = "outbound-allow-public",
        env = "STUNTDOUBLE_OUTBOUND_ALLOW_PUBLIC",
        value_parser = FalseyValueParser::new()
    )]
    pub allow_public: bool,
}
