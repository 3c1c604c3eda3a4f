//! Webhook receiver: one listener in the runtime of the benchmark, one path per client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::wire::{BenchConnection, WireMessage};
use crate::{BenchResult, bench_error};

const ACCEPTED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const PATH: &str = "/hook/";

/// A received webhook, or an error if the request was no webhook.
pub type WebhookResult = BenchResult<ReceivedWebhook>;

/// Webhook, as far as it is used.
pub struct ReceivedWebhook {
    /// Event type, such as `order.aiDetection.completed`.
    pub event_type: String,
    /// Id of the order.
    pub order_id: String,
    /// Time at which the last byte was received.
    pub received_at: Instant,
}

/// Listener for webhooks. Stops when dropped.
pub struct BenchReceiver {
    address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedBody {
    event_type: String,
    data: ReceivedData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedData {
    order_id: String,
}

impl BenchReceiver {
    /// Listens for `clients` clients, and returns the receiver of each client's webhooks.
    pub async fn start(
        clients: usize,
    ) -> BenchResult<(Self, Vec<UnboundedReceiver<WebhookResult>>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (senders, arrivals): (Vec<_>, Vec<_>) =
            (0..clients).map(|_| unbounded_channel()).unzip();
        let task = tokio::spawn(accept(listener, Arc::from(senders)));
        Ok((Self { address, task }, arrivals))
    }

    /// Returns the URL for a client's webhooks.
    pub fn url(&self, client: u32) -> String {
        format!("http://{}{PATH}{client}", self.address)
    }
}

impl Drop for BenchReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, clients: Arc<[UnboundedSender<WebhookResult>]>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&clients)));
    }
}

/// Answers every webhook of a connection with 200 and passes it to its client. A broken connection
/// ends the task: the client then reports the missing webhook.
async fn serve(stream: TcpStream, clients: Arc<[UnboundedSender<WebhookResult>]>) {
    let Ok(mut connection) = BenchConnection::from_stream(stream) else {
        return;
    };
    while let Ok(Some(message)) = connection.receive().await {
        let Some(client) = client_number(message.start_line).and_then(|number| clients.get(number))
        else {
            return;
        };
        let webhook = parse_webhook(&message);
        if connection.send(ACCEPTED).await.is_err() || client.send(webhook).is_err() {
            return;
        }
    }
}

fn client_number(start_line: &str) -> Option<usize> {
    let path = start_line.strip_prefix("POST ")?.split(' ').next()?;
    path.strip_prefix(PATH)?.parse().ok()
}

fn parse_webhook(message: &WireMessage<'_>) -> WebhookResult {
    let received_at = Instant::now();
    let body: ReceivedBody = serde_json::from_slice(message.body)
        .map_err(|error| bench_error(format!("webhook receiver: invalid body: {error}")))?;
    Ok(ReceivedWebhook {
        event_type: body.event_type,
        order_id: body.data.order_id,
        received_at,
    })
}
