//! The command line of the control plane: a command is one call to a running server, and what that
//! answers. Nothing is known here of what a call does: the server judges what it is sent, and what
//! it says of that is passed on.
//!
//! Standard output has the server's JSON, or its metrics, and nothing else; standard error the one
//! line on what went wrong. There is no limit to how long an answer may take, but for `health`.

mod call;
mod health_watch;
mod licenses;
mod pretty_json;
mod response;

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::cli::commands::{ClientCommand, JsonSource};
use crate::platform::outbound::{self, CliRequest, SendError};
pub use call::{ApiCall, ReadSource, call};
pub use health_watch::watch_health;
pub use licenses::show_licenses;
use response::RenderedResponse;

/// So long a server has to say that it serves.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes the call that the command is, and writes what is answered.
///
/// # Errors
/// One line on why it was not done.
pub async fn run(command: &ClientCommand) -> Result<(), String> {
    let server = command.server();
    let call = call(command, &read_source)?;
    let base = server.base_url();
    let url = format!("{base}{}", call.path);
    let response = outbound::send(CliRequest {
        method: call.method,
        url: &url,
        token: server.token(),
        body: call.body,
        timeout: matches!(command, ClientCommand::Health { .. }).then_some(HEALTH_TIMEOUT),
    });
    let response = response.await.map_err(|error| match error {
        SendError::Connect(why) => format!(
            "{base} cannot be reached: {why} (is it running? --url or --port says where it is)"
        ),
        SendError::NoResponse(why) => format!(
            "{base} has not answered: {why} (is it stuntdouble that listens there, and not by https? --url or --port says where it is)"
        ),
    })?;
    let rendered = RenderedResponse::from_response(&url, &response);
    print(&rendered.shown)?;
    rendered.refused.map_or(Ok(()), Err)
}

/// All that a source has.
///
/// # Errors
/// One line on why it cannot be read.
pub fn read_source(source: &JsonSource) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let unread = |what: &str, error: io::Error| format!("cannot read {what}: {error}");
    match source {
        JsonSource::Given(text) => bytes.extend_from_slice(text.as_bytes()),
        JsonSource::Stdin => {
            let read = io::stdin().read_to_end(&mut bytes);
            read.map_err(|error| unread("standard input", error))?;
        }
        JsonSource::File(path) => {
            let read = std::fs::read(path);
            bytes = read.map_err(|error| unread(&path.to_string_lossy(), error))?;
        }
    }
    Ok(bytes)
}

/// Writes to standard output, whoever has gone that was to read it.
///
/// # Errors
/// One line on why it cannot be written.
pub fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        // Who reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("cannot write: {error}")),
    }
}
