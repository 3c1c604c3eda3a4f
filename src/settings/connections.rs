//! Limits on connections.

use std::time::Duration;

use clap::Args;

/// Settings of the connections that clients open.
#[derive(Debug, Clone, Copy, Args)]
pub struct ConnectionSettings {
    /// Milliseconds a client has to send the head of a request, from its first byte on, and its
    /// first byte from the connection on; 0 sets no limit
    #[arg(
        long,
        env = "STUNTDOUBLE_HEADER_TIMEOUT_MS",
        default_value_t = 30_000,
        value_name = "MS"
    )]
    pub header_timeout_ms: u32,
    /// Milliseconds a connection is kept open between two requests; 0 sets no limit
    #[arg(
        long,
        env = "STUNTDOUBLE_IDLE_TIMEOUT_MS",
        default_value_t = 120_000,
        value_name = "MS"
    )]
    pub idle_timeout_ms: u32,
    /// Milliseconds between two pieces of a request body, however long all of it takes; 0 sets no
    /// limit
    #[arg(
        long,
        env = "STUNTDOUBLE_BODY_TIMEOUT_MS",
        default_value_t = 30_000,
        value_name = "MS"
    )]
    pub body_timeout_ms: u32,
    /// Milliseconds in which a client has to take some of the response that waits for it; 0 sets no
    /// limit
    #[arg(
        long,
        env = "STUNTDOUBLE_WRITE_TIMEOUT_MS",
        default_value_t = 60_000,
        value_name = "MS"
    )]
    pub write_timeout_ms: u32,
    /// Connections open at a time; at most 10000, and what the limit on open files leaves room for,
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
