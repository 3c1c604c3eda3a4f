//! BIZ MORI's webhooks: registered, signed, delivered, retried.

mod after_the_answer;
mod endpoints;
mod events;
mod https;
mod retries;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::support::Message;

const WEBHOOKS: &str = "/api/v2/orders/webhooks";

fn verified(message: &Message, secret: &str) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(&message.body);
    let expected = hex::encode(mac.finalize().into_bytes());
    assert_eq!(message.headers["x-moribiz-signature"], expected.as_str());
    assert_eq!(message.headers["content-type"], "application/json");
    message.json()
}
