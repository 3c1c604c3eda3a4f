//! A client of the server: one account, one connection, and one order at a time, from its creation
//! until it is read after its webhook.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::calls::{
    CreatedData, data, expect_order, expect_status, write_get, write_post, write_put_head,
};
use crate::picture::BenchPicture;
use crate::receiver::WebhookResult;
use crate::wire::{BenchConnection, RESPONSE_TIMEOUT, WireMessage};
use crate::{BenchResult, bench_error};

const EVENT: &str = "order.aiDetection.completed";
/// Length of the pieces in which a large upload is written.
const CHUNK_BYTES: usize = 64 * 1024;

/// A client, and its state between two orders.
pub struct BenchClient {
    /// Number of the client, from 0. Its key and its webhook path are derived from it.
    pub number: u32,
    /// Id of the latest order. Empty if there is none.
    pub order_id: String,
    orders: u32,
    address: SocketAddr,
    connection: BenchConnection,
    arrivals: UnboundedReceiver<WebhookResult>,
    picture: BenchPicture,
    request: Vec<u8>,
}

/// Durations of the parts of a lifecycle.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// End of the lifecycle.
    pub ended: Instant,
    /// Duration of the create call.
    pub create: Duration,
    /// Duration of the upload.
    pub put: Duration,
    /// Duration of the confirm call.
    pub confirm: Duration,
    /// Time from the response of confirm to the last byte of the webhook.
    pub complete: Duration,
    /// Duration of reading the finished order.
    pub get: Duration,
    /// Time from the start of the create call to the end of reading the finished order.
    pub whole: Duration,
}

impl BenchClient {
    /// Connects, and registers `hook` as the URL for webhooks of this client's orders.
    pub async fn register(
        number: u32,
        address: SocketAddr,
        hook: &str,
        arrivals: UnboundedReceiver<WebhookResult>,
        picture: BenchPicture,
    ) -> BenchResult<Self> {
        let mut client = Self {
            number,
            order_id: String::new(),
            orders: 0,
            address,
            connection: BenchConnection::open(address).await?,
            arrivals,
            picture,
            request: Vec::new(),
        };
        let body = format!(r#"{{"name":"bench","url":"{hook}"}}"#);
        let response = client.post("/api/v2/orders/webhooks", &body).await?;
        expect_status("register webhook", &response, &[200, 201])?;
        Ok(client)
    }

    /// Takes one order from its creation to its end, and checks every response.
    pub async fn lifecycle(&mut self) -> BenchResult<Timings> {
        let start = Instant::now();
        let upload_url = self.create("photo.jpg").await?;
        let created_at = Instant::now();
        self.upload(&upload_url).await?;
        let uploaded_at = Instant::now();
        self.confirm().await?;
        let confirmed_at = Instant::now();
        let webhook_at = self.wait_for_webhook().await?;
        let read_from = Instant::now();
        self.read().await?;
        let ended = Instant::now();
        Ok(Timings {
            ended,
            create: created_at - start,
            put: uploaded_at - created_at,
            confirm: confirmed_at - uploaded_at,
            complete: webhook_at.saturating_duration_since(confirmed_at),
            get: ended - read_from,
            whole: ended - start,
        })
    }

    /// Creates an order of one file, and returns its upload URL.
    pub async fn create(&mut self, file_name: &str) -> BenchResult<String> {
        self.orders += 1;
        let (number, order) = (self.number, self.orders);
        let body = format!(r#"{{"idempotencyKey":"b-{number}-{order}","fileName":"{file_name}"}}"#);
        let response = self.post("/api/v2/orders/ai-detection", &body).await?;
        let created: CreatedData = data("create", &response)?;
        self.order_id = created.order_id;
        Ok(created.file.upload_url)
    }

    /// Uploads `chunks` pieces of 64 KiB that are not a picture, and calls `between` once per MiB.
    pub async fn upload_blob(
        &mut self,
        upload_url: &str,
        chunks: u32,
        mut between: impl FnMut() -> BenchResult<()>,
    ) -> BenchResult<()> {
        let chunk = vec![0x5a_u8; CHUNK_BYTES];
        let length = u64::from(chunks) * 64 * 1024;
        write_put_head(&mut self.request, self.address, upload_url, length)?;
        self.connection.send(&self.request).await?;
        for number in 0..chunks {
            if self.connection.send(&chunk).await.is_err() {
                // The response tells the reason.
                break;
            }
            if number % 16 == 0 {
                between()?;
            }
        }
        let response = self.connection.read_response().await?;
        expect_status("big upload", &response, &[200])
    }

    async fn upload(&mut self, upload_url: &str) -> BenchResult<()> {
        let stamp = u64::from(self.number) << 32 | u64::from(self.orders);
        let length = u64::try_from(self.picture.len_bytes())?;
        write_put_head(&mut self.request, self.address, upload_url, length)?;
        self.request.extend_from_slice(self.picture.stamped(stamp));
        let response = self.connection.exchange(&self.request).await?;
        expect_status("upload", &response, &[200])
    }

    async fn confirm(&mut self) -> BenchResult<()> {
        let (number, order, order_id) = (self.number, self.orders, self.order_id.clone());
        let body = format!(r#"{{"idempotencyKey":"c-{number}-{order}","orderId":"{order_id}"}}"#);
        let path = "/api/v2/orders/ai-detection/confirm";
        let response = self.post(path, &body).await?;
        expect_order("confirm", &response, &order_id, "inProgress")
    }

    /// Waits for the webhook of the current order, and returns when it was received.
    async fn wait_for_webhook(&mut self) -> BenchResult<Instant> {
        let order_id = &self.order_id;
        let webhook = match timeout(RESPONSE_TIMEOUT, self.arrivals.recv()).await {
            Ok(Some(arrival)) => arrival?,
            Ok(None) => return Err(bench_error("the webhook receiver has stopped")),
            Err(_) => {
                let message =
                    format!("no webhook for order {order_id} within {RESPONSE_TIMEOUT:?}");
                return Err(bench_error(message));
            }
        };
        if webhook.order_id != *order_id || webhook.event_type != EVENT {
            return Err(bench_error(format!(
                "webhook: expected {EVENT} of order {order_id}, got {} of {}",
                webhook.event_type, webhook.order_id
            )));
        }
        Ok(webhook.received_at)
    }

    async fn read(&mut self) -> BenchResult<()> {
        let path = order_path(&self.order_id);
        write_get(&mut self.request, self.address, self.number, &path)?;
        let response = self.connection.exchange(&self.request).await?;
        expect_order("read", &response, &self.order_id, "complete")
    }

    async fn post(&mut self, path: &str, body: &str) -> BenchResult<WireMessage<'_>> {
        write_post(&mut self.request, self.address, self.number, path, body)?;
        self.connection.exchange(&self.request).await
    }
}

/// Returns the path of an order's detail.
pub fn order_path(order_id: &str) -> String {
    format!("/api/v2/orders/{order_id}")
}
