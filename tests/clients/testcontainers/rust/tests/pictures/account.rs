//! An account: a key, and calls of the control plane about it.

use std::sync::Arc;

use pictures::{Pictures, unique};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::stuntdouble::Stuntdouble;

pub struct Account {
    stuntdouble: Arc<Stuntdouble>,
    /// The code under test, with this key.
    pub pictures: Pictures,
}

impl Account {
    pub async fn new() -> Self {
        let stuntdouble = Stuntdouble::shared().await;
        let pictures = Pictures {
            bizmori: stuntdouble.origin.clone(),
            undetectable: stuntdouble.origin.clone(),
            key: unique(),
            http: reqwest::Client::new(),
        };
        Self {
            stuntdouble,
            pictures,
        }
    }

    pub async fn mock(&self, method: &str, path: &str, mut fields: Value) {
        fields["account"] = json!(self.pictures.key);
        let request = self.control(method, path).json(&fields);
        let response = request.send().await.expect("a response");
        let (status, body) = (response.status(), response.text().await);
        assert!(status.is_success(), "{path}: {status} {body:?}");
    }

    /// Returns the statuses of the operation's responses, in order.
    pub async fn statuses(&self, operation: &str) -> Vec<u64> {
        let key = &self.pictures.key;
        let path = format!("requests?account={key}&operation={operation}");
        let sent = self.control("GET", &path).send().await;
        let response = sent.expect("a response");
        let journal: Value = response.json().await.expect("the journal");
        let requests = journal["requests"].as_array().expect("requests");
        let statuses = requests.iter().map(|request| request["status"].as_u64());
        statuses.map(|status| status.expect("answered")).collect()
    }

    fn control(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}/_mock/{path}", self.stuntdouble.origin);
        let method = method.parse().expect("a method");
        self.pictures.http.request(method, url)
    }
}
