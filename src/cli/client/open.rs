//! The `open` command.

use std::process::{Command, Stdio};

use percent_encoding::utf8_percent_encode;

use super::call::{ApiCall, RESERVED};
use super::{HEALTH_TIMEOUT, print, send};
use crate::cli::commands::ServerArgs;

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
    let health = ApiCall::get("/_mock/health");
    send(server, health, Some(HEALTH_TIMEOUT), false).await?;
    let mut url = format!("{}{DASHBOARD}", server.base_url());
    if let Some(token) = server.token() {
        url += &format!("#token={}", utf8_percent_encode(token, RESERVED));
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
