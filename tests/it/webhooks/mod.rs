//! BIZ MORI's webhooks: registered, signed, delivered, retried.

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

fn assert_verified(message: &ReceivedMessage, secret: &str) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(&message.body);
    let expected = hex::encode(mac.finalize().into_bytes());
    assert_eq!(message.headers["x-moribiz-signature"], expected.as_str());
    assert_eq!(message.headers["content-type"], "application/json");
    message.json()
}

/// An endpoint of the account, whose clock is frozen, and what could not be delivered to it.
struct FailedDelivery {
    id: String,
    secret: String,
    /// The ids of the event rows and those of the events, the oldest first.
    rows: Vec<(String, String)>,
}

impl FailedDelivery {
    /// So many events, `step` apart, fail to reach anyone; a day later the endpoint's URL is set
    /// to the receiver's.
    async fn events(server: &TestServer, count: usize, step: &str, receiver: &Receiver) -> Self {
        let (id, secret) = server.webhook("live", "http://127.0.0.1:1/").await;
        for n in 0..count {
            let body = json!({"idempotencyKey": format!("failed {n}"), "fileName": "a_ai.jpg"});
            server.confirm_detection("live", &body, picture()).await;
            server.advance("live", step).await;
        }
        server.advance("live", "P1D").await;
        let path = format!("{WEBHOOKS}/{id}");
        let to = json!({"url": receiver.url});
        let set = server.call(Method::PUT, "live", &path, &to).await;
        assert_eq!(set.status, 200, "{}", set.text());
        let mut failed = Self {
            id,
            secret,
            rows: Vec::new(),
        };
        for row in failed.listed_event(server).await.iter().rev() {
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

    /// The path of a retry of the nth event row.
    fn retry(&self, n: usize) -> String {
        format!("{WEBHOOKS}/{}/events/{}/retry", self.id, self.rows[n].0)
    }

    /// The event rows, the newest first.
    async fn listed_event(&self, server: &TestServer) -> Vec<Value> {
        let path = format!("{WEBHOOKS}/{}/events?limit=100", self.id);
        let listed = server.get("live", &path).await.json();
        listed["data"]["events"].as_array().expect("rows").clone()
    }

    /// How the nth event row stands: status, retries, when it was sent last.
    async fn row(&self, server: &TestServer, n: usize) -> (String, u64, String) {
        let rows = self.listed_event(server).await;
        let row = &rows[rows.len() - 1 - n];
        assert_eq!(
            (&row["id"], &row["eventId"]),
            (&integer(&self.rows[n].0), &json!(self.rows[n].1))
        );
        (
            row["status"].as_str().expect("a word").to_owned(),
            row["retries"].as_u64().expect("a number"),
            row["lastSentAt"].as_str().expect("an instant").to_owned(),
        )
    }
}

/// The JSON integer of these digits.
pub(crate) fn integer(digits: &str) -> Value {
    digits.parse::<i64>().expect("digits").into()
}

/// A row's status, retries, and when it was sent last.
fn row(status: &str, retries: u64, sent_at: &str) -> (String, u64, String) {
    (status.to_owned(), retries, sent_at.to_owned())
}
