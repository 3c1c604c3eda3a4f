//! A receiver of webhooks: records what comes, as raw bytes, and answers as scripted.

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

/// How long a message is awaited before the test fails; nothing is timed by it.
const PATIENCE: Duration = Duration::from_mins(5);

/// What is answered to one message.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    Status(u16),
    /// A redirect to itself.
    Redirect,
    /// The connection is closed without an answer.
    Reset,
    /// There never is an answer.
    Silence,
}

/// A message, as it came.
#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl ReceivedMessage {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[derive(Default)]
struct ReceiverShared {
    messages: Mutex<Vec<ReceivedMessage>>,
    script: Mutex<VecDeque<Reply>>,
    received: Notify,
    /// Called as soon as a message is there.
    notice: Option<Box<dyn Fn() + Send + Sync>>,
    /// Each answer takes a permit.
    held: Option<Semaphore>,
}

/// The receiver; answers 200 where the script is at its end.
pub struct Receiver {
    pub url: String,
    shared: Arc<ReceiverShared>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::with_replies([]).await
    }

    pub async fn with_replies(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::of(ReceiverShared {
            script: Mutex::new(script.into_iter().collect()),
            ..ReceiverShared::default()
        })
        .await
    }

    /// Calls `notice` whenever a message comes, before it is answered.
    pub async fn with_callback(notice: impl Fn() + Send + Sync + 'static) -> Self {
        Self::of(ReceiverShared {
            notice: Some(Box::new(notice)),
            ..ReceiverShared::default()
        })
        .await
    }

    /// Keeps its answers back until they are released.
    pub async fn holding() -> Self {
        Self::of(ReceiverShared {
            held: Some(Semaphore::new(0)),
            ..ReceiverShared::default()
        })
        .await
    }

    /// Lets answers go, those that are kept back first.
    pub fn release(&self, answers: usize) {
        let held = self.shared.held.as_ref();
        held.expect("a receiver that holds").add_permits(answers);
    }

    /// Over https, with a certificate that nobody but itself has signed.
    pub async fn secure() -> Self {
        let shared = Arc::new(ReceiverShared::default());
        let (listener, address) = bind().await;
        let listener = TlsListener::self_signed(listener);
        let router = router(&shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("https://{address}/hook");
        Self { url, shared }
    }

    async fn of(shared: ReceiverShared) -> Self {
        let shared = Arc::new(shared);
        let (listener, address) = bind().await;
        let router = router(&shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://{address}/hook");
        Self { url, shared }
    }

    /// The messages, once there are `count`; a test fails if they do not come, or if more have.
    pub async fn messages(&self, count: usize) -> Vec<ReceivedMessage> {
        let enough = async {
            loop {
                let came = self.shared.received.notified();
                tokio::pin!(came);
                came.as_mut().enable();
                if self.count() >= count {
                    return;
                }
                came.await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        assert!(
            waited.is_ok(),
            "{count} messages expected, {} came",
            self.count()
        );
        let messages = self.shared.messages.lock().expect("no panic").clone();
        assert_eq!(messages.len(), count, "{messages:?}");
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
    if let Some(notice) = &shared.notice {
        notice();
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
    if let Some(held) = &shared.held {
        held.acquire().await.expect("it is never closed").forget();
    }
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status)
            .expect("a status")
            .into_response(),
        Reply::Redirect => Redirect::temporary("/hook").into_response(),
        Reply::Reset => panic!("the connection is dropped without an answer"),
        Reply::Silence => std::future::pending().await,
    }
}
