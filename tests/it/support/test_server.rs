//! The server under test, and calls to it.

use std::io::{Read, Seek};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{ClientBuilder, Method};
use serde_json::{Value, json};
use stuntdouble::app::App;
use stuntdouble::settings::Config;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// When the accounts of tests begin.
pub const T0: &str = "2026-03-12T10:00:00.000Z";

/// A running server; dropped, it stops.
pub struct TestServer {
    pub origin: String,
    /// Where it listens by TLS.
    pub tls: Option<SocketAddr>,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Result<(), String>>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl TestServer {
    /// A server with its default settings.
    pub async fn start() -> Self {
        Self::with_config(|_| {}).await
    }

    /// A server with other settings.
    pub async fn with_config(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            port: 0,
            ..Config::defaults()
        };
        set(&mut config);
        let app = App::start(config).await.expect("the server starts");
        let (origin, tls) = (format!("http://{}", app.address()), app.tls_address());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(app.serve(async {
            let _ = stopped.await;
            "SIGTERM"
        }));
        Self {
            tls,
            stop: Some(stop),
            served: Some(served),
            ..Self::connect(&origin)
        }
    }

    /// A server that runs elsewhere.
    pub fn connect(origin: &str) -> Self {
        Self::connect_with(origin, |client| {
            client.tls_danger_accept_invalid_certs(true)
        })
    }

    /// A server that runs at that address, where that name leads.
    pub fn connect_resolving(origin: &str, name: &str, address: SocketAddr) -> Self {
        Self::connect_with(origin, |client| client.resolve(name, address))
    }

    /// A server that runs elsewhere, and is called in another way.
    pub fn connect_with(origin: &str, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        // The client wants one, though few tests call by https; another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_mins(5));
        Self {
            origin: origin.to_owned(),
            tls: None,
            http: set(http).build().expect("a client"),
            stop: None,
            served: None,
        }
    }

    /// A server with its default settings, the account's own clock frozen at [`T0`].
    pub async fn start_frozen(key: &str) -> Self {
        let server = Self::start().await;
        server.freeze(key).await;
        server
    }

    /// Stops the server as SIGTERM does, and waits until it has.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let served = self.served.take().expect("it was not stopped before");
        served.await.expect("no panic").expect("a clean end");
    }

    /// Stops the server as SIGTERM does, and waits until it has: whether all that was under way had
    /// ended, and nothing was cut off. For tests of one thread, on which the server says that it does.
    pub async fn shuts_down_cleanly(self) -> bool {
        let log = Arc::new(tempfile::tempfile().expect("a file"));
        let lines = tracing_subscriber::fmt().with_writer(Arc::clone(&log));
        let value = tracing::subscriber::set_default(lines.finish());
        self.stop().await;
        drop(value);
        let (mut log, mut text) = (log.as_ref(), String::new());
        log.rewind().expect("a file");
        log.read_to_string(&mut text).expect("text");
        !text.contains("shutdown grace period exceeded")
    }

    /// Any request. An answer on a described path is as described.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> TestResponse {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.origin)
        };
        let body = body.into();
        let sent = body.as_bytes().map(<[u8]>::to_vec);
        let mut request = self.http.request(method.clone(), url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let url = response.url().clone();
        let response = TestResponse {
            status,
            headers,
            bytes: response.bytes().await.expect("a whole body").to_vec(),
        };
        let input = super::openapi::DescribedInput {
            method: &method,
            path: &url[url::Position::BeforePath..],
            body: sent.as_deref(),
        };
        if let Err(wrong) = super::openapi::check(&input, &response) {
            panic!("not as described: {wrong}");
        }
        response
    }

    /// A GET with a BIZ MORI key.
    pub async fn get(&self, key: &str, path: &str) -> TestResponse {
        self.send(
            Method::GET,
            path,
            &[(AUTHORIZATION.as_str(), &format!("Bearer {key}"))],
            "",
        )
        .await
    }

    /// A call with a BIZ MORI key and a JSON body.
    pub async fn call(&self, method: Method, key: &str, path: &str, body: &Value) -> TestResponse {
        let bearer = format!("Bearer {key}");
        let headers = [
            (AUTHORIZATION.as_str(), bearer.as_str()),
            (CONTENT_TYPE.as_str(), "application/json"),
        ];
        self.send(method, path, &headers, body.to_string()).await
    }

    /// A POST with a BIZ MORI key.
    pub async fn post(&self, key: &str, path: &str, body: &Value) -> TestResponse {
        self.call(Method::POST, key, path, body).await
    }

    /// A call to the control plane, which must succeed.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let response = self.send(method, path, &[], body.to_string()).await;
        assert!(
            response.status < 300,
            "{path}: {} {}",
            response.status,
            response.text()
        );
        if response.bytes.is_empty() {
            Value::Null
        } else {
            response.json()
        }
    }

    /// Freezes the account's own clock at [`T0`].
    pub async fn freeze(&self, key: &str) {
        self.control(
            Method::PUT,
            "/_mock/clock",
            &json!({"account": key, "mode": "frozen", "now": T0}),
        )
        .await;
    }

    /// Moves the account's clock on; what was run on the way, as `kind`s.
    pub async fn advance(&self, key: &str, by: &str) -> Vec<String> {
        let done = self
            .control(
                Method::POST,
                "/_mock/clock/advance",
                &json!({"account": key, "by": by}),
            )
            .await;
        let executed = done["executed"].as_array().expect("what was run");
        executed
            .iter()
            .map(|line| line["kind"].as_str().expect("a kind").to_owned())
            .collect()
    }

    /// Waits until all work of the account has ended.
    pub async fn drain(&self, key: &str) {
        let done = self
            .control(
                Method::POST,
                "/_mock/drain",
                &json!({"account": key, "timeoutMs": 20_000}),
            )
            .await;
        assert_eq!(done["idle"], true, "{done}");
    }

    /// Puts bytes to a presigned URL, which must succeed.
    pub async fn put(&self, url: &str, bytes: Vec<u8>) {
        let response = self.send(Method::PUT, url, &[], bytes).await;
        assert_eq!(
            (response.status, response.text()),
            (200, String::new()),
            "PUT {url}"
        );
    }

    /// An AI detection order that waits for its picture: its id, and where to put that.
    pub async fn create_detection(&self, key: &str, body: &Value) -> (String, String) {
        let response = self.post(key, "/api/v2/orders/ai-detection", body).await;
        assert_eq!(response.status, 200, "{}", response.text());
        let response = response.json();
        let url = response["data"]["file"]["uploadUrl"]
            .as_str()
            .expect("a URL");
        let id = response["data"]["orderId"].as_str().expect("an id");
        (id.to_owned(), url.to_owned())
    }

    /// An AI detection order with its picture in: its id.
    pub async fn upload_detection(&self, key: &str, body: &Value, bytes: Vec<u8>) -> String {
        let (id, url) = self.create_detection(key, body).await;
        self.put(&url, bytes).await;
        id
    }

    /// The same, confirmed.
    pub async fn confirm_detection(&self, key: &str, body: &Value, bytes: Vec<u8>) -> String {
        let id = self.upload_detection(key, body, bytes).await;
        self.confirm(key, &id).await;
        id
    }

    /// Confirms an AI detection order, which must succeed.
    pub async fn confirm(&self, key: &str, id: &str) {
        let confirm = json!({"idempotencyKey": format!("confirm {id}"), "orderId": id});
        let response = self
            .post(key, "/api/v2/orders/ai-detection/confirm", &confirm)
            .await;
        assert_eq!(
            response.text(),
            format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#)
        );
    }

    /// What the order's page says of it: its `data`.
    pub async fn get_order(&self, key: &str, id: &str) -> Value {
        let response = self.get(key, &format!("/api/v2/orders/{id}")).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["data"].take()
    }

    /// Registers a webhook. Returns the digits of its id, and its secret.
    pub async fn webhook(&self, key: &str, url: &str) -> (String, String) {
        let response = self
            .post(
                key,
                "/api/v2/orders/webhooks",
                &json!({"name": "mine", "url": url}),
            )
            .await;
        assert_eq!(response.status, 200, "{}", response.text());
        let response = response.json();
        let id = response["data"]["id"].as_i64().expect("an integer");
        let secret = response["data"]["secret"].as_str().expect("a text");
        (id.to_string(), secret.to_owned())
    }

    /// Nothing was broken: the server is well, and an order of the account's goes through. Its
    /// clock has to be frozen.
    pub async fn assert_healthy(&self, key: &str) {
        let health = self.send(Method::GET, "/_mock/health", &[], "").await;
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            (health.status, health.text()),
            (200, format!(r#"{{"status":"ok","version":"{version}"}}"#))
        );
        let body = json!({"idempotencyKey": "still works", "fileName": "still_ai.jpg"});
        let id = self.confirm_detection(key, &body, super::picture()).await;
        self.advance(key, "PT1S").await;
        let order = self.get_order(key, &id).await;
        assert_eq!(
            (&order["status"], &order["probability"]),
            (&json!("complete"), &json!(0.98))
        );
    }

    /// The text with this server's origin and the presigned URLs' signatures replaced.
    pub fn redact(&self, text: &str) -> String {
        const SIGNATURE: &str = "X-Amz-Signature=";
        let text = text.replace(&self.origin, "{origin}");
        let mut parts = text.split(SIGNATURE);
        let mut shown = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            assert!(
                part.len() >= 64 && part.as_bytes()[..64].iter().all(u8::is_ascii_hexdigit),
                "{part}"
            );
            shown.extend([SIGNATURE, "*", &part[64..]]);
        }
        shown
    }
}

impl TestResponse {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The status, the body, and what `X-Mock-Reason` says.
    pub fn error_of(&self) -> (u16, String, String) {
        (
            self.status,
            self.text(),
            self.header("x-mock-reason").to_owned(),
        )
    }

    /// A refusal of BIZ MORI's, whole: the vendor's code and nothing else, as JSON, numbered,
    /// with a reason in one line.
    pub fn assert_refused(&self, status: u16, code: &str, why: &str) {
        let expected = (status, super::code(code), why.to_owned());
        assert_eq!(self.error_of(), expected);
        assert_eq!(self.header("content-type"), "application/json");
        let seq = self.header("x-mock-request").parse::<u64>();
        assert!(seq.is_ok_and(|seq| seq > 0), "{:?}", self.headers);
    }
}
