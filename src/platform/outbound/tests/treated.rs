//! Calls that something is done to.

use super::*;
use crate::model::rule::{Fault, StubBody, StubResponse};

fn broken(fault: Fault) -> CallOverrides {
    CallOverrides {
        fault: Some(("rule 1".to_owned(), fault)),
        ..CallOverrides::default()
    }
}

fn start_answering(status: u16, headers: &[(&str, &str)], body: Option<StubBody>) -> CallOverrides {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    CallOverrides {
        respond: Some(StubResponse {
            status,
            headers: headers.collect(),
            body,
        }),
        ..CallOverrides::default()
    }
}

/// What each kind of call comes to, so treated: a post, a put, a fetch and what is then in the
/// file.
async fn called(
    outbound: &OutboundClient,
    url: &str,
    treatment: &CallOverrides,
) -> [Result<String, String>; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, "12345").expect("a file");
    let posted = outbound.post_json(url, &[], "{}".to_owned(), treatment);
    let posted = posted.await.map(|posted| posted.status.to_string());
    let put = outbound.put_file(url, "image/png", &path, 5, treatment);
    let put = put.await.map(|status| status.to_string());
    let fetched = outbound.fetch(url, &path, MAX, treatment).await;
    let read = || std::fs::read_to_string(&path).expect("a file");
    let fetched = fetched.map(|it| format!("{:?} {}", it.content_type, read()));
    [
        posted,
        put.map_err(|error| error.to_string()),
        fetched.map_err(|error| error.to_string()),
    ]
}

#[tokio::test]
async fn a_drip_takes_what_time_there_is_and_no_more() {
    let server = ReplyServer::start(reply("200 OK", "", "picture")).await;
    let drip = |bytes_per_second| broken(Fault::Drip { bytes_per_second });
    let done = called(&outbound(), &server.origin, &drip(100)).await;
    let expected = ["200", "200", "None picture"];
    assert_eq!(done, expected.map(|it| Ok(it.to_owned())));
    let short = Duration::from_millis(50);
    let timeouts = OutboundTimeouts {
        response: short,
        fetch: short,
        put: short,
    };
    let hurried = OutboundClient::with_timeout(timeouts, false);
    let [posted, put, fetched] = called(&hurried, &server.origin, &drip(1)).await;
    let line = format!("{}: not done within 50ms", server.origin);
    for done in [posted, put, fetched] {
        assert_eq!(done, Err(line.clone()));
    }
}

#[tokio::test]
async fn what_is_to_break_is_called_nowhere_else_than_anything() {
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
            let done = called(&outbound(), url, &broken(fault)).await;
            assert_eq!(done, [(); 3].map(|()| Err(line.to_owned())));
        }
    }
    let nobody = "http://127.0.0.1:1/";
    for line in called(&outbound(), nobody, &broken(Fault::Empty)).await {
        let line = line.expect_err("nobody is there");
        assert!(
            line.contains("refused") && !line.contains("rule 1"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_receiver_that_reads_nothing_does_not_hold_a_request_that_breaks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let short = Duration::from_millis(50);
    let timeouts = OutboundTimeouts {
        response: short,
        fetch: short,
        put: short,
    };
    let hurried = OutboundClient::with_timeout(timeouts, false);
    let (body, treatment) = ("x".repeat(64 * 1024 * 1024), broken(Fault::Truncate));
    let posted = hurried.post_json(&url, &[], body, &treatment).await;
    assert_eq!(posted, Err(format!("{url}: not done within 50ms")));
}

#[tokio::test]
async fn what_is_answered_in_anothers_place_is_taken_as_its_own() {
    let nobody = "http://127.0.0.1:1/";
    let json = Some(StubBody::Json("[1]".to_owned()));
    let text = Some(StubBody::Text("a".to_owned()));
    let typed = [("Content-Type", "image/png")];
    let large = Some(StubBody::Text("x".repeat(1_001)));
    let too_large = Err(format!("{nobody} has more than 1000 bytes"));
    let refused = |line: &str| Err(format!("{nobody} answered {line}"));
    for (treatment, status, fetched) in [
        (
            start_answering(200, &[], json),
            "200",
            Ok(r#"Some("application/json") [1]"#.to_owned()),
        ),
        (
            start_answering(201, &typed, text),
            "201",
            Ok(r#"Some("image/png") a"#.to_owned()),
        ),
        (
            start_answering(204, &[], None),
            "204",
            Ok("None ".to_owned()),
        ),
        (start_answering(200, &[], large), "200", too_large),
        (
            start_answering(302, &[], None),
            "302",
            refused("302: redirects are not followed"),
        ),
        (start_answering(503, &[], None), "503", refused("503")),
    ] {
        let done = called(&outbound(), nobody, &treatment).await;
        let status = Ok(status.to_owned());
        assert_eq!(done, [status.clone(), status, fetched]);
    }
}
