//! Client commands: each command makes one call to the control plane of a running server and prints
//! the response. Only the server validates what is sent; its error messages are passed on.
//!
//! Standard output gets the server's JSON or metrics and nothing else. An error is one line on
//! standard error. Only `health` has a timeout.

mod call;
mod event_lines;
mod health_watch;
mod licenses;
mod open;
mod pretty_json;
mod response;

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::cli::commands::{ClientCommand, JsonSource, ServerArgs};
use crate::platform::outbound::{self, CliRequest, CliResponse, SendError};
pub use call::{ApiCall, ReadSource, call};
use event_lines::EventLines;
pub use health_watch::watch_health;
pub use licenses::show_licenses;
pub use open::open_dashboard;
use response::RenderedResponse;

/// Timeout of a health check.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes the call of a command and prints the response.
///
/// # Errors
/// Returns one line if the server cannot be reached or refuses the call.
pub async fn run(command: &ClientCommand) -> Result<(), String> {
    let server = command.server();
    let call = call(command, &read_source)?;
    let url = format!("{}{}", server.base_url(), call.path);
    let timeout = matches!(command, ClientCommand::Health { .. }).then_some(HEALTH_TIMEOUT);
    let is_stream = matches!(command, ClientCommand::Events { .. });
    let response = send(server, call, timeout, is_stream).await?;
    let rendered = RenderedResponse::from_response(&url, &response);
    print(&rendered.stdout)?;
    rendered.error.map_or(Ok(()), Err)
}

/// Sends a call to the server and returns the response. The events of a stream are printed instead.
///
/// # Errors
/// Returns one line if there is no response.
async fn send(
    server: &ServerArgs,
    call: ApiCall,
    timeout: Option<Duration>,
    is_stream: bool,
) -> Result<CliResponse, String> {
    let base = server.base_url();
    let url = format!("{base}{}", call.path);
    let request = CliRequest {
        method: call.method,
        url: &url,
        token: server.token(),
        body: call.body,
        timeout,
    };
    let sent = if is_stream {
        print_events(request).await
    } else {
        outbound::send(request).await
    };
    sent.map_err(|error| match error {
        SendError::Connect(reason) => format!(
            "cannot connect to {base}: {reason} (is the server running? set its address with --url or --port)"
        ),
        SendError::NoResponse(reason) => format!(
            "no response from {base}: {reason} (is it a stuntdouble server, and http or https as in the URL? set its address with --url or --port)"
        ),
    })
}

/// Prints the events of a stream as they arrive. Returns the response without what was printed.
async fn print_events(request: CliRequest<'_>) -> Result<CliResponse, SendError> {
    let mut events = EventLines::default();
    let mut stdout = io::stdout();
    let receive = |chunk: &[u8]| {
        let lines = events.push(chunk);
        let written = stdout.write_all(lines.as_bytes());
        // The reader of a closed pipe, such as `head`, has read enough.
        written.and_then(|()| stdout.flush()).is_ok()
    };
    let (status, headers) = outbound::send_streaming(request, receive).await?;
    Ok(CliResponse {
        status,
        headers,
        body: events.into_rest(),
    })
}

/// Reads a source to its end.
///
/// # Errors
/// Returns one line if the source cannot be read.
pub fn read_source(source: &JsonSource) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read_error = |name: &str, error: io::Error| format!("cannot read {name}: {error}");
    match source {
        JsonSource::Inline(text) => bytes.extend_from_slice(text.as_bytes()),
        JsonSource::Stdin => {
            let read = io::stdin().read_to_end(&mut bytes);
            read.map_err(|error| read_error("standard input", error))?;
        }
        JsonSource::File(path) => {
            let read = std::fs::read(path);
            bytes = read.map_err(|error| read_error(&path.to_string_lossy(), error))?;
        }
    }
    Ok(bytes)
}

/// Writes to standard output. A closed pipe is no error.
///
/// # Errors
/// Returns one line if standard output cannot be written.
pub fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        // The reader, such as `head`, has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("cannot write to standard output: {error}")),
    }
}
