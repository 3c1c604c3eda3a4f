//! A server to talk to, a receiver of webhooks, and the ways of saying what is expected.

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

/// The body of a BIZ MORI error.
pub fn code(code: &str) -> String {
    format!(r#"{{"code":"{code}"}}"#)
}
