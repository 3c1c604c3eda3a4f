//! One client of the mock server: an account of its own, one connection, one order at a time
//! from its creation to its reading after the webhook.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::calls::{
    CreatedData, data, expect_order, expect_status, write_get, write_post, write_put_head,
};
use crate::picture::BenchPicture;
use crate::receiver::Arrival;
use crate::wire::{BenchConnection, PATIENCE, WireMessage};
use crate::{BenchOutcome, usage_error};

const EVENT: &str = "order.aiDetection.completed";
/// What a big upload is written in.
const CHUNK_BYTES: usize = 64 * 1024;

/// A client and what it keeps between two orders.
pub struct BenchClient {
    /// Which one it is, from 0; its key and its webhook follow from it.
    pub number: u32,
    /// The order it made last, or nothing.
    pub order_id: String,
    orders: u32,
    address: SocketAddr,
    connection: BenchConnection,
    arrivals: UnboundedReceiver<Arrival>,
    picture: BenchPicture,
    request: Vec<u8>,
}

/// How long each part of a lifecycle took.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// When it was over.
    pub ended: Instant,
    /// The create call.
    pub create: Duration,
    /// The upload.
    pub put: Duration,
    /// The confirm call.
    pub confirm: Duration,
    /// From confirm's answer to the webhook's last byte.
    pub complete: Duration,
    /// Reading the finished order.
    pub get: Duration,
    /// From the create call's first byte to the finished order's last.
    pub whole: Duration,
}

impl BenchClient {
    /// Connects and registers `hook`, where the webhooks of this client's orders come in.
    pub async fn register(
        number: u32,
        address: SocketAddr,
        hook: &str,
        arrivals: UnboundedReceiver<Arrival>,
        picture: BenchPicture,
    ) -> BenchOutcome<Self> {
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

    /// Takes one order from its creation to its end; every answer on the way is checked.
    pub async fn lifecycle(&mut self) -> BenchOutcome<Timings> {
        let began = Instant::now();
        let upload_url = self.create("photo.jpg").await?;
        let created = Instant::now();
        self.upload(&upload_url).await?;
        let uploaded = Instant::now();
        self.confirm().await?;
        let confirmed = Instant::now();
        let received = self.completion().await?;
        let informed = Instant::now();
        self.read().await?;
        let ended = Instant::now();
        Ok(Timings {
            ended,
            create: created - began,
            put: uploaded - created,
            confirm: confirmed - uploaded,
            complete: received.saturating_duration_since(confirmed),
            get: ended - informed,
            whole: ended - began,
        })
    }

    /// Makes a new order of one file: its upload URL.
    pub async fn create(&mut self, file_name: &str) -> BenchOutcome<String> {
        self.orders += 1;
        let (number, order) = (self.number, self.orders);
        let body = format!(r#"{{"idempotencyKey":"b-{number}-{order}","fileName":"{file_name}"}}"#);
        let response = self.post("/api/v2/orders/ai-detection", &body).await?;
        let created: CreatedData = data("create", &response)?;
        self.order_id = created.order_id;
        Ok(created.file.upload_url)
    }

    /// Uploads `chunks` pieces of 64 KiB that are no picture, calling `between` every MiB.
    pub async fn upload_blob(
        &mut self,
        upload_url: &str,
        chunks: u32,
        mut between: impl FnMut() -> BenchOutcome<()>,
    ) -> BenchOutcome<()> {
        let chunk = vec![0x5a_u8; CHUNK_BYTES];
        let length = u64::from(chunks) * 64 * 1024;
        write_put_head(&mut self.request, self.address, upload_url, length)?;
        self.connection.send(&self.request).await?;
        for number in 0..chunks {
            if self.connection.send(&chunk).await.is_err() {
                // An answer that came early says why.
                break;
            }
            if number % 16 == 0 {
                between()?;
            }
        }
        let response = self.connection.answer().await?;
        expect_status("big upload", &response, &[200])
    }

    async fn upload(&mut self, upload_url: &str) -> BenchOutcome<()> {
        let stamp = u64::from(self.number) << 32 | u64::from(self.orders);
        let length = u64::try_from(self.picture.len_bytes())?;
        write_put_head(&mut self.request, self.address, upload_url, length)?;
        self.request.extend_from_slice(self.picture.stamped(stamp));
        let response = self.connection.exchange(&self.request).await?;
        expect_status("upload", &response, &[200])
    }

    async fn confirm(&mut self) -> BenchOutcome<()> {
        let (number, order, order_id) = (self.number, self.orders, self.order_id.clone());
        let body = format!(r#"{{"idempotencyKey":"c-{number}-{order}","orderId":"{order_id}"}}"#);
        let path = "/api/v2/orders/ai-detection/confirm";
        let response = self.post(path, &body).await?;
        expect_order("confirm", &response, &order_id, "inProgress")
    }

    /// Waits for the webhook of the order: when it was received.
    async fn completion(&mut self) -> BenchOutcome<Instant> {
        let order_id = &self.order_id;
        let webhook = match timeout(PATIENCE, self.arrivals.recv()).await {
            Ok(Some(arrival)) => arrival?,
            Ok(None) => return Err(usage_error("the receiver is gone")),
            Err(_) => {
                let why = format!("no webhook for order {order_id} within {PATIENCE:?}");
                return Err(usage_error(why));
            }
        };
        if webhook.order_id != *order_id || webhook.event_type != EVENT {
            return Err(usage_error(format!(
                "waiting for {EVENT} of order {order_id}, got {} of {}",
                webhook.event_type, webhook.order_id
            )));
        }
        Ok(webhook.received)
    }

    async fn read(&mut self) -> BenchOutcome<()> {
        let path = order_path(&self.order_id);
        write_get(&mut self.request, self.address, self.number, &path)?;
        let response = self.connection.exchange(&self.request).await?;
        expect_order("read", &response, &self.order_id, "complete")
    }

    async fn post(&mut self, path: &str, body: &str) -> BenchOutcome<WireMessage<'_>> {
        write_post(&mut self.request, self.address, self.number, path, body)?;
        self.connection.exchange(&self.request).await
    }
}

/// Where an order is read.
pub fn order_path(order_id: &str) -> String {
    format!("/api/v2/orders/{order_id}")
}
