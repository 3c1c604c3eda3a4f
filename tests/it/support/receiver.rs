//! A webhook receiver that records raw messages and sends scripted replies.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

use super::tls::TlsListener;

/// Time limit for messages. The test fails when it passes; no test depends on its length.
const PATIENCE: Duration = Duration::from_mins(5);

/// Reply to one message.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    Status(u16),
    /// A redirect to the receiver itself.
    Redirect,
    /// Closes the connection without a response.
    Reset,
    /// Never responds.
    Silence,
}

/// A message as received.
#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl ReceivedMessage {
    /// Panics if the message is a webhook that does not match the OpenAPI description.
    fn check_event(&self) {
        if !self.headers.contains_key("x-moribiz-signature") {
            return;
        }
        // Rules can send a body that is not JSON.
        let body = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        if let Err(places) = super::openapi::check_event(&body) {
            panic!("does not match the OpenAPI description: {places}\n{body}");
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Default)]
struct ReceiverShared {
    messages: Mutex<Vec<ReceivedMessage>>,
    script: Mutex<VecDeque<Reply>>,
    received: Notify,
    /// Called when a message arrives, before the reply.
    on_message: Option<Box<dyn Fn() + Send + Sync>>,
    /// Each reply takes a permit. `None` if replies are sent at once.
    reply_permits: Option<Semaphore>,
}

/// A webhook receiver. Replies 200 when its script is exhausted.
pub struct Receiver {
    pub url: String,
    shared: Arc<ReceiverShared>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::with_replies([]).await
    }

    pub async fn with_replies(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::from_shared(ReceiverShared {
            script: Mutex::new(script.into_iter().collect()),
            ..ReceiverShared::default()
        })
        .await
    }

    /// Calls `on_message` for each message, before the reply.
    pub async fn with_callback(on_message: impl Fn() + Send + Sync + 'static) -> Self {
        Self::from_shared(ReceiverShared {
            on_message: Some(Box::new(on_message)),
            ..ReceiverShared::default()
        })
        .await
    }

    /// Holds replies back until [`Self::release`].
    pub async fn holding() -> Self {
        Self::from_shared(ReceiverShared {
            reply_permits: Some(Semaphore::new(0)),
            ..ReceiverShared::default()
        })
        .await
    }

    /// Releases the next `count` replies.
    pub fn release(&self, count: usize) {
        let permits = self.shared.reply_permits.as_ref();
        permits
            .expect("a receiver that holds replies")
            .add_permits(count);
    }

    /// Listens by HTTPS, with a self-signed certificate.
    pub async fn start_https() -> Self {
        let shared = Arc::new(ReceiverShared::default());
        let (listener, address) = bind().await;
        let listener = TlsListener::self_signed(listener);
        let router = router(&shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("https://{address}/hook");
        Self { url, shared }
    }

    async fn from_shared(shared: ReceiverShared) -> Self {
        let shared = Arc::new(shared);
        let (listener, address) = bind().await;
        let router = router(&shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://{address}/hook");
        Self { url, shared }
    }

    /// Waits for `count` messages and returns them. Panics if fewer arrive in time, or if more
    /// arrived.
    pub async fn messages(&self, count: usize) -> Vec<ReceivedMessage> {
        let enough = async {
            loop {
                let notified = self.shared.received.notified();
                tokio::pin!(notified);
                notified.as_mut().enable();
                if self.count() >= count {
                    return;
                }
                notified.await;
            }
        };
        let result = tokio::time::timeout(PATIENCE, enough).await;
        assert!(
            result.is_ok(),
            "expected {count} messages, got {}",
            self.count()
        );
        let messages = self.shared.messages.lock().expect("no panic").clone();
        assert_eq!(messages.len(), count, "{messages:?}");
        for message in &messages {
            message.check_event();
        }
        messages
    }

    pub fn count(&self) -> usize {
        self.shared.messages.lock().expect("no panic").len()
    }
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

fn router(shared: &Arc<ReceiverShared>) -> Router {
    let shared = Arc::clone(shared);
    Router::new().fallback(receive).with_state(shared)
}

async fn receive(
    State(shared): State<Arc<ReceiverShared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(on_message) = &shared.on_message {
        on_message();
    }
    let reply = shared
        .script
        .lock()
        .expect("no panic")
        .pop_front()
        .unwrap_or(Reply::Status(200));
    shared
        .messages
        .lock()
        .expect("no panic")
        .push(ReceivedMessage {
            headers,
            body: body.to_vec(),
        });
    shared.received.notify_waiters();
    if let Some(permits) = &shared.reply_permits {
        permits
            .acquire()
            .await
            .expect("the semaphore is never closed")
            .forget();
    }
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status)
            .expect("a status")
            .into_response(),
        Reply::Redirect => Redirect::temporary("/hook").into_response(),
        Reply::Reset => panic!("drops the connection without a response"),
        Reply::Silence => std::future::pending().await,
    }
}
