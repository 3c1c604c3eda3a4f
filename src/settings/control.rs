//! Access to the control plane and, from web pages, to BIZ MORI's API.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use url::{Origin, Url};

use super::tls;

/// Settings of the control plane.
#[derive(Debug, Clone, Args)]
pub struct ControlSettings {
    /// Token that every call to `/_mock` must send as `Authorization: Bearer TOKEN`; if not set, no
    /// token is required
    #[arg(
        long,
        env = "STUNTDOUBLE_CONTROL_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        value_parser = token
    )]
    pub control_token: Option<String>,
    /// File that contains the control token; a line break at its end is removed
    #[arg(
        long,
        env = "STUNTDOUBLE_CONTROL_TOKEN_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub control_token_file: Option<PathBuf>,
    /// Additional host by which `/_mock` and `/docs` may be called, such as mock.example.com or
    /// *.example.com; * allows all; repeat the flag or separate hosts by commas
    #[arg(
        long = "allow-host",
        env = "STUNTDOUBLE_ALLOW_HOST",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = allowed_host
    )]
    pub allow_hosts: Vec<String>,
    /// Additional origin whose web pages may call BIZ MORI's API, such as
    /// `https://app.example.com`; local hosts are always allowed; * alone allows all; repeat the
    /// flag or separate origins by commas
    #[arg(
        long = "allow-origin",
        env = "STUNTDOUBLE_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        value_parser = allowed_origin
    )]
    pub allow_origins: Vec<String>,
    /// Add the text of X-Mock-Reason to the JSON bodies of the vendors' errors, as the last field
    /// `_mock`, for clients that show only bodies
    #[arg(long, env = "STUNTDOUBLE_EXPLAIN_ERRORS", value_parser = FalseyValueParser::new())]
    pub explain_errors: bool,
}

/// Returns `text` if clients can send it as a bearer token.
fn token(text: &str) -> Result<String, String> {
    let reason = if text.is_empty() {
        "it is empty"
    } else if text.trim() != text || text.chars().any(char::is_control) {
        "no client can send it: it begins or ends with white space, or has a control character"
    } else {
        return Ok(text.to_owned());
    };
    Err(reason.to_owned())
}

/// Parses a host name, `*.` and a host name, or `*`. A final dot is dropped.
fn allowed_host(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    tls::parse_san(text).map_err(|_| {
        "expected a host name without port, such as mock.example.com or *.example.com, or *"
            .to_owned()
    })
}

/// Parses an origin as browsers send it in `Origin` (RFC 6454, §6.2), `null`, or `*`. A final
/// slash, and a port that is the default, are dropped.
fn allowed_origin(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if matches!(text.as_str(), "" | "*" | "null") {
        return Ok(text);
    }
    let malformed = || {
        "expected an origin: scheme, host and port, such as https://app.example.com, or *"
            .to_owned()
    };
    let text = text.strip_suffix('/').unwrap_or(&text);
    let (_, host) = text.split_once("://").ok_or_else(malformed)?;
    let url = Url::parse(text).map_err(|_| malformed())?;
    if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
        return Err(malformed());
    }
    if host.contains('*') {
        return Err(
            "an origin cannot contain a pattern; give each origin, such as https://app.example.com, or * for all"
                .to_owned(),
        );
    }
    Ok(match url.origin() {
        origin @ Origin::Tuple(..) => origin.ascii_serialization(),
        // A scheme outside the URL standard, such as the scheme of an app's own pages.
        Origin::Opaque(_) => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{allowed_host, allowed_origin};

    #[test]
    fn allowed_origin_accepts_only_origins() {
        for (text, origin) in [
            ("https://App.example.com", "https://app.example.com"),
            ("https://app.example.com:443/", "https://app.example.com"),
            ("http://app.example.com:8080", "http://app.example.com:8080"),
            ("http://[::1]:80", "http://[::1]"),
            ("capacitor://app", "capacitor://app"),
            ("null", "null"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(allowed_origin(text).as_deref(), Ok(origin), "{text}");
        }
        for bad in [
            "app.example.com",
            "https://",
            "https://app.example.com/path",
            "https://a b",
            "https://u@app.example.com",
            "https://app.example.com?q",
            "//app.example.com",
            "https://*.example.com",
            "https://*",
            "https://app.example.com:*",
            "app://*",
            "*://app.example.com",
        ] {
            assert!(allowed_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn allowed_host_accepts_only_names_and_patterns() {
        for good in ["mock.example.com", "*.example.com", "*", "", "10.0.0.7"] {
            assert_eq!(allowed_host(good).as_deref(), Ok(good));
        }
        assert_eq!(
            allowed_host("mock.example.com.").as_deref(),
            Ok("mock.example.com")
        );
        for bad in [
            "http://mock.example.com",
            "mock.example.com:8080",
            "a b",
            "**",
            "*.",
            "a/b",
        ] {
            assert!(allowed_host(bad).is_err(), "{bad}");
        }
    }
}
