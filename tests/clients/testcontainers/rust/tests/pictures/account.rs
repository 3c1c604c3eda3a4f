//! A key, which is a world of its own, and what the control plane does with it.

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

    pub async fn mock(&self, method: &str, path: &str, mut asked: Value) {
        asked["account"] = json!(self.pictures.key);
        let request = self.control(method, path).json(&asked);
        let answer = request.send().await.expect("an answer");
        let (status, body) = (answer.status(), answer.text().await);
        assert!(status.is_success(), "{path}: {status} {body:?}");
    }

    /// What the calls of that operation were answered, in order.
    pub async fn statuses(&self, operation: &str) -> Vec<u64> {
        let key = &self.pictures.key;
        let path = format!("requests?account={key}&operation={operation}");
        let answer = self.control("GET", &path).send().await.expect("an answer");
        let journal: Value = answer.json().await.expect("the journal");
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
