//! Accounts of inboxes: names are per account, and inboxes are removed with their account.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{T0, TestServer, picture};

/// Maximum of inboxes.
const INBOXES_MAX: usize = 1_000;

async fn call(server: &TestServer, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let response = server.send(method, path, &[], body.to_string()).await;
    let json = if response.bytes.is_empty() {
        Value::Null
    } else {
        response.json()
    };
    (response.status, json)
}

/// Delivers a webhook of a completed order of `key` to the inbox. Returns the order's id.
async fn deliver_to_inbox(server: &TestServer, key: &str, name: &str) -> String {
    server.freeze(key).await;
    let url = format!("http://localhost:{}/_mock/inbox/{name}", port(server));
    server.webhook(key, &url).await;
    let body = json!({"idempotencyKey": name, "fileName": "a_ai.jpg"});
    let id = server.confirm_detection(key, &body, picture()).await;
    server.advance(key, "PT1S").await;
    id
}

fn port(server: &TestServer) -> &str {
    server.origin.rsplit(':').next().expect("a port")
}

/// Returns the ids of the orders whose events are in the inbox.
async fn order_ids(server: &TestServer, query: &str) -> Vec<Value> {
    let path = format!("/_mock/inbox/hook/messages{query}");
    let listing = server.control(Method::GET, &path, &json!({})).await;
    let messages = listing["messages"].as_array().expect("messages").iter();
    messages
        .map(|it| it["body"]["data"]["orderId"].clone())
        .collect()
}

#[tokio::test]
async fn inboxes_of_two_accounts_with_one_name_are_separate() {
    let server = TestServer::start().await;
    let settings = json!({"account": "one", "statuses": [204]});
    server
        .control(Method::PUT, "/_mock/inbox/hook", &settings)
        .await;
    let one = deliver_to_inbox(&server, "one", "hook").await;
    assert_eq!(
        order_ids(&server, "").await,
        [json!(one)],
        "the only inbox of that name"
    );
    let two = deliver_to_inbox(&server, "two", "hook").await;
    assert_eq!(order_ids(&server, "?account=one").await, [json!(one)]);
    assert_eq!(order_ids(&server, "?account=two").await, [json!(two)]);
    let refused = json!({"error": {
        "code": "ambiguous_inbox",
        "message": "several accounts have an inbox hook",
        "hint": "name the account; GET /_mock/inbox lists all inboxes",
    }});
    for (method, path) in [
        (Method::GET, "/_mock/inbox/hook/messages"),
        (Method::PUT, "/_mock/inbox/hook"),
        (Method::DELETE, "/_mock/inbox/hook"),
    ] {
        let actual = call(&server, method, path, &json!({})).await;
        assert_eq!(actual, (409, refused.clone()), "{path}");
    }
    let listing = server
        .control(Method::GET, "/_mock/inbox", &json!({}))
        .await;
    let inbox = |account: &str, statuses: Value| {
        json!({"name": "hook", "account": account, "statuses": statuses, "delayMs": 0,
            "secret": null, "messages": 1, "evicted": 0})
    };
    let inboxes = [inbox("one", json!([204])), inbox("two", json!([]))];
    assert_eq!(listing, json!({"inboxes": inboxes, "next": null}));
    let path = "/_mock/inbox?limit=1";
    let first_page = server.control(Method::GET, path, &json!({})).await;
    assert_eq!(first_page["inboxes"], json!([inboxes[0]]));
    let next = first_page["next"].as_str().expect("a cursor");
    let path = format!("/_mock/inbox?limit=1&after={next}");
    let second_page = server.control(Method::GET, &path, &json!({})).await;
    assert_eq!(second_page, json!({"inboxes": [inboxes[1]], "next": null}));
    let path = "/_mock/inbox?account=two";
    let of_two = server.control(Method::GET, path, &json!({})).await;
    assert_eq!(of_two["inboxes"], json!([inboxes[1]]));
    server
        .control(Method::DELETE, "/_mock/accounts/one", &json!({}))
        .await;
    assert_eq!(
        order_ids(&server, "").await,
        [json!(two)],
        "the other inbox was removed with its account"
    );
}

#[tokio::test]
async fn deliver_to_inbox_without_account_assigns_it_to_the_webhooks_account() {
    let server = TestServer::start().await;
    let settings = json!({"statuses": [500]});
    let created = server
        .control(Method::PUT, "/_mock/inbox/hook", &settings)
        .await;
    assert_eq!(created["account"], Value::Null);
    let id = deliver_to_inbox(&server, "live", "hook").await;
    assert_eq!(order_ids(&server, "?account=live").await, [json!(id)]);
    let path = "/_mock/deliveries?account=live";
    let listing = server.control(Method::GET, path, &json!({})).await;
    let status = &listing["deliveries"][0]["status"];
    assert_eq!(status, 500, "the configured status");
    let reset = json!({"account": "live"});
    let result = server.control(Method::POST, "/_mock/reset", &reset).await;
    assert_eq!(
        result["inboxes"], 1,
        "the inbox is removed with the account of the webhook"
    );
    assert_eq!(order_ids(&server, "").await, [Value::Null; 0]);
}

#[tokio::test]
async fn post_to_inbox_from_elsewhere_resolves_account_by_url_or_signature() {
    let server = TestServer::start().await;
    let post = async |path: &str, body: &str, secret: Option<&str>| {
        let signature = secret
            .map(|it| stuntdouble::services::webhooks::signature(it, body.as_bytes()))
            .unwrap_or_default();
        let headers = [("x-moribiz-signature", signature.as_str())];
        let response = server
            .send(Method::POST, path, &headers, body.to_owned())
            .await;
        assert_eq!(response.status, 200);
    };
    let bodies = async |key: &str| {
        let path = format!("/_mock/inbox/hook/messages?account={key}");
        let listing = server.control(Method::GET, &path, &json!({})).await;
        let messages = listing["messages"].as_array().expect("messages").clone();
        messages
            .iter()
            .map(|it| it["body"].clone())
            .collect::<Vec<_>>()
    };
    post("/_mock/inbox/hook?account=named", "1", None).await;
    assert_eq!(bodies("named").await, [1]);
    let url = "http://h/_mock/inbox/hook";
    let (_, first) = server.webhook("first", url).await;
    post("/_mock/inbox/hook", "\"only\"", None).await;
    assert_eq!(bodies("first").await, ["only"]);
    let (_, second) = server.webhook("second", url).await;
    post("/_mock/inbox/hook", "{\"a\": 1.0}", Some(&second)).await;
    post("/_mock/inbox/hook", "no JSON", Some(&first)).await;
    assert_eq!(bodies("second").await, [json!({"a": 1.0})]);
    assert_eq!(bodies("first").await, ["only", "no JSON"]);
}

#[tokio::test]
async fn exceed_inbox_limit_evicts_the_longest_unused_and_ends_its_waits() {
    let server = TestServer::start().await;
    for n in 0..INBOXES_MAX {
        let path = format!("/_mock/inbox/{n}?account=many");
        server.send(Method::POST, &path, &[], "x").await;
    }
    let error = json!({"error": {
        "code": "inbox_evicted",
        "message": "the inbox 1 was removed with its messages: of more than 1000 it was unused for longest",
        "hint": "remove inboxes, or accounts with theirs, when a test is done; the next message makes it anew",
    }});
    let url_of = |query: &str| format!("/_mock/inbox/{query}");
    let path = url_of("0/messages?account=many");
    server.control(Method::GET, &path, &json!({})).await;
    let another = json!({"account": "other"});
    server
        .control(Method::PUT, "/_mock/inbox/1", &another)
        .await;
    for query in [
        "1/messages?account=many",
        "1/messages?account=many&min=1&timeoutMs=600000",
    ] {
        let actual = call(&server, Method::GET, &url_of(query), &json!({})).await;
        assert_eq!(actual, (410, error.clone()), "{query}");
    }
    let stored = call(
        &server,
        Method::GET,
        &url_of("0/messages?account=many"),
        &json!({}),
    )
    .await;
    assert_eq!(
        stored.1["messages"].as_array().map(Vec::len),
        Some(1),
        "the inbox that was read is not evicted"
    );
    let own = call(
        &server,
        Method::GET,
        &url_of("1/messages?account=other"),
        &json!({}),
    )
    .await;
    assert_eq!(
        own,
        (200, json!({"messages": [], "evicted": 0})),
        "the new inbox exists"
    );
    let path = url_of("2/messages?account=many&min=2&timeoutMs=600000");
    let no_body = json!({});
    let wait = call(&server, Method::GET, &path, &no_body);
    let evict = async {
        for n in 0..=INBOXES_MAX {
            let path = format!("/_mock/inbox/new{n}");
            server.send(Method::POST, &path, &[], "x").await;
        }
    };
    let ((status, body), ()) = tokio::join!(wait, evict);
    assert_eq!(
        (status, &body["error"]["code"]),
        (410, &json!("inbox_evicted"))
    );
    let path = "/_mock/inbox/1?account=many";
    server.send(Method::POST, path, &[], "again").await;
    let (_, listing) = call(
        &server,
        Method::GET,
        &url_of("1/messages?account=many"),
        &json!({}),
    )
    .await;
    assert_eq!(listing["messages"][0]["body"], "again", "a new inbox");
}

#[tokio::test]
async fn list_messages_answers_json_body_and_signed_text() {
    let server = TestServer::start().await;
    server.freeze("live").await;
    let path = "/_mock/inbox/hook?account=live";
    for (body, expected) in [
        (
            "{\"n\": 12345678901234567890123, \"f\": 1.0}",
            "{\"n\": 12345678901234567890123, \"f\": 1.0}",
        ),
        ("a=b", "\"a=b\""),
        ("", "null"),
    ] {
        server.send(Method::POST, path, &[], body).await;
        let path = "/_mock/inbox/hook/messages?account=live";
        let text = server.send(Method::GET, path, &[], "").await.text();
        let fields = format!("\"body\":{expected},\"rawBody\":{}", json!(body));
        assert!(text.contains(&fields), "{text}");
        assert!(text.contains(T0), "the time of the account's clock");
    }
}
