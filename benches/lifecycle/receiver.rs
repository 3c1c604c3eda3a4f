//! Where the webhooks arrive: one listener in the bench's own runtime, one path per client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::wire::{BenchConnection, WireMessage};
use crate::{BenchOutcome, usage_error};

const ACCEPTED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const PATH: &str = "/hook/";

/// A webhook that came, or why what came was none.
pub type Arrival = BenchOutcome<ReceivedWebhook>;

/// What the bench reads of a webhook.
pub struct ReceivedWebhook {
    /// `order.aiDetection.completed`, if all is well.
    pub event_type: String,
    /// The order it is about.
    pub order_id: String,
    /// When its last byte was here.
    pub received: Instant,
}

/// The listener; it stops when dropped.
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
    /// Listens for `clients` clients: what comes to each, by the client's number.
    pub async fn start(clients: usize) -> BenchOutcome<(Self, Vec<UnboundedReceiver<Arrival>>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (senders, arrivals): (Vec<_>, Vec<_>) =
            (0..clients).map(|_| unbounded_channel()).unzip();
        let task = tokio::spawn(accept(listener, Arc::from(senders)));
        Ok((Self { address, task }, arrivals))
    }

    /// The endpoint URL of a client.
    pub fn url(&self, client: u32) -> String {
        format!("http://{}{PATH}{client}", self.address)
    }
}

impl Drop for BenchReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, clients: Arc<[UnboundedSender<Arrival>]>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&clients)));
    }
}

/// Answers every webhook of a connection with 200 and hands it to its client. A connection
/// that breaks is the sender's matter: the client waits for its webhook in vain and says so.
async fn serve(stream: TcpStream, clients: Arc<[UnboundedSender<Arrival>]>) {
    let Ok(mut connection) = BenchConnection::accepted(stream) else {
        return;
    };
    while let Ok(Some(message)) = connection.receive().await {
        let Some(client) = client_of(message.start_line).and_then(|number| clients.get(number))
        else {
            return;
        };
        let arrival = read(&message);
        if connection.send(ACCEPTED).await.is_err() || client.send(arrival).is_err() {
            return;
        }
    }
}

fn client_of(start_line: &str) -> Option<usize> {
    let path = start_line.strip_prefix("POST ")?.split(' ').next()?;
    path.strip_prefix(PATH)?.parse().ok()
}

fn read(message: &WireMessage<'_>) -> Arrival {
    let received = Instant::now();
    let body: ReceivedBody = serde_json::from_slice(message.body)
        .map_err(|error| usage_error(format!("a webhook that is none: {error}")))?;
    Ok(ReceivedWebhook {
        event_type: body.event_type,
        order_id: body.data.order_id,
        received,
    })
}
