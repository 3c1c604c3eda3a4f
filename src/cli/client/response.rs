//! What an answer comes to.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::pretty_json::pretty_print;
use crate::platform::outbound::CliResponse;

/// Where the server says in one line what is wrong with a call.
const X_MOCK_REASON: &str = "x-mock-reason";
/// How the type of an answer begins that is shown as it is: metrics.
const METRICS: &str = "text/plain; version=0.0.4";

/// What is told of an answer, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct RenderedResponse {
    /// For standard output.
    pub shown: String,
    /// For standard error, where it is not what was asked for.
    pub refused: Option<String>,
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
    /// Of an answer of `url`.
    pub fn from_response(url: &str, response: &CliResponse) -> Self {
        let (status, body) = (response.status, response.body.as_slice());
        let header = |name: &str| response.headers.get(name).map(String::as_str);
        let why = header(X_MOCK_REASON);
        let refused = |line: String| Self {
            shown: String::new(),
            refused: Some(line),
        };
        let is_done = (200..300).contains(&status);
        if is_done && body.is_empty() {
            return Self {
                shown: String::new(),
                refused: None,
            };
        }
        let is_metrics = header("content-type").is_some_and(|it| it.starts_with(METRICS));
        if is_done && is_metrics {
            return Self {
                shown: String::from_utf8_lossy(body).into_owned(),
                refused: None,
            };
        }
        if !is_done && let Ok(ErrorResponse { error }) = serde_json::from_slice(body) {
            return refused(error.message());
        }
        let json = serde_json::from_slice::<&RawValue>(body).ok();
        let shown = json.map(|json| pretty_print(json.get()) + "\n");
        match (shown, why) {
            (Some(shown), _) if is_done => Self {
                shown,
                refused: None,
            },
            // It looked, and did not find what it was asked for: what there is, and why not.
            (Some(shown), Some(why)) => Self {
                shown,
                refused: Some(escape_line(why)),
            },
            _ => refused(format!(
                "{url} answered {status}, and not as stuntdouble does (is it another server's address? --url or --port says where it is)"
            )),
        }
    }
}

impl ErrorView {
    fn message(&self) -> String {
        // The server's hint is for who makes the call.
        let hint = match self.code.as_str() {
            "unauthorized" => "give it with --token, or in STUNTDOUBLE_CONTROL_TOKEN",
            _ => &self.hint,
        };
        escape_line(&format!("{} ({hint})", self.message))
    }
}

/// What is said in several lines, or steers a terminal, in one line that does not.
fn escape_line(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(status: u16, why: Option<&str>, body: &str) -> (String, String) {
        render_as("application/json", status, why, body)
    }

    fn render_as(of: &str, status: u16, why: Option<&str>, body: &str) -> (String, String) {
        let why = why.map(|why| (X_MOCK_REASON, why));
        let headers = why.into_iter().chain([("content-type", of)]);
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let response = CliResponse {
            status,
            headers: headers.collect(),
            body: body.into(),
        };
        let rendered = RenderedResponse::from_response("http://a/_mock/b", &response);
        (rendered.shown, rendered.refused.unwrap_or_default())
    }

    #[test]
    fn what_is_done_is_shown_as_it_was_said() {
        assert_eq!(render(204, None, ""), (String::new(), String::new()));
        let shown = "{\n  \"b\": 1.0,\n  \"a\": []\n}\n".to_owned();
        assert_eq!(
            render(201, None, r#"{"b":1.0,"a":[]}"#),
            (shown, String::new())
        );
    }

    #[test]
    fn metrics_are_shown_as_they_came() {
        let of = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(
            render_as(of, 200, None, "a 1\n"),
            ("a 1\n".to_owned(), String::new())
        );
        let (shown, line) = render_as("text/plain", 200, None, "a 1\n");
        assert_eq!(shown, "");
        assert!(line.contains("another server's"), "{line}");
    }

    #[test]
    fn a_refusal_is_one_line() {
        let body = r#"{"error": {"code": "a", "message": "b\nc\u001b[1m", "hint": "d"}}"#;
        let line = "b c [1m (d)".to_owned();
        assert_eq!(render(400, Some("why"), body), (String::new(), line));
    }

    #[test]
    fn a_no_is_shown_with_what_it_says() {
        let (shown, line) = render(422, Some("0 came"), r#"{"ok":false}"#);
        assert_eq!(shown, "{\n  \"ok\": false\n}\n");
        assert_eq!(line, "0 came");
    }

    #[test]
    fn another_servers_answer_is_told_apart() {
        let line = |status| {
            format!(
                "http://a/_mock/b answered {status}, and not as stuntdouble does (is it another server's address? --url or --port says where it is)"
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
