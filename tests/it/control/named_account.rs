//! Naming an account in the query or in the body of a call, for every operation.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, T0, TestServer, picture};

async fn call(server: &TestServer, method: Method, path: &str, body: &str) -> (u16, Value) {
    let response = server.send(method, path, &[], body.to_owned()).await;
    // An empty body and metrics are not JSON.
    let json = serde_json::from_slice(&response.bytes).unwrap_or(Value::Null);
    (response.status, json)
}

async fn account_keys(server: &TestServer) -> Vec<String> {
    let (_, listing) = call(server, Method::GET, "/_mock/accounts", "").await;
    let accounts = listing["accounts"].as_array().expect("a list");
    let key = |it: &Value| it["key"].as_str().expect("a key").to_owned();
    accounts.iter().map(key).collect()
}

async fn create_order(server: &TestServer, key: &str) -> String {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection(key, &body, picture()).await
}

#[tokio::test]
async fn reset_with_account_in_query_resets_only_that_account() {
    let server = TestServer::start().await;
    for key in ["mine", "other"] {
        server.freeze(key).await;
        create_order(&server, key).await;
    }
    let rule = json!({"account": "mine", "then": {"delayMs": 1}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    server.webhook("mine", "http://127.0.0.1:1/").await;
    server
        .control(Method::PUT, "/_mock/inbox/a?account=mine", &json!({}))
        .await;
    let (status, result) = call(&server, Method::POST, "/_mock/reset?account=mine", "").await;
    let requests = result["requests"].clone();
    assert!(requests.as_u64().is_some_and(|it| it >= 3), "{result}");
    let expected = json!({"accounts": 1, "orders": 1, "webhooks": 1, "rules": 1,
        "requests": requests, "inboxes": 1});
    assert_eq!((status, result), (200, expected));
    assert_eq!(account_keys(&server).await, ["other"]);
    let path = "/_mock/requests?account=other";
    let (_, listing) = call(&server, Method::GET, path, "").await;
    assert_ne!(
        listing["requests"],
        json!([]),
        "requests of the other account remain"
    );
    let (status, result) = call(&server, Method::POST, "/_mock/reset?account=typo", "{}").await;
    let expected = json!({"accountKnown": false, "accounts": 0, "orders": 0, "webhooks": 0,
        "rules": 0, "requests": 0, "inboxes": 0});
    assert_eq!((status, result), (200, expected));
    assert_eq!(account_keys(&server).await, ["other"]);
    let (_, result) = call(&server, Method::POST, "/_mock/reset", "").await;
    assert_eq!(
        (&result["accounts"], &result["orders"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(account_keys(&server).await, [""; 0]);
}

#[tokio::test]
async fn delete_with_account_in_body_deletes_only_its_entries() {
    let server = TestServer::start().await;
    for key in ["mine", "other"] {
        let rule = json!({"account": key, "then": {"delayMs": 0}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
        server.get(key, "/api/v2/orders").await;
    }
    let mine = r#"{"account": "mine"}"#;
    for path in ["/_mock/rules", "/_mock/requests"] {
        assert_eq!(call(&server, Method::DELETE, path, mine).await.0, 204);
        let field = path.rsplit('/').next().expect("a name");
        let (_, listing) = call(&server, Method::GET, path, "").await;
        let remaining = listing[field].as_array().expect("a list");
        assert_eq!(remaining.len(), 1, "{path}");
        assert_eq!(remaining[0]["account"], "other");
    }
    let (status, result) = call(&server, Method::DELETE, "/_mock/rules", "nonsense").await;
    assert_eq!(
        (status, &result["error"]["code"]),
        (400, &json!("bad_body"))
    );
}

/// Operations that answer the same for every account, whose stream does not end, or whose body is a
/// client's.
const OTHER_OPERATIONS: [&str; 7] = [
    "control.getDashboard",
    "control.getDashboardFile",
    "control.docs",
    "control.docsFile",
    "control.openapi",
    "control.streamEvents",
    "control.postToInbox",
];

/// Returns method, path and required body of every operation except [`OTHER_OPERATIONS`].
fn operations() -> Vec<(Method, String, Value)> {
    let operations = stuntdouble::api::control::routes(None)
        .operations()
        .into_iter();
    let named = operations.filter(|it| !OTHER_OPERATIONS.contains(&it.name));
    let call = |it: stuntdouble::http::Operation| {
        let body = match it.name {
            "control.advanceClock" => json!({"by": 1}),
            "control.createRule" | "control.putRule" => json!({"then": {"delayMs": 1}}),
            "control.setClock" => json!({"mode": "running"}),
            "control.verifyRequests" => json!({"count": 0}),
            _ => json!({}),
        };
        let path = it
            .path
            .replace("{key}", "live")
            .replace("{account}", "live")
            .replace("{id}", "1")
            .replace("{seq}", "1")
            .replace("{name}", "a");
        (it.method, path, body)
    };
    named.map(call).collect()
}

#[tokio::test]
async fn call_with_account_in_query_or_body_is_accepted_by_every_operation() {
    for in_body in [false, true] {
        let server = TestServer::start().await;
        server.freeze("live").await;
        for (method, path, mut body) in operations() {
            let path = if in_body {
                body["account"] = json!("live");
                path
            } else {
                format!("{path}?account=live")
            };
            let (status, result) = call(&server, method.clone(), &path, &body.to_string()).await;
            let code = result["error"]["code"].as_str().unwrap_or_default();
            assert!(
                status < 300
                    || (status == 404 && code.starts_with("unknown_"))
                    || path.contains("ca.pem"),
                "{method} {path}: {status} {result}"
            );
            assert_ne!(code, "unknown_route");
        }
    }
}

#[tokio::test]
async fn call_with_two_accounts_is_refused_by_every_operation() {
    let server = TestServer::start().await;
    server.freeze("live").await;
    create_order(&server, "live").await;
    for (method, path, mut body) in operations() {
        let query = format!("{path}?account=live&account=other");
        let text = body.to_string();
        body["account"] = json!("other");
        let both = format!("{path}?account=live");
        for (path, body) in [(query, text), (both, body.to_string())] {
            let (status, result) = call(&server, method.clone(), &path, &body).await;
            let message = result["error"]["message"].as_str().unwrap_or_default();
            assert_eq!(status, 400, "{method} {path} {body}: {result}");
            let expected = "the call names two accounts, live and other";
            // Errors of fixtures start with the line.
            assert!(message.ends_with(expected), "{path}: {result}");
        }
    }
    for path in ["/_mock/accounts/live", "/_mock/requests/live/1"] {
        let path = format!("{path}?account=other");
        let (status, result) = call(&server, Method::GET, &path, "").await;
        let code = result["error"]["code"].clone();
        assert_eq!((status, code), (400, json!("two_accounts")), "{path}");
    }
    let path = "/_mock/accounts/live?account=other";
    assert_eq!(call(&server, Method::DELETE, path, "").await.0, 400);
    assert_eq!(account_keys(&server).await, ["live"], "nothing is deleted");
    let twice = "/_mock/clock?account=live&account=live";
    assert_eq!(
        call(&server, Method::GET, twice, "").await.0,
        200,
        "the same account twice is accepted"
    );
}

#[tokio::test]
async fn call_with_unknown_account_answers_account_known_false() {
    let server = TestServer::start().await;
    server.get("live", "/api/v2/orders").await;
    for (method, path, body) in [
        (Method::GET, "/_mock/clock", json!({})),
        (Method::GET, "/_mock/orders", json!({})),
        (Method::GET, "/_mock/requests", json!({})),
        (Method::GET, "/_mock/rules", json!({})),
        (Method::GET, "/_mock/deliveries", json!({})),
        (Method::GET, "/_mock/accounts", json!({})),
        (Method::GET, "/_mock/snapshots", json!({})),
        (Method::GET, "/_mock/inbox", json!({})),
        (Method::GET, "/_mock/inbox/a/messages", json!({})),
        (Method::GET, "/_mock/inbox/a/messages?min=1", json!({})),
        (Method::POST, "/_mock/drain", json!({})),
        (Method::POST, "/_mock/requests/verify", json!({"count": 0})),
        (Method::POST, "/_mock/requests/verify", json!({"count": 1})),
        (Method::POST, "/_mock/reset", json!({})),
    ] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let with = |key: &str| format!("{path}{separator}account={key}");
        let body = body.to_string();
        let (status, unknown) = call(&server, method.clone(), &with("typo"), &body).await;
        assert!(status < 500, "{path}: {unknown}");
        assert_eq!(unknown["accountKnown"], false, "{method} {path}: {unknown}");
        let (_, known) = call(&server, method.clone(), &with("live"), &body).await;
        assert_eq!(
            known["accountKnown"],
            Value::Null,
            "{method} {path}: {known}"
        );
        let (_, all) = call(&server, method, path, &body).await;
        assert_eq!(all["accountKnown"], Value::Null, "{path}: {all}");
        server.get("live", "/api/v2/orders").await;
    }
    assert_eq!(
        account_keys(&server).await,
        ["live"],
        "reading creates no account"
    );
    let freeze = json!({"account": "new", "mode": "frozen", "now": T0});
    for known in [json!(false), Value::Null] {
        let set = server.control(Method::PUT, "/_mock/clock", &freeze).await;
        assert_eq!(
            set["accountKnown"], known,
            "the first call creates the account"
        );
    }
    let path = "/_mock/orders/1/fail?account=typo";
    let (status, refused) = call(&server, Method::POST, path, "").await;
    assert_eq!((status, &refused["accountKnown"]), (404, &Value::Null));
}

#[tokio::test]
async fn call_with_id_of_another_account_answers_404() {
    let server = TestServer::start().await;
    let receiver = Receiver::start().await;
    for key in ["mine", "other"] {
        server.freeze(key).await;
    }
    server.webhook("mine", &receiver.url).await;
    let id = create_order(&server, "mine").await;
    let rule = json!({"account": "mine", "then": {"delayMs": 0}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let general = json!({"then": {"delayMs": 0}});
    server.control(Method::POST, "/_mock/rules", &general).await;
    for action in ["complete", "fail", "expire"] {
        let path = format!("/_mock/orders/{id}/{action}");
        for body in [r#"{"account": "other"}"#, r#"{"account": "typo"}"#] {
            let (status, result) = call(&server, Method::POST, &path, body).await;
            let code = result["error"]["code"].clone();
            assert_eq!((status, code), (404, json!("unknown_order")), "{action}");
        }
    }
    assert_eq!(server.get_order("mine", &id).await["status"], "inProgress");
    let path = format!("/_mock/orders/{id}/complete?account=mine");
    assert_eq!(call(&server, Method::POST, &path, "").await.0, 200);
    server.drain("mine").await;
    let listing = call(&server, Method::GET, "/_mock/deliveries", "").await.1;
    let delivery = listing["deliveries"][0]["id"].clone();
    let resend = |key: &str| format!("/_mock/deliveries/{delivery}/resend?account={key}");
    assert_eq!(
        call(&server, Method::POST, &resend("other"), "").await.0,
        404
    );
    assert_eq!(
        call(&server, Method::POST, &resend("typo"), "").await.0,
        404
    );
    assert_eq!(
        call(&server, Method::POST, &resend("mine"), "").await.0,
        200
    );
    for (path, status) in [
        ("/_mock/rules/1?account=other", 404),
        ("/_mock/rules/2?account=mine", 404),
        ("/_mock/rules/1?account=mine", 204),
        ("/_mock/rules/2", 204),
    ] {
        assert_eq!(
            call(&server, Method::DELETE, path, "").await.0,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn put_clock_with_byte_order_mark_reads_the_body() {
    let server = TestServer::start().await;
    let body = format!(
        "\u{feff}{}",
        json!({"account": "live", "mode": "frozen", "now": T0})
    );
    // A streamed body is not checked against the OpenAPI description. The check cannot parse the
    // mark.
    let body = reqwest::Body::wrap(http_body_util::Full::new(bytes::Bytes::from(body)));
    let set = server.send(Method::PUT, "/_mock/clock", &[], body).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let (_, clock) = call(&server, Method::GET, "/_mock/clock?account=live", "").await;
    assert_eq!(
        (&clock["now"], &clock["isDefault"]),
        (&json!(T0), &json!(false))
    );
}
