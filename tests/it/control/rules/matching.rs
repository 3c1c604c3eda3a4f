//! Which requests a rule takes: by account, operation, method and path, and how many of them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ORDERS, busy, hits, reads, rule, rules};
use crate::support::{TestServer, picture};

#[tokio::test]
async fn skip_lets_some_pass_and_times_ends_it() {
    let server = TestServer::start().await;
    let body = json!({"account": "live", "skip": 2, "times": 2, "then": busy(503)});
    rule(&server, &body).await;
    assert_eq!(
        reads(&server, "live", 6).await,
        [200, 200, 503, 503, 200, 200]
    );
    assert_eq!(hits(&server).await, [2]);
}

#[tokio::test]
async fn the_first_rule_that_applies_wins_and_one_that_does_not_lets_the_next_one_try() {
    let server = TestServer::start().await;
    for body in [
        json!({"skip": 1, "times": 1, "then": busy(501)}),
        json!({"account": "other", "then": busy(502)}),
        json!({"when": {"operation": "storage.*"}, "then": busy(503)}),
        json!({"times": 2, "then": busy(504)}),
        json!({"then": busy(505)}),
    ] {
        rule(&server, &body).await;
    }
    assert_eq!(reads(&server, "live", 4).await, [504, 501, 504, 505]);
    assert_eq!(hits(&server).await, [1, 0, 0, 2, 1]);
}

#[tokio::test]
async fn a_delay_and_an_answer_of_two_rules_are_both_applied_and_counted_once_each() {
    let server = TestServer::start().await;
    for then in [
        json!({"delayMs": 1}),
        json!({"delayMs": 600_000}),
        json!({"delayMs": 600_000, "respond": {"status": 503}}),
        busy(504),
    ] {
        rule(&server, &json!({"then": then})).await;
    }
    assert_eq!(reads(&server, "live", 2).await, [503, 503]);
    assert_eq!(hits(&server).await, [2, 0, 2, 0]);
}

#[tokio::test]
async fn a_chance_is_drawn_by_the_seed_and_the_account_and_by_nothing_else() {
    let one = async |seed: &str, others: bool| {
        let server = TestServer::with_config(|config| config.seed = seed.to_owned()).await;
        if others {
            rule(
                &server,
                &json!({"account": "other", "probability": 0.5, "then": busy(500)}),
            )
            .await;
            reads(&server, "other", 3).await;
        }
        let body = json!({"account": "live", "probability": 0.5, "then": busy(503)});
        rule(&server, &body).await;
        rule(&server, &body).await;
        let statuses = reads(&server, "live", 32).await;
        let limit = hits(&server).await;
        (statuses, limit[limit.len() - 2..].to_vec())
    };
    let (statuses, limit) = one("a", false).await;
    assert_eq!(one("a", true).await, (statuses.clone(), limit.clone()));
    assert_ne!(one("b", false).await.0, statuses);
    let answered = statuses.iter().filter(|status| **status == 503).count();
    assert_eq!(i64::try_from(answered).ok(), Some(limit[0] + limit[1]));
    assert!((8..=24).contains(&limit[0]), "{limit:?}");
    assert!(limit[1] > 0 && limit[1] < 32 - limit[0], "{limit:?}");
}

#[tokio::test]
async fn requests_at_once_share_what_is_to_be_had_once() {
    let server = std::sync::Arc::new(TestServer::start().await);
    rule(&server, &json!({"times": 3, "then": busy(503)})).await;
    let requests: Vec<_> = (0..16)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.get("live", ORDERS).await.status })
        })
        .collect();
    let mut decision = 0;
    for status in requests {
        decision += usize::from(status.await.expect("no panic") == 503);
    }
    assert_eq!((decision, hits(&server).await), (3, vec![3]));
}

#[tokio::test]
async fn operation_method_and_path_are_globs_and_all_have_to_fit() {
    let server = TestServer::start().await;
    for (when, expected) in [
        (
            json!({"operation": "bizmori.listWebhooks"}),
            [true, false, false],
        ),
        (
            json!({"operation": "bizmori.*Webhook?"}),
            [true, false, false],
        ),
        (json!({"operation": "*.detect"}), [false, false, true]),
        (json!({"method": "get"}), [true, true, false]),
        (json!({"method": "P*"}), [false, false, true]),
        (json!({"path": "/api/*"}), [true, false, false]),
        (json!({"path": "/????th"}), [false, true, false]),
        (
            json!({"path": "*", "method": "*", "operation": "*"}),
            [true, true, true],
        ),
        (
            json!({"path": "/de*", "method": "POST", "operation": "undetectable.*"}),
            [false, false, true],
        ),
        (json!({"path": "/API/*"}), [false, false, false]),
        (json!({}), [true, true, true]),
    ] {
        rule(&server, &json!({"when": when, "then": busy(507)})).await;
        let response = [
            server.get("live", &format!("{ORDERS}?page=1")).await,
            server.get("live", "/health").await,
            server
                .post("live", "/detect", &json!({"key": "live", "url": ""}))
                .await,
        ];
        assert_eq!(
            response.map(|reply| reply.status == 507),
            expected,
            "{when}"
        );
        server
            .control(Method::DELETE, "/_mock/rules", &json!({}))
            .await;
    }
}

/// Each way of showing whose a request is.
async fn send_each_request(
    server: &TestServer,
    key: &str,
    upload: &str,
    test_upload: &str,
    document: &str,
) -> [u16; 6] {
    let bearer = format!("Bearer {key}");
    let json = ("content-type", "application/json");
    let detect = json!({"key": key, "url": "x"}).to_string();
    let query = json!({"id": document}).to_string();
    let send = async |method, path: &str, headers: &[(&str, &str)], body: String| {
        server.send(method, path, headers, body).await.status
    };
    [
        send(
            Method::GET,
            ORDERS,
            &[("authorization", &bearer)],
            String::new(),
        )
        .await,
        send(
            Method::GET,
            "/check-user-credits",
            &[("apikey", key)],
            String::new(),
        )
        .await,
        send(Method::POST, "/detect", &[json], detect).await,
        send(Method::POST, "/query", &[json], query).await,
        send(Method::PUT, upload, &[], "x".to_owned()).await,
        send(Method::PUT, test_upload, &[], "x".to_owned()).await,
    ]
}

/// A place to upload to, one for tests, and a document.
async fn world(server: &TestServer, key: &str, test_key: &str) -> (String, String, String) {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection(key, &body).await;
    let (_, test_upload) = server.create_detection(test_key, &body).await;
    let place = "/get-presigned-url?file_name=a_ai.jpg";
    let place = server
        .send(Method::GET, place, &[("apikey", key)], "")
        .await
        .json();
    server
        .put(place["presigned_url"].as_str().expect("a URL"), picture())
        .await;
    let body = json!({"key": key, "url": format!("{}/{}", server.origin, place["file_path"].as_str().expect("a path"))});
    let created = server.post(key, "/detect", &body).await.json();
    (
        upload,
        test_upload,
        created["id"].as_str().expect("an id").to_owned(),
    )
}

#[tokio::test]
async fn a_rule_that_names_an_account_is_about_what_is_its_own_however_that_shows() {
    let server = TestServer::start().await;
    let mine = world(&server, "mine", "sk_test_mine").await;
    let other = world(&server, "other", "sk_test_other").await;
    let before = send_each_request(&server, "other", &other.0, &other.1, &other.2).await;
    rule(&server, &json!({"account": "mine", "then": busy(507)})).await;
    let test = json!({"account": "sk_test_mine", "when": {"operation": "bizmori.putTestUpload"}, "then": busy(507)});
    rule(&server, &test).await;
    assert_eq!(
        send_each_request(&server, "mine", &mine.0, &mine.1, &mine.2).await,
        [507; 6]
    );
    assert_eq!(
        send_each_request(&server, "other", &other.0, &other.1, &other.2).await,
        before
    );
    assert_eq!(hits(&server).await, [5, 1]);
    for (method, path, body) in [
        (Method::GET, "/health", ""),
        (Method::POST, "/detect", "nonsense"),
        (Method::POST, "/detect", r#"{"key": 1}"#),
        (Method::POST, "/query", r#"{"id": "mine"}"#),
        (Method::GET, "/_s3/bizmori/own/key", ""),
        (Method::GET, "/_s3/%", ""),
    ] {
        let unowned = server.send(method, path, &[], body).await;
        assert_ne!(unowned.status, 507, "{path} {body}");
    }
}

#[tokio::test]
async fn a_body_that_a_rule_looked_at_is_read_as_ever() {
    let server = TestServer::start().await;
    let ask = async || {
        let mut messages = Vec::new();
        let large = format!(
            r#"{{"key":"live","url":"{}"}}"#,
            "x".repeat(9 * 1024 * 1024)
        );
        for body in [
            r#"{"key":"live"}"#,
            "{",
            "",
            r#"{"key":"","url":"u"}"#,
            &large,
        ] {
            let headers = [("content-type", "application/json")];
            let response = server
                .send(Method::POST, "/detect", &headers, body.to_owned())
                .await;
            messages.push(response.error_of());
        }
        messages
    };
    let before = ask().await;
    let body = json!({"account": "other", "when": {"operation": "undetectable.detect"}, "then": busy(507)});
    rule(&server, &body).await;
    assert_eq!(ask().await, before);
    let listed: Vec<Value> = rules(&server, "").await;
    assert_eq!(listed[0]["hits"], 0);
}
