//! Limits on connections.

use std::time::Duration;

use clap::Args;

/// Settings of incoming connections.
#[derive(Debug, Clone, Copy, Args)]
pub struct ConnectionSettings {
    /// Milliseconds from the first byte of a request to the end of its headers, and from the start
    /// of the connection to the first byte; 0 sets no limit
    #[arg(
        long,
        env = "STUNTDOUBLE_HEADER_TIMEOUT_MS",
        default_value_t = 30_000,
        value_name = "MS"
    )]
    pub header_timeout_ms: u32,
    /// Milliseconds for which a connection stays open between two requests; 0 sets no limit
    #[arg(
        long,
        env = "STUNTDOUBLE_IDLE_TIMEOUT_MS",
        default_value_t = 120_000,
        value_name = "MS"
    )]
    pub idle_timeout_ms: u32,
    /// Milliseconds between two pieces of a request body; the whole body may take longer; 0 sets no
    /// limit
    #[arg(
        long,
        env = "STUNTDOUBLE_BODY_TIMEOUT_MS",
        default_value_t = 30_000,
        value_name = "MS"
    )]
    pub body_timeout_ms: u32,
    /// Milliseconds within which a client must read some of a response that is ready; 0 sets no
    /// limit
    #[arg(
        long,
        env = "STUNTDOUBLE_WRITE_TIMEOUT_MS",
        default_value_t = 60_000,
        value_name = "MS"
    )]
    pub write_timeout_ms: u32,
    /// Open connections at a time; at most 10000, and no more than the limit on open files allows,
    /// which is also the default
    #[arg(
        long,
        env = "STUNTDOUBLE_CONNECTIONS_MAX",
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub connections_max: Option<u32>,
}

impl ConnectionSettings {
    /// Timeout of a request's head. `None` if there is no limit.
    #[must_use]
    pub fn header_timeout(&self) -> Option<Duration> {
        timeout(self.header_timeout_ms)
    }

    /// Timeout of an idle connection. `None` if there is no limit.
    #[must_use]
    pub fn idle_timeout(&self) -> Option<Duration> {
        timeout(self.idle_timeout_ms)
    }

    /// Timeout of a piece of a request's body. `None` if there is no limit.
    #[must_use]
    pub fn body_timeout(&self) -> Option<Duration> {
        timeout(self.body_timeout_ms)
    }

    /// Timeout of a response that the client does not read. `None` if there is no limit.
    #[must_use]
    pub fn write_timeout(&self) -> Option<Duration> {
        timeout(self.write_timeout_ms)
    }
}

fn timeout(ms: u32) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms.into()))
}
