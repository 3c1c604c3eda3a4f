//! Messages about calls without a response. Failed orders, deliveries and the log show these messages, so
//! URLs in them have no query, which may contain a signature.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::Url;

/// Returns the URL for a message: escaped, and without its query.
pub(super) fn shown_url(url: &str) -> String {
    match url.split_once('?') {
        Some((before_query, _)) => format!("{}?…", before_query.escape_debug()),
        None => url.escape_debug().to_string(),
    }
}

/// Returns the message about a call to `url` without a complete response.
pub(super) fn request_error(url: &str, error: reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        return timeout_message(url, timeout);
    }
    if is_refused(&error) {
        return refused_message(url);
    }
    error_chain(&error.without_url())
}

/// Returns the message about a call to `url` that was aborted at its timeout.
pub(super) fn timeout_message(url: &str, timeout: Duration) -> String {
    format!("{}: timed out after {timeout:?}", shown_url(url))
}

/// Returns the message about a refused connection to `url`.
pub(super) fn refused_message(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let Some((host, port)) = parsed
        .as_ref()
        .and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)))
    else {
        return "connection refused".to_owned();
    };
    let name = host.trim_matches(['[', ']']);
    let is_loopback = name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    let hint = if is_loopback {
        "; inside a container localhost is the container itself"
    } else {
        ""
    };
    format!("connection refused: nobody listens on {host}:{port}{hint}")
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io_error = error.downcast_ref::<io::Error>();
        if io_error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Returns an error and all its causes in one line. The client's top-level error alone says little.
pub(super) fn error_chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_message_names_the_port_and_hints_at_containers() {
        let hint = "; inside a container localhost is the container itself";
        for (url, expected) in [
            ("http://127.0.0.1:9/hook?x=1", format!("127.0.0.1:9{hint}")),
            ("http://localhost/hook", format!("localhost:80{hint}")),
            ("https://[::1]/hook", format!("[::1]:443{hint}")),
            ("http://10.0.0.1:9", "10.0.0.1:9".to_owned()),
            ("http://app.test:9", "app.test:9".to_owned()),
        ] {
            let expected = format!("connection refused: nobody listens on {expected}");
            assert_eq!(refused_message(url), expected);
        }
    }

    #[test]
    fn shown_url_is_escaped_and_has_no_query() {
        for (url, expected) in [
            ("http://a/b?X-Amz-Signature=secret", "http://a/b?…"),
            ("http://a/b\n", "http://a/b\\n"),
        ] {
            assert_eq!(shown_url(url), expected);
        }
    }
}
