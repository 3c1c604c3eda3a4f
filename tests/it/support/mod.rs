//! Shared test fixtures: the server under test, a webhook receiver, raw sockets and sample files.

mod database;
pub mod openapi;
mod picture;
mod process;
pub mod raw;
mod receiver;
mod test_server;
mod tls;
mod zip;

pub use database::Database;
pub use picture::{fixture, picture};
pub use process::Process;
pub use receiver::{ReceivedMessage, Receiver, Reply};
pub use test_server::{T0, TestResponse, TestServer};
pub use tls::TlsListener;
pub use zip::{ZipEntry, zip, zip_64};

/// Returns the body of a BIZ MORI error.
pub fn code(code: &str) -> String {
    format!(r#"{{"code":"{code}"}}"#)
}
