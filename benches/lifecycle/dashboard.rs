//! Cost of an open dashboard: creates per second with and without a reader of the server's events.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use crate::client::BenchClient;
use crate::harness::Harness;
use crate::report::{self, Threshold};
use crate::{BenchResult, BenchSettings, bench_error};

/// Number of concurrent clients that create orders.
const CLIENTS: u32 = 16;
/// Pairs of turns. The order within a pair alternates, because the database grows.
const PAIRS: u32 = 6;

/// Result of a turn.
struct Turn {
    per_second: f64,
    /// Processor time of the server per create, in microseconds.
    processor_us: f64,
    resident_bytes: u64,
}

/// Reader of `GET /_mock/events`, as the page is one. Ends when dropped.
struct EventReader {
    task: JoinHandle<()>,
    bytes: Arc<AtomicU64>,
}

/// Measures creates per second and resident memory, with and without a reader of all events.
pub async fn open_page(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "dashboard: creates with and without a reader of the events, alternating, {CLIENTS} clients"
    ));
    let mut harness = Harness::start(settings, CLIENTS).await?;
    let span = settings.counted / (2 * PAIRS);
    // The journal is full after the warm-up, so that it does not grow any more.
    create_for(&mut harness, settings.counted).await?;
    let (mut plain, mut read) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for pair in 0..PAIRS {
        for is_read in [pair % 2 == 0, pair % 2 == 1] {
            if is_read {
                let reader = EventReader::open(harness.server.address).await?;
                read.push(create_for(&mut harness, span).await?);
                bytes += reader.bytes.load(Ordering::Relaxed);
            } else {
                plain.push(create_for(&mut harness, span).await?);
            }
        }
    }
    if bytes == 0 {
        return Err(bench_error("events: nothing was read"));
    }
    let plain_rate = print("creates without a reader", &plain);
    let read_rate = print("creates with a reader", &read);
    let target = Some(Threshold::AtLeast(0.98));
    report::number("ratio", read_rate / plain_rate, "", target);
    let resident = |turns: &[Turn]| {
        let mut values: Vec<f64> = turns
            .iter()
            .map(|turn| f64::from(u32::try_from(turn.resident_bytes / 1000).unwrap_or(u32::MAX)))
            .collect();
        report::median(&mut values) / 1000.0
    };
    let added = resident(&read) - resident(&plain);
    report::number(
        "resident memory added",
        added,
        "MB",
        Some(Threshold::AtMost(1.0)),
    );
    Ok(())
}

/// Prints the medians of several turns, and returns the median of the rate.
fn print(what: &str, turns: &[Turn]) -> f64 {
    let mut rates: Vec<f64> = turns.iter().map(|turn| turn.per_second).collect();
    let mut times: Vec<f64> = turns.iter().map(|turn| turn.processor_us).collect();
    let rate = report::median(&mut rates);
    report::number(what, rate, "/s", None);
    let time_us = report::median(&mut times);
    report::number("  processor time per create", time_us, "µs", None);
    rate
}

/// Creates orders with all clients concurrently for `span`.
async fn create_for(harness: &mut Harness, span: Duration) -> BenchResult<Turn> {
    let time_before = harness.server.processor_time()?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for client in harness.clients.drain(..) {
        tasks.spawn(create_until(client, start + span));
    }
    let mut count = 0;
    while let Some(joined) = tasks.join_next().await {
        let (client, created) = joined??;
        harness.clients.push(client);
        count += created;
    }
    let elapsed = start.elapsed();
    let used = harness.server.processor_time()?.saturating_sub(time_before);
    Ok(Turn {
        per_second: report::per_second(count, elapsed),
        processor_us: used.as_secs_f64() * 1e6 / f64::from(count.max(1)),
        resident_bytes: harness.server.memory()?.resident_bytes,
    })
}

async fn create_until(mut client: BenchClient, end: Instant) -> BenchResult<(BenchClient, u32)> {
    let mut count = 0;
    while Instant::now() < end {
        client.create("photo.jpg").await?;
        count += 1;
    }
    Ok((client, count))
}

impl EventReader {
    /// Connects, and reads the events of all accounts from now on.
    async fn open(address: SocketAddr) -> BenchResult<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let head = format!("GET /_mock/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut buffer = vec![0; 64 * 1024];
        let length = stream.read(&mut buffer).await?;
        if !buffer[..length].starts_with(b"HTTP/1.1 200") {
            let head = String::from_utf8_lossy(&buffer[..length]).into_owned();
            return Err(bench_error(format!("events: {head}")));
        }
        let bytes = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&bytes);
        let task = tokio::spawn(async move {
            while let Ok(length) = stream.read(&mut buffer).await {
                if length == 0 {
                    return;
                }
                counter.fetch_add(length as u64, Ordering::Relaxed);
            }
        });
        Ok(Self { task, bytes })
    }
}

impl Drop for EventReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}
