//! Attempts that rules have made later, or after another.

use reqwest::Method;
use serde_json::json;

use super::{attempts, create_order, orders, rule};
use crate::support::{Receiver, Reply, TestServer};

#[tokio::test]
async fn a_delayed_one_comes_later_by_the_clock_and_is_ruled_once() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    rule(
        &server,
        &json!({"account": "live", "then": {"webhook": {"delayMs": 5_000, "duplicate": 2}}}),
    )
    .await;
    let late = create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    receiver.messages(0).await;
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    let early = create_order(&server, "b").await;
    server.advance("live", "PT1S").await;
    assert_eq!(
        orders(&receiver.messages(1).await),
        [json!(early)],
        "others overtake it"
    );
    server.advance("live", "PT3.2S").await;
    receiver.messages(1).await;
    server.advance("live", "PT0.1S").await;
    let came = orders(&receiver.messages(3).await);
    assert_eq!(
        came[1..],
        [json!(late), json!(late)],
        "as it was ruled then"
    );
}

#[tokio::test]
async fn one_that_is_out_of_order_comes_after_the_next_or_else_in_ten_seconds() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    rule(
        &server,
        &json!({"account": "live", "times": 2, "then": {"webhook": {"outOfOrder": true}}}),
    )
    .await;
    let first = create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    receiver.messages(0).await;
    server.advance("live", "PT10S").await;
    assert_eq!(orders(&receiver.messages(1).await), [json!(first)]);
    let second = create_order(&server, "b").await;
    server.advance("live", "PT1S").await;
    let third = create_order(&server, "c").await;
    server.advance("live", "PT1S").await;
    let came = orders(&receiver.messages(3).await);
    assert_eq!(came[1..], [json!(third), json!(second)]);
}

#[tokio::test]
async fn one_that_is_out_of_order_waits_for_the_first_attempt_of_a_later_one() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    let then = json!({"webhook": {"outOfOrder": true}});
    let second = json!({"account": "live", "skip": 1, "times": 1, "then": then});
    rule(&server, &second).await;
    let first = create_order(&server, "a").await;
    let second = create_order(&server, "b").await;
    server.advance("live", "PT2S").await;
    let came = orders(&receiver.messages(2).await);
    assert_eq!(
        came,
        [json!(first), json!(first)],
        "a retry is not the next"
    );
    let third = create_order(&server, "c").await;
    server.advance("live", "PT0.3S").await;
    let came = orders(&receiver.messages(4).await);
    assert_eq!(came[2..], [json!(third), json!(second)]);
}

#[tokio::test]
async fn one_that_is_sent_by_hand_has_that_come_which_was_to_come_after_it() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    for on in [json!({"outOfOrder": true}), json!({"delayMs": 60_000})] {
        let then = json!({"webhook": on});
        rule(
            &server,
            &json!({"account": "live", "times": 1, "then": then}),
        )
        .await;
    }
    let first = create_order(&server, "a").await;
    server.advance("live", "PT0.3S").await;
    let second = create_order(&server, "b").await;
    server.advance("live", "PT0.3S").await;
    receiver.messages(0).await;
    let path = format!("/api/v2/orders/webhooks/{webhook}/events");
    let events = server.get("live", &path).await.json();
    let newest = events["data"]["events"][0]["id"]
        .as_i64()
        .expect("an integer");
    let path = format!("/_mock/deliveries/{newest}/resend");
    server.control(Method::POST, &path, &json!({})).await;
    let came = orders(&receiver.messages(2).await);
    assert_eq!(came, [json!(second), json!(first)]);
    server.drain("live").await;
    assert!(server.advance("live", "P1D").await.is_empty());
}

#[tokio::test]
async fn one_that_is_put_off_stays_so_when_the_process_ends_and_the_rule_is_gone() {
    let data = tempfile::tempdir().expect("a directory");
    let on = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = on().await;
    server.freeze("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let then = json!({
        "respond": {"status": 418},
        "webhook": {"delayMs": 5_000, "duplicate": 2},
    });
    rule(
        &server,
        &json!({"account": "live", "name": "late", "times": 1, "then": then}),
    )
    .await;
    let id = create_order(&server, "a").await;
    server.advance("live", "PT1S").await;
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    server.stop().await;
    let server = on().await;
    assert!(server.advance("live", "PT4.299S").await.is_empty());
    assert!(attempts(&server).await.is_empty());
    assert_eq!(
        server.advance("live", "PT0.001S").await,
        ["webhook.deliver"]
    );
    let expected = [418, 418].map(|status| (json!(status), json!("RETRYING")));
    assert_eq!(attempts(&server).await, expected, "as it was ruled");
    receiver.messages(0).await;
    server.advance("live", "PT1S").await;
    assert_eq!(orders(&receiver.messages(1).await), [json!(id)]);
}

#[tokio::test]
async fn one_that_is_put_off_goes_with_its_account() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    for on in [json!({"delayMs": 5_000}), json!({"outOfOrder": true})] {
        server.webhook("live", &receiver.url).await;
        let then = json!({"webhook": on});
        rule(&server, &json!({"account": "live", "then": then})).await;
        create_order(&server, "a").await;
        let ran = server.advance("live", "PT1S").await;
        assert_eq!(ran, ["order.process", "webhook.deliver"]);
        let reset = json!({"account": "live"});
        server.control(Method::POST, "/_mock/reset", &reset).await;
        server.freeze("live").await;
        assert!(server.advance("live", "P1D").await.is_empty());
    }
    receiver.messages(0).await;
}

#[tokio::test]
async fn each_attempt_is_put_off_once() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    let then = json!({"webhook": {"delayMs": 1_000}});
    rule(&server, &json!({"account": "live", "then": then})).await;
    create_order(&server, "a").await;
    server.advance("live", "PT1.3S").await;
    receiver.messages(1).await;
    server.advance("live", "PT1.999S").await;
    receiver.messages(1).await;
    server.advance("live", "PT0.001S").await;
    receiver.messages(2).await;
    let listed = server
        .control(Method::GET, "/_mock/rules", &json!({}))
        .await;
    assert_eq!(listed["rules"][0]["hits"], 2);
}
