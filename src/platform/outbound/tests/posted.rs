//! An answer counts by its status; of its body the begin is told, as far as it comes.

use super::*;

async fn posted(outbound: &OutboundClient, reply: TestReply) -> Result<WebhookResponse, String> {
    let server = ReplyServer::start(reply).await;
    let untreated = CallOverrides::default();
    let posted = outbound.post_json(&server.origin, &[], "{}".to_owned(), &untreated);
    posted.await
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> WebhookResponse {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    WebhookResponse {
        status,
        headers: headers.collect(),
        body: body.to_owned(),
        is_clipped: false,
    }
}

/// The answer, of which more came.
fn clipped(response: WebhookResponse) -> WebhookResponse {
    WebhookResponse {
        is_clipped: true,
        ..response
    }
}

#[tokio::test]
async fn post_keeps_64_headers_and_8_kib_of_them() {
    for (count, is_clipped) in [(63, false), (64, true)] {
        let lines: Vec<_> = (1..=count).map(|n| format!("x-{n:02}: v\r\n")).collect();
        let sent = lines.concat();
        let response = posted(&outbound(), reply("200 OK", &sent, ""))
            .await
            .expect("an answer");
        // The server adds a content-length.
        assert_eq!(
            (response.headers.len(), response.is_clipped),
            (64, is_clipped),
            "{count}"
        );
    }
    let long = format!("x-long: {}\r\nx-more: 1\r\n", "v".repeat(9_000));
    let response = posted(&outbound(), reply("200 OK", &long, ""))
        .await
        .expect("an answer");
    let bytes: usize = response
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert_eq!((bytes, response.is_clipped), (8 * 1024, true));
}

#[tokio::test]
async fn an_answer_is_told_whole() {
    let sent = "set-cookie: a=1\r\nset-cookie: b=2\r\n";
    let headers = [("content-length", "3"), ("set-cookie", "a=1, b=2")];
    let response = posted(&outbound(), reply("503 Busy", sent, "why")).await;
    assert_eq!(response, Ok(answer(503, &headers, "why")));
}

#[tokio::test]
async fn of_a_long_body_the_begin_is_told() {
    let begin = "x".repeat(4_096);
    let long = reply("200 OK", "", &format!("{begin}y"));
    let headers = [("content-length", "4097")];
    assert_eq!(
        posted(&outbound(), long).await,
        Ok(clipped(answer(200, &headers, &begin)))
    );
    let response = posted(&outbound(), TestReply::Endless).await;
    let response = response.map(|response| (response.status, response.body));
    let chunks = "12345".repeat(820);
    assert_eq!(response, Ok((200, chunks[..4_096].to_owned())));
}

#[tokio::test]
async fn a_body_that_does_not_come_or_breaks_off_is_no_failure() {
    let stalls = "HTTP/1.1 204 Fine\r\n\r\n";
    let response = posted(&outbound(), TestReply::Stall(stalls)).await;
    assert_eq!(response, Ok(answer(204, &[], "")));
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun";
    let headers = [("content-length", "9")];
    let expected = Ok(answer(200, &headers, "begun"));
    assert_eq!(posted(&outbound(), TestReply::Stall(head)).await, expected);
    let broken = TestReply::Bytes(head.as_bytes().to_vec());
    assert_eq!(posted(&outbound(), broken).await, expected);
    let timeout = Duration::from_millis(200);
    let hurried = posted(&OutboundClient::new(timeout, false), TestReply::Stall(head)).await;
    assert_eq!(hurried, expected, "the timeout is the status's");
}
