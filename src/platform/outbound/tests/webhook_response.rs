//! Responses of receivers: the status decides, and the start of the body is stored.

use super::*;

async fn post(outbound: &OutboundClient, reply: TestReply) -> Result<WebhookResponse, String> {
    let server = ReplyServer::start(reply).await;
    let overrides = CallOverrides::default();
    outbound
        .post_json(&server.origin, &[], "{}".to_owned(), &overrides)
        .await
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> WebhookResponse {
    WebhookResponse {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
        is_clipped: false,
    }
}

/// Returns the response, marked as cut.
fn clipped(response: WebhookResponse) -> WebhookResponse {
    WebhookResponse {
        is_clipped: true,
        ..response
    }
}

#[tokio::test]
async fn post_json_stores_at_most_64_headers_and_8_kib() {
    for (count, is_clipped) in [(63, false), (64, true)] {
        let lines: Vec<_> = (1..=count).map(|n| format!("x-{n:02}: v\r\n")).collect();
        let sent = lines.concat();
        let actual = post(&outbound(), reply("200 OK", &sent, ""))
            .await
            .expect("a response");
        // The server adds a content-length.
        assert_eq!(
            (actual.headers.len(), actual.is_clipped),
            (64, is_clipped),
            "{count}"
        );
    }
    let long = format!("x-long: {}\r\nx-more: 1\r\n", "v".repeat(9_000));
    let actual = post(&outbound(), reply("200 OK", &long, ""))
        .await
        .expect("a response");
    let bytes: usize = actual
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert_eq!((bytes, actual.is_clipped), (8 * 1024, true));
}

#[tokio::test]
async fn post_json_returns_the_whole_short_response() {
    let sent = "set-cookie: a=1\r\nset-cookie: b=2\r\n";
    let headers = [("content-length", "3"), ("set-cookie", "a=1, b=2")];
    let actual = post(&outbound(), reply("503 Busy", sent, "why")).await;
    assert_eq!(actual, Ok(response(503, &headers, "why")));
}

#[tokio::test]
async fn post_json_cuts_long_bodies() {
    let prefix = "x".repeat(4_096);
    let long = reply("200 OK", "", &format!("{prefix}y"));
    let headers = [("content-length", "4097")];
    assert_eq!(
        post(&outbound(), long).await,
        Ok(clipped(response(200, &headers, &prefix)))
    );
    let endless = post(&outbound(), TestReply::Endless)
        .await
        .map(|response| (response.status, response.body));
    let chunks = "12345".repeat(820);
    assert_eq!(endless, Ok((200, chunks[..4_096].to_owned())));
}

#[tokio::test]
async fn post_json_accepts_incomplete_bodies() {
    let stalls = "HTTP/1.1 204 Fine\r\n\r\n";
    let actual = post(&outbound(), TestReply::Stall(stalls)).await;
    assert_eq!(actual, Ok(response(204, &[], "")));
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nstart";
    let headers = [("content-length", "9")];
    let expected = Ok(response(200, &headers, "start"));
    assert_eq!(post(&outbound(), TestReply::Stall(head)).await, expected);
    let broken = TestReply::Bytes(head.as_bytes().to_vec());
    assert_eq!(post(&outbound(), broken).await, expected);
    let timeout = Duration::from_millis(200);
    let hurried = post(&OutboundClient::new(timeout, false), TestReply::Stall(head)).await;
    assert_eq!(hurried, expected, "the timeout applies to the status only");
}
