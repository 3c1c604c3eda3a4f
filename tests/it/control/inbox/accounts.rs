//! Names of inboxes belong to accounts, and inboxes go with them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{T0, TestServer, picture};

const MAX: usize = 1_000;

async fn call(server: &TestServer, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let response = server.send(method, path, &[], body.to_string()).await;
    let json = if response.bytes.is_empty() {
        Value::Null
    } else {
        response.json()
    };
    (response.status, json)
}

/// A webhook of the account's that goes to the inbox, and an order that comes to its end.
async fn delivered(server: &TestServer, key: &str, name: &str) -> String {
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

/// The orders whose events are in the inbox.
async fn orders(server: &TestServer, query: &str) -> Vec<Value> {
    let path = format!("/_mock/inbox/hook/messages{query}");
    let found = server.control(Method::GET, &path, &json!({})).await;
    let messages = found["messages"].as_array().expect("messages").iter();
    messages
        .map(|it| it["body"]["data"]["orderId"].clone())
        .collect()
}

#[tokio::test]
async fn two_accounts_with_one_name_have_two_inboxes() {
    let server = TestServer::start().await;
    let set = json!({"account": "one", "statuses": [204]});
    server.control(Method::PUT, "/_mock/inbox/hook", &set).await;
    let one = delivered(&server, "one", "hook").await;
    assert_eq!(
        orders(&server, "").await,
        [json!(one)],
        "the only one of that name"
    );
    let two = delivered(&server, "two", "hook").await;
    assert_eq!(orders(&server, "?account=one").await, [json!(one)]);
    assert_eq!(orders(&server, "?account=two").await, [json!(two)]);
    let refused = json!({"error": {
        "code": "ambiguous_inbox",
        "message": "several accounts have an inbox hook",
        "hint": "add account to the request; GET /_mock/inbox lists all inboxes",
    }});
    for (method, path) in [
        (Method::GET, "/_mock/inbox/hook/messages"),
        (Method::PUT, "/_mock/inbox/hook"),
        (Method::DELETE, "/_mock/inbox/hook"),
    ] {
        let found = call(&server, method, path, &json!({})).await;
        assert_eq!(found, (409, refused.clone()), "{path}");
    }
    let listed = server
        .control(Method::GET, "/_mock/inbox", &json!({}))
        .await;
    let shown = |account: &str, statuses: Value| {
        json!({"name": "hook", "account": account, "statuses": statuses, "delayMs": 0,
            "secret": null, "messages": 1, "evicted": 0})
    };
    let inboxes = [shown("one", json!([204])), shown("two", json!([]))];
    assert_eq!(listed, json!({"inboxes": inboxes, "next": null}));
    let page = "/_mock/inbox?limit=1";
    let page = server.control(Method::GET, page, &json!({})).await;
    assert_eq!(page["inboxes"], json!([inboxes[0]]));
    let next = page["next"].as_str().expect("a cursor");
    let page = format!("/_mock/inbox?limit=1&after={next}");
    let page = server.control(Method::GET, &page, &json!({})).await;
    assert_eq!(page, json!({"inboxes": [inboxes[1]], "next": null}));
    let of_two = "/_mock/inbox?account=two";
    let of_two = server.control(Method::GET, of_two, &json!({})).await;
    assert_eq!(of_two["inboxes"], json!([inboxes[1]]));
    server
        .control(Method::DELETE, "/_mock/accounts/one", &json!({}))
        .await;
    assert_eq!(
        orders(&server, "").await,
        [json!(two)],
        "the other went with its account"
    );
}

#[tokio::test]
async fn a_webhook_takes_the_inbox_that_was_set_up_without_an_account() {
    let server = TestServer::start().await;
    let set = json!({"statuses": [500]});
    let created = server.control(Method::PUT, "/_mock/inbox/hook", &set).await;
    assert_eq!(created["account"], Value::Null);
    let id = delivered(&server, "live", "hook").await;
    assert_eq!(orders(&server, "?account=live").await, [json!(id)]);
    let deliveries = "/_mock/deliveries?account=live";
    let deliveries = server.control(Method::GET, deliveries, &json!({})).await;
    assert_eq!(deliveries["deliveries"][0]["status"], 500, "by its script");
    let reset = json!({"account": "live"});
    let done = server.control(Method::POST, "/_mock/reset", &reset).await;
    assert_eq!(
        done["inboxes"], 1,
        "it went with the account whose webhook names it"
    );
    assert_eq!(orders(&server, "").await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_message_from_elsewhere_is_of_the_account_that_its_url_names_or_its_signature_tells() {
    let server = TestServer::start().await;
    let post = async |path: &str, body: &str, secret: Option<&str>| {
        let signature =
            secret.map(|it| stuntdouble::services::webhooks::signature(it, body.as_bytes()));
        let signature = signature.unwrap_or_default();
        let headers = [("x-moribiz-signature", signature.as_str())];
        let response = server
            .send(Method::POST, path, &headers, body.to_owned())
            .await;
        assert_eq!(response.status, 200);
    };
    let bodies = async |key: &str| {
        let path = format!("/_mock/inbox/hook/messages?account={key}");
        let found = server.control(Method::GET, &path, &json!({})).await;
        let messages = found["messages"].as_array().expect("messages").clone();
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
async fn the_inbox_longest_unused_goes_and_says_so_to_whoever_waits() {
    let server = TestServer::start().await;
    for n in 0..MAX {
        let path = format!("/_mock/inbox/{n}?account=many");
        server.send(Method::POST, &path, &[], "x").await;
    }
    let error = json!({"error": {
        "code": "inbox_evicted",
        "message": "the inbox 1 and its messages were evicted: of more than 1000 inboxes it was unused for longest",
        "hint": "delete inboxes, or the accounts that own them, at the end of a test; the next message creates the inbox again",
    }});
    let read = |query: &str| format!("/_mock/inbox/{query}");
    let path = read("0/messages?account=many");
    server.control(Method::GET, &path, &json!({})).await;
    let one_more = json!({"account": "other"});
    server
        .control(Method::PUT, "/_mock/inbox/1", &one_more)
        .await;
    for query in [
        "1/messages?account=many",
        "1/messages?account=many&min=1&timeoutMs=600000",
    ] {
        let found = call(&server, Method::GET, &read(query), &json!({})).await;
        assert_eq!(found, (410, error.clone()), "{query}");
    }
    let stored = call(
        &server,
        Method::GET,
        &read("0/messages?account=many"),
        &json!({}),
    )
    .await;
    assert_eq!(
        stored.1["messages"].as_array().map(Vec::len),
        Some(1),
        "it was read"
    );
    let own = call(
        &server,
        Method::GET,
        &read("1/messages?account=other"),
        &json!({}),
    )
    .await;
    assert_eq!(
        own,
        (200, json!({"messages": [], "evicted": 0})),
        "the one that came"
    );
    let waiting = read("2/messages?account=many&min=2&timeoutMs=600000");
    let (waiting, none) = (&waiting, json!({}));
    let waits = call(&server, Method::GET, waiting, &none);
    let come = async {
        for n in 0..=MAX {
            let path = format!("/_mock/inbox/new{n}");
            server.send(Method::POST, &path, &[], "x").await;
        }
    };
    let ((status, response_body), ()) = tokio::join!(waits, come);
    assert_eq!(
        (status, &response_body["error"]["code"]),
        (410, &json!("inbox_evicted"))
    );
    let again = "/_mock/inbox/1?account=many";
    server.send(Method::POST, again, &[], "again").await;
    let (_, found) = call(
        &server,
        Method::GET,
        &read("1/messages?account=many"),
        &json!({}),
    )
    .await;
    assert_eq!(found["messages"][0]["body"], "again", "made anew");
}

#[tokio::test]
async fn a_message_shows_json_as_json_and_the_text_that_was_signed() {
    let server = TestServer::start().await;
    server.freeze("live").await;
    let path = "/_mock/inbox/hook?account=live";
    for (sent, shown) in [
        (
            "{\"n\": 12345678901234567890123, \"f\": 1.0}",
            "{\"n\": 12345678901234567890123, \"f\": 1.0}",
        ),
        ("a=b", "\"a=b\""),
        ("", "null"),
    ] {
        server.send(Method::POST, path, &[], sent).await;
        let listing = "/_mock/inbox/hook/messages?account=live";
        let text = server.send(Method::GET, listing, &[], "").await.text();
        let body = format!("\"body\":{shown},\"rawBody\":{}", json!(sent));
        assert!(text.contains(&body), "{text}");
        assert!(text.contains(T0), "by the account's clock");
    }
}
