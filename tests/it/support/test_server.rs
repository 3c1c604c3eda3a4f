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

/// Instant at which tests freeze clocks.
pub const T0: &str = "2026-03-12T10:00:00.000Z";

/// A running server. Stops on drop.
pub struct TestServer {
    pub origin: String,
    /// Address of the TLS listener.
    pub tls: Option<SocketAddr>,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Result<(), String>>>,
}

/// A response with its complete body.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl TestServer {
    /// Starts a server with default settings.
    pub async fn start() -> Self {
        Self::with_config(|_| {}).await
    }

    /// Starts a server with the defaults as changed by `set`.
    pub async fn with_config(set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            port: 0,
            ..Config::defaults()
        };
        set(&mut config);
        let app = App::start(config).await.expect("the server starts");
        let origin = format!("http://{}", app.address());
        let tls = app.tls_address();
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

    /// Connects to a running server.
    pub fn connect(origin: &str) -> Self {
        Self::connect_with(origin, |client| {
            client.tls_danger_accept_invalid_certs(true)
        })
    }

    /// Connects to a running server whose host `name` resolves to `address`.
    pub fn connect_resolving(origin: &str, name: &str, address: SocketAddr) -> Self {
        Self::connect_with(origin, |client| client.resolve(name, address))
    }

    /// Connects to a running server with a client as changed by `set`.
    pub fn connect_with(origin: &str, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        // The client requires a crypto provider. Fails if another test has installed it.
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

    /// Starts a server with default settings and freezes the account's clock at [`T0`].
    pub async fn start_frozen(key: &str) -> Self {
        let server = Self::start().await;
        server.freeze(key).await;
        server
    }

    /// Stops the server as SIGTERM does and waits for its end.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let served = self.served.take().expect("a running server");
        served.await.expect("no panic").expect("a clean stop");
    }

    /// Stops the server as SIGTERM does. Returns `true` if no request in flight had to be aborted.
    /// Reads the log of the current thread, so the test has to be single-threaded.
    pub async fn shuts_down_cleanly(self) -> bool {
        let log = Arc::new(tempfile::tempfile().expect("a file"));
        let lines = tracing_subscriber::fmt().with_writer(Arc::clone(&log));
        let subscriber_guard = tracing::subscriber::set_default(lines.finish());
        self.stop().await;
        drop(subscriber_guard);
        let mut log = log.as_ref();
        let mut text = String::new();
        log.rewind().expect("a file");
        log.read_to_string(&mut text).expect("text");
        !text.contains("shutdown grace period exceeded")
    }

    /// Sends a request. Panics if the response does not match the OpenAPI description of its path.
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
        let response = request.send().await.expect("a response");
        let url = response.url().clone();
        let response = TestResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.expect("a complete body").to_vec(),
        };
        let input = super::openapi::DescribedInput {
            method: &method,
            path: &url[url::Position::BeforePath..],
            body: sent.as_deref(),
        };
        if let Err(mismatch) = super::openapi::check(&input, &response) {
            panic!("does not match the OpenAPI description: {mismatch}");
        }
        response
    }

    /// Sends a GET with a BIZ MORI key.
    pub async fn get(&self, key: &str, path: &str) -> TestResponse {
        self.send(
            Method::GET,
            path,
            &[(AUTHORIZATION.as_str(), &format!("Bearer {key}"))],
            "",
        )
        .await
    }

    /// Sends a request with a BIZ MORI key and a JSON body.
    pub async fn call(&self, method: Method, key: &str, path: &str, body: &Value) -> TestResponse {
        let bearer = format!("Bearer {key}");
        let headers = [
            (AUTHORIZATION.as_str(), bearer.as_str()),
            (CONTENT_TYPE.as_str(), "application/json"),
        ];
        self.send(method, path, &headers, body.to_string()).await
    }

    /// Sends a POST with a BIZ MORI key and a JSON body.
    pub async fn post(&self, key: &str, path: &str, body: &Value) -> TestResponse {
        self.call(Method::POST, key, path, body).await
    }

    /// Calls the control plane and returns the JSON body, `null` if empty. Panics on an error
    /// status.
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

    /// Freezes the account's clock at [`T0`].
    pub async fn freeze(&self, key: &str) {
        self.control(
            Method::PUT,
            "/_mock/clock",
            &json!({"account": key, "mode": "frozen", "now": T0}),
        )
        .await;
    }

    /// Advances the account's clock by `by`. Returns the kinds of the jobs that ran.
    pub async fn advance(&self, key: &str, by: &str) -> Vec<String> {
        let response = self
            .control(
                Method::POST,
                "/_mock/clock/advance",
                &json!({"account": key, "by": by}),
            )
            .await;
        let executed = response["executed"].as_array().expect("a list of jobs");
        executed
            .iter()
            .map(|job| job["kind"].as_str().expect("a kind").to_owned())
            .collect()
    }

    /// Waits until all work of the account has ended.
    pub async fn drain(&self, key: &str) {
        let response = self
            .control(
                Method::POST,
                "/_mock/drain",
                &json!({"account": key, "timeoutMs": 20_000}),
            )
            .await;
        assert_eq!(response["idle"], true, "{response}");
    }

    /// Returns the value of a metric. `name` includes the labels, if any. `None` if the page has no
    /// such metric.
    pub async fn metric_value(&self, name: &str) -> Option<u64> {
        let page = self
            .send(Method::GET, "/_mock/metrics", &[], "")
            .await
            .text();
        let mut lines = page.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(value.parse().expect("a number"))
    }

    /// Uploads bytes to a presigned URL. Panics unless the response is 200.
    pub async fn put(&self, url: &str, bytes: Vec<u8>) {
        let response = self.send(Method::PUT, url, &[], bytes).await;
        assert_eq!(
            (response.status, response.text()),
            (200, String::new()),
            "PUT {url}"
        );
    }

    /// Creates an AI detection order. Returns its id and its upload URL.
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

    /// Creates an AI detection order and uploads its picture. Returns the id.
    pub async fn upload_detection(&self, key: &str, body: &Value, bytes: Vec<u8>) -> String {
        let (id, url) = self.create_detection(key, body).await;
        self.put(&url, bytes).await;
        id
    }

    /// Creates, uploads and confirms an AI detection order. Returns the id.
    pub async fn confirm_detection(&self, key: &str, body: &Value, bytes: Vec<u8>) -> String {
        let id = self.upload_detection(key, body, bytes).await;
        self.confirm(key, &id).await;
        id
    }

    /// Confirms an AI detection order. Panics unless it is in progress afterwards.
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

    /// Returns the `data` of `GET /api/v2/orders/{id}`.
    pub async fn get_order(&self, key: &str, id: &str) -> Value {
        let response = self.get(key, &format!("/api/v2/orders/{id}")).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["data"].take()
    }

    /// Registers a webhook. Returns its id in decimal digits and its secret.
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

    /// Asserts that the server reports healthy and completes an order of the account. The account's
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

    /// Replaces the origin and the signatures of presigned URLs, which differ from run to run.
    pub fn redact(&self, text: &str) -> String {
        const SIGNATURE: &str = "X-Amz-Signature=";
        let text = text.replace(&self.origin, "{origin}");
        let mut parts = text.split(SIGNATURE);
        let mut redacted = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            assert!(
                part.len() >= 64 && part.as_bytes()[..64].iter().all(u8::is_ascii_hexdigit),
                "{part}"
            );
            redacted.extend([SIGNATURE, "*", &part[64..]]);
        }
        redacted
    }
}

impl TestResponse {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("UTF-8")
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the value of a header. Empty if the header is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Returns status, body and `X-Mock-Reason`.
    pub fn error_of(&self) -> (u16, String, String) {
        (
            self.status,
            self.text(),
            self.header("x-mock-reason").to_owned(),
        )
    }

    /// Asserts a complete BIZ MORI error: status, a JSON body with nothing but the code, reason,
    /// and a request number.
    pub fn assert_refused(&self, status: u16, code: &str, reason: &str) {
        let expected = (status, super::code(code), reason.to_owned());
        assert_eq!(self.error_of(), expected);
        assert_eq!(self.header("content-type"), "application/json");
        let number = self.header("x-mock-request").parse::<u64>();
        assert!(number.is_ok_and(|it| it > 0), "{:?}", self.headers);
    }
}
