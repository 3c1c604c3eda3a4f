//! The code under test: a client of the two vendors.
//!
//! The client has no code for a mock. The caller sets the vendors' addresses, as in production.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Client of both vendors with one key.
pub struct Pictures {
    pub bizmori: String,
    pub undetectable: String,
    pub key: String,
    pub http: Client,
}

/// Result of Undetectable.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    pub label: String,
    /// Probability that the picture is AI.
    pub percent: f64,
}

impl Pictures {
    /// Returns the picture as BIZ MORI protects it.
    pub async fn protect(&self, name: &str, picture: &[u8]) -> Result<Vec<u8>> {
        let order = self.order(name).await?;
        self.upload(&order, picture).await?;
        self.protected(&order).await
    }

    pub async fn order(&self, name: &str) -> Result<Value> {
        let body = json!({"idempotencyKey": unique(), "files": [{"fileName": name}]});
        self.post_bizmori("anti-ai", &body).await
    }

    /// Uploads the picture. Gets a new URL if the first has expired.
    pub async fn upload(&self, order: &Value, picture: &[u8]) -> Result<()> {
        let put = |order: &Value| self.http.put(text(&order["files"][0]["uploadUrl"]));
        let mut response = put(order).body(picture.to_vec()).send().await?;
        if response.status() == StatusCode::FORBIDDEN {
            let path = format!("{}/refresh-urls", text(&order["orderId"]));
            let refreshed = self.post_bizmori(&path, &json!({})).await?;
            response = put(&refreshed).body(picture.to_vec()).send().await?;
        }
        response.error_for_status()?;
        Ok(())
    }

    pub async fn protected(&self, order: &Value) -> Result<Vec<u8>> {
        let id = text(&order["orderId"]);
        let body = json!({"idempotencyKey": unique(), "orderId": id});
        self.post_bizmori("anti-ai/confirm", &body).await?;
        until("complete", async || self.get_bizmori(id).await).await?;
        let download = self.get_bizmori(&format!("{id}/download")).await?;
        let url = text(&download["downloadUrl"]);
        let response = self.http.get(url).send().await?.error_for_status()?;
        Ok(response.bytes().await?.to_vec())
    }

    pub async fn judge(&self, name: &str, picture: &[u8]) -> Result<Verdict> {
        let origin = &self.undetectable;
        let url = format!("{origin}/get-presigned-url?file_name={name}");
        let request = self.http.get(url).header("apikey", &self.key);
        let slot: Value = send(request).await?.json().await?;
        self.http
            .put(text(&slot["presigned_url"]))
            .header("Content-Type", "image/jpeg")
            .header("x-amz-acl", "private")
            .body(picture.to_vec())
            .send()
            .await?
            .error_for_status()?;

        let url = format!("{origin}/{}", text(&slot["file_path"]));
        let detect = json!({"key": self.key, "url": url});
        let request = self.http.post(format!("{origin}/detect")).json(&detect);
        let document: Value = send(request).await?.json().await?;
        let query = json!({"id": document["id"]});
        let document = until("done", async || {
            let request = self.http.post(format!("{origin}/query")).json(&query);
            Ok(send(request).await?.json().await?)
        })
        .await?;
        let label = text(&document["result_details"]["final_result"]).to_owned();
        let percent = document["result"].as_f64().ok_or("no result")?;
        Ok(Verdict { label, percent })
    }

    async fn get_bizmori(&self, path: &str) -> Result<Value> {
        self.call_bizmori(self.bizmori_request(Method::GET, path))
            .await
    }

    async fn post_bizmori(&self, path: &str, body: &Value) -> Result<Value> {
        self.call_bizmori(self.bizmori_request(Method::POST, path).json(body))
            .await
    }

    fn bizmori_request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v2/orders/{path}", self.bizmori);
        self.http.request(method, url).bearer_auth(&self.key)
    }

    async fn call_bizmori(&self, request: RequestBuilder) -> Result<Value> {
        let mut body: Value = send(request).await?.json().await?;
        Ok(body["data"].take())
    }
}

/// Sends a request and returns the response, which has a 2xx status. Retries if the vendor is busy.
async fn send(request: RequestBuilder) -> Result<Response> {
    let mut tries = 0;
    loop {
        let copy = request.try_clone().ok_or("the body cannot be sent twice")?;
        let response = copy.send().await?;
        tries += 1;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE || tries == TRIES {
            return Ok(response.error_for_status()?);
        }
        tokio::time::sleep(Duration::from_millis(50) * tries).await;
    }
}

/// Calls `read` until the status is `expected`. Returns the last result.
async fn until(expected: &str, read: impl AsyncFn() -> Result<Value>) -> Result<Value> {
    let start = Instant::now();
    loop {
        let result = read().await?;
        match text(&result["status"]) {
            status if status == expected => return Ok(result),
            "failed" => return Err(format!("failed: {result}").into()),
            _ if start.elapsed() > TIMEOUT => return Err(format!("timed out: {result}").into()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns a text that is unique on this machine: an idempotency key, or a key of a test.
pub fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{count}", std::process::id(), since.as_nanos())
}
