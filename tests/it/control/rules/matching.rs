//! Requests that a rule matches: by account, operation, method and path, and by counts.

use reqwest::Method;
use serde_json::{Value, json};

use super::{WEBHOOKS, add_rule, hits, list_rules, read_statuses, respond_with};
use crate::support::{TestServer, picture};

#[tokio::test]
async fn match_with_skip_and_times_applies_to_requests_between() {
    let server = TestServer::start().await;
    let body = json!({"account": "live", "skip": 2, "times": 2, "then": respond_with(503)});
    add_rule(&server, &body).await;
    assert_eq!(
        read_statuses(&server, "live", 6).await,
        [200, 200, 503, 503, 200, 200]
    );
    assert_eq!(hits(&server).await, [2]);
}

#[tokio::test]
async fn match_several_rules_applies_the_first_that_fits() {
    let server = TestServer::start().await;
    for body in [
        json!({"skip": 1, "times": 1, "then": respond_with(501)}),
        json!({"account": "other", "then": respond_with(502)}),
        json!({"when": {"operation": "storage.*"}, "then": respond_with(503)}),
        json!({"times": 2, "then": respond_with(504)}),
        json!({"then": respond_with(505)}),
    ] {
        add_rule(&server, &body).await;
    }
    assert_eq!(
        read_statuses(&server, "live", 4).await,
        [504, 501, 504, 505]
    );
    assert_eq!(hits(&server).await, [1, 0, 0, 2, 1]);
}

#[tokio::test]
async fn match_delay_and_respond_of_two_rules_applies_and_counts_both() {
    let server = TestServer::start().await;
    for then in [
        json!({"delayMs": 1}),
        json!({"delayMs": 600_000}),
        json!({"delayMs": 600_000, "respond": {"status": 503}}),
        respond_with(504),
    ] {
        add_rule(&server, &json!({"then": then})).await;
    }
    assert_eq!(read_statuses(&server, "live", 2).await, [503, 503]);
    assert_eq!(hits(&server).await, [2, 0, 2, 0]);
}

#[tokio::test]
async fn match_by_probability_depends_on_seed_and_account_only() {
    let run = async |seed: &str, has_other_rule: bool| {
        let server = TestServer::with_config(|config| config.seed = seed.to_owned()).await;
        if has_other_rule {
            add_rule(
                &server,
                &json!({"account": "other", "probability": 0.5, "then": respond_with(500)}),
            )
            .await;
            read_statuses(&server, "other", 3).await;
        }
        let body = json!({"account": "live", "probability": 0.5, "then": respond_with(503)});
        add_rule(&server, &body).await;
        add_rule(&server, &body).await;
        let statuses = read_statuses(&server, "live", 32).await;
        let counts = hits(&server).await;
        (statuses, counts[counts.len() - 2..].to_vec())
    };
    let (statuses, counts) = run("a", false).await;
    assert_eq!(run("a", true).await, (statuses.clone(), counts.clone()));
    assert_ne!(run("b", false).await.0, statuses);
    let applied = statuses.iter().filter(|status| **status == 503).count();
    assert_eq!(i64::try_from(applied).ok(), Some(counts[0] + counts[1]));
    assert!((8..=24).contains(&counts[0]), "{counts:?}");
    assert!(counts[1] > 0 && counts[1] < 32 - counts[0], "{counts:?}");
}

#[tokio::test]
async fn match_concurrent_requests_applies_rule_at_most_times_times() {
    let server = std::sync::Arc::new(TestServer::start().await);
    add_rule(&server, &json!({"times": 3, "then": respond_with(503)})).await;
    let requests: Vec<_> = (0..16)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.get("live", WEBHOOKS).await.status })
        })
        .collect();
    let mut applied = 0;
    for status in requests {
        applied += usize::from(status.await.expect("no panic") == 503);
    }
    assert_eq!((applied, hits(&server).await), (3, vec![3]));
}

#[tokio::test]
async fn match_by_operation_method_and_path_globs_requires_all() {
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
        add_rule(&server, &json!({"when": when, "then": respond_with(507)})).await;
        let responses = [
            server.get("live", &format!("{WEBHOOKS}?page=1")).await,
            server.get("live", "/health").await,
            server
                .post("live", "/detect", &json!({"key": "live", "url": ""}))
                .await,
        ];
        assert_eq!(responses.map(|it| it.status == 507), expected, "{when}");
        server
            .control(Method::DELETE, "/_mock/rules", &json!({}))
            .await;
    }
}

/// Sends a request for each way of identifying an account. Returns the statuses.
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
            WEBHOOKS,
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

/// Creates two upload URLs, one for a test key, and a document.
async fn create_targets(
    server: &TestServer,
    key: &str,
    test_key: &str,
) -> (String, String, String) {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection(key, &body).await;
    let (_, test_upload) = server.create_detection(test_key, &body).await;
    let path = "/get-presigned-url?file_name=a_ai.jpg";
    let presigned = server
        .send(Method::GET, path, &[("apikey", key)], "")
        .await
        .json();
    let upload_url = presigned["presigned_url"].as_str().expect("a URL");
    server.put(upload_url, picture()).await;
    let path = presigned["file_path"].as_str().expect("a path");
    let body = json!({"key": key, "url": format!("{}/{path}", server.origin)});
    let created = server.post(key, "/detect", &body).await.json();
    (
        upload,
        test_upload,
        created["id"].as_str().expect("an id").to_owned(),
    )
}

#[tokio::test]
async fn match_by_account_recognizes_key_url_and_document() {
    let server = TestServer::start().await;
    let mine = create_targets(&server, "mine", "sk_test_mine").await;
    let other = create_targets(&server, "other", "sk_test_other").await;
    let before = send_each_request(&server, "other", &other.0, &other.1, &other.2).await;
    add_rule(
        &server,
        &json!({"account": "mine", "then": respond_with(507)}),
    )
    .await;
    let test = json!({"account": "sk_test_mine", "when": {"operation": "bizmori.putTestUpload"}, "then": respond_with(507)});
    add_rule(&server, &test).await;
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
        let response = server.send(method, path, &[], body).await;
        assert_ne!(response.status, 507, "{path} {body}");
    }
}

#[tokio::test]
async fn match_by_account_in_body_leaves_the_body_readable() {
    let server = TestServer::start().await;
    let send_all = async || {
        let mut errors = Vec::new();
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
            errors.push(response.error_of());
        }
        errors
    };
    let before = send_all().await;
    let body = json!({"account": "other", "when": {"operation": "undetectable.detect"}, "then": respond_with(507)});
    add_rule(&server, &body).await;
    assert_eq!(send_all().await, before);
    let rules: Vec<Value> = list_rules(&server, "").await;
    assert_eq!(rules[0]["hits"], 0);
}
