//! Reasons why a call was not answered, in plain words. They end up in failed orders, in
//! deliveries and in the log, so the URLs in them are without their queries, which may be signed.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::Url;

/// Returns the URL for a reason: escaped, and without its query.
pub(super) fn shown_url(url: &str) -> String {
    match url.split_once('?') {
        Some((begin, _)) => format!("{}?…", begin.escape_debug()),
        None => url.escape_debug().to_string(),
    }
}

/// Reason why there was no whole response from `url`.
pub(super) fn request_error(url: &str, error: reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        return timeout_message(url, timeout);
    }
    if is_refused(&error) {
        return refused_message(url);
    }
    error_chain(&error.without_url())
}

/// Reason why a call was broken off at `timeout`.
pub(super) fn timeout_message(url: &str, timeout: Duration) -> String {
    format!("{}: not done within {timeout:?}", shown_url(url))
}

/// Reason why the connection to `url` was refused.
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
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error and its causes in one line; the client's own top line says little.
pub(super) fn error_chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuse_connection_names_the_port_and_warns_of_containers() {
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
    fn show_url_escapes_it_and_leaves_out_the_query() {
        for (url, expected) in [
            ("http://a/b?X-Amz-Signature=secret", "http://a/b?…"),
            ("http://a/b\n", "http://a/b\\n"),
        ] {
            assert_eq!(shown_url(url), expected);
        }
    }
}
