//! Limits of the journal.

use clap::Args;

/// Settings of the journal.
#[derive(Debug, Clone, Copy, Args)]
pub struct JournalSettings {
    /// Requests to keep per account for `/_mock/requests`; 0 disables the journal
    #[arg(
        long,
        env = "STUNTDOUBLE_JOURNAL_REQUESTS_MAX",
        default_value_t = 1_000,
        value_name = "COUNT"
    )]
    pub journal_requests_max: usize,
    /// Approximate bytes to keep of the requests of all accounts together
    #[arg(
        long,
        env = "STUNTDOUBLE_JOURNAL_BYTES_MAX",
        default_value_t = 16_777_216,
        value_name = "BYTES"
    )]
    pub journal_bytes_max: usize,
}
