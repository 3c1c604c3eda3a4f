//! The code under test: what a service of yours asks of the two vendors.
//!
//! Nothing here knows of a mock. Where the vendors are is told from outside, as in production.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// One customer's pictures at both vendors.
pub struct Pictures {
    pub bizmori: String,
    pub undetectable: String,
    pub key: String,
    pub http: Client,
}

/// What Undetectable found.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    pub label: String,
    /// The chance that a machine made the picture.
    pub percent: f64,
}

impl Pictures {
    /// The picture as BIZ MORI protects it.
    pub async fn protect(&self, name: &str, picture: &[u8]) -> Result<Vec<u8>> {
        let order = self.order(name).await?;
        self.upload(&order, picture).await?;
        self.protected(&order).await
    }

    pub async fn order(&self, name: &str) -> Result<Value> {
        let wanted = json!({"idempotencyKey": unique(), "files": [{"fileName": name}]});
        self.post_bizmori("anti-ai", &wanted).await
    }

    /// A URL that expired while the order waited is asked for anew.
    pub async fn upload(&self, order: &Value, picture: &[u8]) -> Result<()> {
        let put = |order: &Value| self.http.put(text(&order["files"][0]["uploadUrl"]));
        let mut answer = put(order).body(picture.to_vec()).send().await?;
        if answer.status() == StatusCode::FORBIDDEN {
            let path = format!("{}/refresh-urls", text(&order["orderId"]));
            let fresh = self.post_bizmori(&path, &json!({})).await?;
            answer = put(&fresh).body(picture.to_vec()).send().await?;
        }
        answer.error_for_status()?;
        Ok(())
    }

    pub async fn protected(&self, order: &Value) -> Result<Vec<u8>> {
        let id = text(&order["orderId"]);
        let confirmed = json!({"idempotencyKey": unique(), "orderId": id});
        self.post_bizmori("anti-ai/confirm", &confirmed).await?;
        until("complete", async || self.get_bizmori(id).await).await?;
        let download = self.get_bizmori(&format!("{id}/download")).await?;
        let url = text(&download["downloadUrl"]);
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    pub async fn judge(&self, name: &str, picture: &[u8]) -> Result<Verdict> {
        let origin = &self.undetectable;
        let place = format!("{origin}/get-presigned-url?file_name={name}");
        let asked = self.http.get(place).header("apikey", &self.key);
        let slot: Value = answered(asked).await?.json().await?;
        let put = self.http.put(text(&slot["presigned_url"]));
        let put = put.header("Content-Type", "image/jpeg");
        let put = put.header("x-amz-acl", "private");
        let sent = put.body(picture.to_vec()).send().await?;
        sent.error_for_status()?;

        let url = format!("{origin}/{}", text(&slot["file_path"]));
        let detect = json!({"key": self.key, "url": url});
        let asked = self.http.post(format!("{origin}/detect")).json(&detect);
        let document: Value = answered(asked).await?.json().await?;
        let query = json!({"id": document["id"]});
        let document = until("done", async || {
            let asked = self.http.post(format!("{origin}/query")).json(&query);
            Ok(answered(asked).await?.json().await?)
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

    async fn call_bizmori(&self, asked: RequestBuilder) -> Result<Value> {
        let mut answer: Value = answered(asked).await?.json().await?;
        Ok(answer["data"].take())
    }
}

/// A good answer. A vendor that is busy is asked again.
async fn answered(asked: RequestBuilder) -> Result<Response> {
    let mut tries = 0;
    loop {
        let again = asked.try_clone().ok_or("a body that is sent once")?;
        let answer = again.send().await?;
        tries += 1;
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE || tries == TRIES {
            return Ok(answer.error_for_status()?);
        }
        tokio::time::sleep(Duration::from_millis(50) * tries).await;
    }
}

/// What is read once its status is as wanted.
async fn until(wanted: &str, read: impl AsyncFn() -> Result<Value>) -> Result<Value> {
    let began = Instant::now();
    loop {
        let found = read().await?;
        match text(&found["status"]) {
            status if status == wanted => return Ok(found),
            "failed" => return Err(format!("failed: {found}").into()),
            _ if began.elapsed() > PATIENCE => return Err(format!("not {wanted}: {found}").into()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// No second one on this machine: for idempotency, and for the keys of tests.
pub fn unique() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{made}", std::process::id(), since.as_nanos())
}
