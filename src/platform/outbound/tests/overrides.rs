//! Calls with overrides of rules.

use super::*;
use crate::model::rule::{Fault, StubBody, StubResponse};

fn with_fault(fault: Fault) -> CallOverrides {
    CallOverrides {
        fault: Some(("rule 1".to_owned(), fault)),
        ..CallOverrides::default()
    }
}

fn with_response(status: u16, headers: &[(&str, &str)], body: Option<StubBody>) -> CallOverrides {
    CallOverrides {
        respond: Some(StubResponse {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body,
        }),
        ..CallOverrides::default()
    }
}

/// Returns the results of a post, a put and a fetch. The result of the fetch includes the content of
/// the file.
async fn call_all(
    outbound: &OutboundClient,
    url: &str,
    overrides: &CallOverrides,
) -> [Result<String, String>; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, "12345").expect("a file");
    let posted = outbound
        .post_json(url, &[], "{}".to_owned(), overrides)
        .await
        .map(|response| response.status.to_string());
    let put = outbound
        .put_file(url, "image/png", &path, 5, overrides)
        .await
        .map(|status| status.to_string());
    let read = || std::fs::read_to_string(&path).expect("a file");
    let fetched = outbound
        .fetch(url, &path, MAX, overrides)
        .await
        .map(|file| format!("{:?} {}", file.content_type, read()));
    [
        posted,
        put.map_err(|error| error.to_string()),
        fetched.map_err(|error| error.to_string()),
    ]
}

#[tokio::test]
async fn drip_slows_calls_down_until_their_timeout() {
    let server = ReplyServer::start(reply("200 OK", "", "picture")).await;
    let drip = |bytes_per_second| with_fault(Fault::Drip { bytes_per_second });
    let done = call_all(&outbound(), &server.origin, &drip(100)).await;
    let expected = ["200", "200", "None picture"];
    assert_eq!(done, expected.map(|result| Ok(result.to_owned())));
    let short = Duration::from_millis(50);
    let timeouts = OutboundTimeouts {
        response: short,
        fetch: short,
        put: short,
    };
    let hurried = OutboundClient::with_timeouts(timeouts, false);
    let [posted, put, fetched] = call_all(&hurried, &server.origin, &drip(1)).await;
    let line = format!("{}: timed out after 50ms", server.origin);
    for done in [posted, put, fetched] {
        assert_eq!(done, Err(line.clone()));
    }
}

#[tokio::test]
async fn calls_with_fault_respect_blocked_addresses() {
    for (url, line) in [
        (
            "http://8.8.8.8/a",
            "8.8.8.8 is a public address; only loopback and private addresses are called without --outbound-allow-public",
        ),
        (
            "ftp://127.0.0.1/",
            "ftp://127.0.0.1/: only http:// and https:// URLs are called",
        ),
    ] {
        for fault in [Fault::Reset, Fault::Empty, Fault::Truncate, Fault::Garbage] {
            let done = call_all(&outbound(), url, &with_fault(fault)).await;
            assert_eq!(done, [(); 3].map(|()| Err(line.to_owned())));
        }
    }
    let closed_port = "http://127.0.0.1:1/";
    for line in call_all(&outbound(), closed_port, &with_fault(Fault::Empty)).await {
        let line = line.expect_err("a refused connection");
        assert!(
            line.contains("refused") && !line.contains("rule 1"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn truncated_request_to_a_stalled_receiver_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let short = Duration::from_millis(50);
    let timeouts = OutboundTimeouts {
        response: short,
        fetch: short,
        put: short,
    };
    let hurried = OutboundClient::with_timeouts(timeouts, false);
    let (body, overrides) = ("x".repeat(64 * 1024 * 1024), with_fault(Fault::Truncate));
    let posted = hurried.post_json(&url, &[], body, &overrides).await;
    assert_eq!(posted, Err(format!("{url}: timed out after 50ms")));
}

#[tokio::test]
async fn stub_response_replaces_the_receiver() {
    let closed_port = "http://127.0.0.1:1/";
    let json = Some(StubBody::Json("[1]".to_owned()));
    let text = Some(StubBody::Text("a".to_owned()));
    let typed = [("Content-Type", "image/png")];
    let large = Some(StubBody::Text("x".repeat(1_001)));
    let too_large = Err(format!("{closed_port} has more than 1000 bytes"));
    let refused = |line: &str| Err(format!("{closed_port} answered {line}"));
    for (overrides, status, fetched) in [
        (
            with_response(200, &[], json),
            "200",
            Ok(r#"Some("application/json") [1]"#.to_owned()),
        ),
        (
            with_response(201, &typed, text),
            "201",
            Ok(r#"Some("image/png") a"#.to_owned()),
        ),
        (with_response(204, &[], None), "204", Ok("None ".to_owned())),
        (with_response(200, &[], large), "200", too_large),
        (
            with_response(302, &[], None),
            "302",
            refused("302: redirects are not followed"),
        ),
        (with_response(503, &[], None), "503", refused("503")),
    ] {
        let done = call_all(&outbound(), closed_port, &overrides).await;
        let status = Ok(status.to_owned());
        assert_eq!(done, [status.clone(), status, fetched]);
    }
}
