//! The `open` command.

use std::process::{Command, Stdio};

use percent_encoding::utf8_percent_encode;

use super::call::RESERVED;
use super::{HEALTH_TIMEOUT, no_response, print};
use crate::cli::commands::ServerArgs;
use crate::platform::outbound::{self, CliRequest};

const DASHBOARD: &str = "/_mock/";
/// Programs that open a URL in the user's browser. The first one that there is, is used.
const OPENERS: [&str; 3] = ["xdg-open", "open", "wslview"];

/// Opens the dashboard of a running server in the browser. Prints the URL if no program can open it.
///
/// The URL carries the control token, if there is one, in its fragment, which browsers do not send.
///
/// # Errors
/// Returns one line if the server cannot be reached.
pub async fn open_dashboard(server: &ServerArgs) -> Result<(), String> {
    let base = server.base_url();
    let health_url = format!("{base}/_mock/health");
    let health = outbound::send(CliRequest {
        method: "GET",
        url: &health_url,
        token: server.token(),
        body: None,
        timeout: Some(HEALTH_TIMEOUT),
    });
    health.await.map_err(|error| no_response(&base, error))?;
    let mut url = format!("{base}{DASHBOARD}");
    if let Some(token) = server.token() {
        url += "#token=";
        url.extend(utf8_percent_encode(token, RESERVED));
    }
    if OPENERS.iter().any(|program| opens(program, &url)) {
        return Ok(());
    }
    print(&format!("{url}\n"))
}

/// `true` if `program` exists and opened the URL.
fn opens(program: &str, url: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
