//! How much is kept of what was asked and answered.

use clap::Args;

/// Settings of the journal.
#[derive(Debug, Clone, Copy, Args)]
pub struct JournalSettings {
    /// Requests kept of each account for `/_mock/requests`; 0 keeps none
    #[arg(
        long,
        env = "STUNTDOUBLE_JOURNAL_REQUESTS_MAX",
        default_value_t = 1_000,
        value_name = "COUNT"
    )]
    pub journal_requests_max: usize,
    /// Bytes kept of all accounts' requests together, about
    #[arg(
        long,
        env = "STUNTDOUBLE_JOURNAL_BYTES_MAX",
        default_value_t = 16_777_216,
        value_name = "BYTES"
    )]
    pub journal_bytes_max: usize,
}
