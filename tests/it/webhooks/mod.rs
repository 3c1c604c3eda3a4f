//! Webhooks of BIZ MORI: registration, signature, delivery, retries.

mod batch;
mod concurrency;
mod endpoints;
mod events;
mod https;
mod legacy;
mod listing;
mod manual_retry;
mod response_ordering;
mod retries;
mod rules;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{ReceivedMessage, Receiver, TestServer, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";

/// Asserts the signature and the content type of a message. Returns its JSON.
fn assert_verified(message: &ReceivedMessage, secret: &str) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(&message.body);
    let expected = hex::encode(mac.finalize().into_bytes());
    assert_eq!(message.headers["x-moribiz-signature"], expected.as_str());
    assert_eq!(message.headers["content-type"], "application/json");
    message.json()
}

/// Endpoint of the account `live` with events that could not be delivered.
struct FailedDelivery {
    id: String,
    secret: String,
    /// Ids of the event rows and of their events, oldest first.
    rows: Vec<(String, String)>,
}

impl FailedDelivery {
    /// Creates `count` events, `step` apart, whose deliveries all fail. A day later the endpoint gets
    /// the URL of `receiver`.
    async fn create(server: &TestServer, count: usize, step: &str, receiver: &Receiver) -> Self {
        let (id, secret) = server.webhook("live", "http://127.0.0.1:1/").await;
        for n in 0..count {
            let body = json!({"idempotencyKey": format!("failed {n}"), "fileName": "a_ai.jpg"});
            server.confirm_detection("live", &body, picture()).await;
            server.advance("live", step).await;
        }
        server.advance("live", "P1D").await;
        let path = format!("{WEBHOOKS}/{id}");
        let update = json!({"url": receiver.url});
        let updated = server.call(Method::PUT, "live", &path, &update).await;
        assert_eq!(updated.status, 200, "{}", updated.text());
        let mut failed = Self {
            id,
            secret,
            rows: Vec::new(),
        };
        for row in failed.list_rows(server).await.iter().rev() {
            assert_eq!(
                (&row["status"], &row["retries"]),
                (&json!("FAILED"), &json!(6))
            );
            let id = row["id"].as_i64().expect("an integer");
            let event = row["eventId"].as_str().expect("a text");
            failed.rows.push((id.to_string(), event.to_owned()));
        }
        assert_eq!(failed.rows.len(), count);
        failed
    }

    /// Returns the path that retries the nth event row.
    fn retry_path(&self, n: usize) -> String {
        format!("{WEBHOOKS}/{}/events/{}/retry", self.id, self.rows[n].0)
    }

    /// Returns the event rows, newest first.
    async fn list_rows(&self, server: &TestServer) -> Vec<Value> {
        let path = format!("{WEBHOOKS}/{}/events?limit=100", self.id);
        let listing = server.get("live", &path).await.json();
        listing["data"]["events"].as_array().expect("rows").clone()
    }

    /// Returns status, retries and last attempt time of the nth event row.
    async fn row(&self, server: &TestServer, n: usize) -> (String, u64, String) {
        let rows = self.list_rows(server).await;
        let row = &rows[rows.len() - 1 - n];
        assert_eq!(
            (&row["id"], &row["eventId"]),
            (&integer(&self.rows[n].0), &json!(self.rows[n].1))
        );
        (
            row["status"].as_str().expect("a word").to_owned(),
            row["retries"].as_u64().expect("a number"),
            row["lastSentAt"].as_str().expect("a timestamp").to_owned(),
        )
    }
}

/// Parses digits as a JSON integer.
pub(crate) fn integer(digits: &str) -> Value {
    digits.parse::<i64>().expect("digits").into()
}

/// Expected status, retries and last attempt time of an event row.
fn row(status: &str, retries: u64, sent_at: &str) -> (String, u64, String) {
    (status.to_owned(), retries, sent_at.to_owned())
}
