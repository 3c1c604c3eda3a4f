//! Rendering of a response for the terminal.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::pretty_json::pretty_print;
use crate::platform::outbound::CliResponse;

/// Header with a one-line reason for an unsuccessful response.
const X_MOCK_REASON: &str = "x-mock-reason";
/// Start of the media type of metrics, which are printed unchanged.
const METRICS: &str = "text/plain; version=0.0.4";

/// Texts to print for a response.
#[derive(Debug, PartialEq, Eq)]
pub struct RenderedResponse {
    /// Text for standard output.
    pub stdout: String,
    /// Line for standard error. `None` if the call was successful.
    pub error: Option<String>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: ErrorView,
}

#[derive(Deserialize)]
struct ErrorView {
    code: String,
    message: String,
    hint: String,
}

impl RenderedResponse {
    /// Renders a response of `url`.
    pub fn from_response(url: &str, response: &CliResponse) -> Self {
        let (status, body) = (response.status, response.body.as_slice());
        let header = |name: &str| response.headers.get(name).map(String::as_str);
        let reason = header(X_MOCK_REASON);
        let error_line = |line: String| Self {
            stdout: String::new(),
            error: Some(line),
        };
        let is_success = (200..300).contains(&status);
        if is_success && body.is_empty() {
            return Self {
                stdout: String::new(),
                error: None,
            };
        }
        let is_metrics = header("content-type").is_some_and(|it| it.starts_with(METRICS));
        if is_success && is_metrics {
            return Self {
                stdout: String::from_utf8_lossy(body).into_owned(),
                error: None,
            };
        }
        if !is_success && let Ok(ErrorResponse { error }) = serde_json::from_slice(body) {
            return error_line(error.message());
        }
        let json = serde_json::from_slice::<&RawValue>(body).ok();
        let stdout = json.map(|json| pretty_print(json.get()) + "\n");
        match (stdout, reason) {
            (Some(stdout), _) if is_success => Self {
                stdout,
                error: None,
            },
            // A negative result, such as a failed verification, is JSON with a reason.
            (Some(stdout), Some(reason)) => Self {
                stdout,
                error: Some(escape_line(reason)),
            },
            _ => error_line(format!(
                "{url} responded with {status}, but not as a stuntdouble server does (is the address right? set it with --url or --port)"
            )),
        }
    }
}

impl ErrorView {
    fn message(&self) -> String {
        // The server's hint is about the HTTP request, not about the command.
        let hint = match self.code.as_str() {
            "unauthorized" => "set it with --token or STUNTDOUBLE_CONTROL_TOKEN",
            _ => &self.hint,
        };
        escape_line(&format!("{} ({hint})", self.message))
    }
}

/// Replaces control characters by blanks, so that the text is one line and cannot control a
/// terminal.
fn escape_line(text: &str) -> String {
    let escape = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(status: u16, reason: Option<&str>, body: &str) -> (String, String) {
        render_as("application/json", status, reason, body)
    }

    fn render_as(
        media_type: &str,
        status: u16,
        reason: Option<&str>,
        body: &str,
    ) -> (String, String) {
        let reason_header = reason.map(|reason| (X_MOCK_REASON, reason));
        let headers = reason_header
            .into_iter()
            .chain([("content-type", media_type)]);
        let response = CliResponse {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.into(),
        };
        let rendered = RenderedResponse::from_response("http://a/_mock/b", &response);
        (rendered.stdout, rendered.error.unwrap_or_default())
    }

    #[test]
    fn success_is_printed_in_the_order_of_the_response() {
        assert_eq!(render(204, None, ""), (String::new(), String::new()));
        let stdout = "{\n  \"b\": 1.0,\n  \"a\": []\n}\n".to_owned();
        assert_eq!(
            render(201, None, r#"{"b":1.0,"a":[]}"#),
            (stdout, String::new())
        );
    }

    #[test]
    fn metrics_are_printed_unchanged() {
        let media_type = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(
            render_as(media_type, 200, None, "a 1\n"),
            ("a 1\n".to_owned(), String::new())
        );
        let (stdout, line) = render_as("text/plain", 200, None, "a 1\n");
        assert_eq!(stdout, "");
        assert!(line.contains("not as a stuntdouble server"), "{line}");
    }

    #[test]
    fn error_is_printed_as_one_line() {
        let body = r#"{"error": {"code": "a", "message": "b\nc\u001b[1m", "hint": "d"}}"#;
        let line = "b c [1m (d)".to_owned();
        assert_eq!(render(400, Some("reason"), body), (String::new(), line));
    }

    #[test]
    fn negative_result_is_printed_with_its_reason() {
        let (stdout, line) = render(422, Some("0 came"), r#"{"ok":false}"#);
        assert_eq!(stdout, "{\n  \"ok\": false\n}\n");
        assert_eq!(line, "0 came");
    }

    #[test]
    fn response_of_another_server_is_reported() {
        let line = |status| {
            format!(
                "http://a/_mock/b responded with {status}, but not as a stuntdouble server does (is the address right? set it with --url or --port)"
            )
        };
        for (status, body) in [
            (200, "<html>"),
            (404, ""),
            (404, r#"{"detail":"Not Found"}"#),
            (404, r#"{"error":"Not Found"}"#),
            (301, ""),
        ] {
            assert_eq!(render(status, None, body), (String::new(), line(status)));
        }
    }
}
