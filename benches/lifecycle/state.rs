//! Benchmarks of the control plane: a clock advanced over 10,000 jobs, and snapshot, reset and
//! restore of an account with 1,000 orders.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::calls::{expect_status, key, write_post};
use crate::harness::{Harness, Load};
use crate::process::ServerProcess;
use crate::receiver::BenchReceiver;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchResult, BenchSettings, bench_error};

const JOBS: usize = 10_000;
const CREATORS: usize = 8;
const ORDERS: u32 = 1_000;
const ROUNDS: usize = 7;

/// Measures jobs per second of one `advance` over 10,000 jobs that are due at different times:
/// orders that expire, and orders that fail because their uploads expire, each with a webhook.
pub async fn advance(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!("advance: {JOBS} due jobs, in one call"));
    let expiring = Workload {
        path: "/api/v2/orders/ai-detection",
        file: r#""fileName":"photo.jpg""#,
        orders: JOBS,
        by: "P8D",
    };
    let failing = Workload {
        path: "/api/v3/orders/wtr-embed",
        file: r#""files":[{"fileName":"photo.jpg","watermarks":[{"text":"x"}]}]"#,
        orders: JOBS / 2,
        by: "PT13H",
    };
    for (what, work, has_webhook) in [
        ("orders expire", expiring, false),
        ("uploads expire, each with its webhook", failing, true),
    ] {
        let elapsed = work.run(settings, has_webhook).await?;
        let rate = report::per_second(u32::try_from(JOBS)?, elapsed);
        report::number(what, rate, "jobs/s", Some(Threshold::AtLeast(2_000.0)));
    }
    Ok(())
}

/// Orders whose jobs are due within `by`.
struct Workload {
    path: &'static str,
    file: &'static str,
    orders: usize,
    by: &'static str,
}

impl Workload {
    async fn run(self, settings: &BenchSettings, has_webhook: bool) -> BenchResult<Duration> {
        let data_dir = tempfile::tempdir()?;
        let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
        let address = server.address;
        let (receiver, _arrivals) = BenchReceiver::start(1).await?;
        let mut connection = BenchConnection::open(address).await?;
        if has_webhook {
            let body = format!(r#"{{"name":"x","url":"{}"}}"#, receiver.url(0));
            call(&mut connection, address, "/api/v2/orders/webhooks", &body).await?;
        }
        let mut creators = JoinSet::new();
        for creator in 0..CREATORS {
            let Workload { path, file, .. } = self;
            creators.spawn(create(address, creator, self.orders / CREATORS, path, file));
        }
        while let Some(created) = creators.join_next().await {
            created??;
        }
        let advance = format!(r#"{{"account":"{}","by":"{}"}}"#, key(0), self.by);
        let start = Instant::now();
        let response = call(&mut connection, address, "/_mock/clock/advance", &advance).await?;
        let elapsed = start.elapsed();
        let count = response.matches(r#""subject""#).count();
        if count == JOBS {
            Ok(elapsed)
        } else {
            Err(bench_error(format!(
                "advance: expected {JOBS} jobs, got {count}"
            )))
        }
    }
}

async fn create(
    address: SocketAddr,
    creator: usize,
    orders: usize,
    path: &str,
    file: &str,
) -> BenchResult<()> {
    let mut connection = BenchConnection::open(address).await?;
    for number in 0..orders {
        let body = format!(r#"{{"idempotencyKey":"{creator}-{number}",{file}}}"#);
        call(&mut connection, address, path, &body).await?;
    }
    Ok(())
}

/// Measures snapshot, reset and restore of an account with 1,000 orders of 64 KiB each in
/// milliseconds, as medians of rounds.
pub async fn snapshots(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "state: an account of {ORDERS} orders of 64 KiB, medians of {ROUNDS} rounds"
    ));
    let mut harness = Harness::start(settings, 1).await?;
    harness.run(Load::Each(ORDERS)).await?;
    let address = harness.server.address;
    let mut connection = BenchConnection::open(address).await?;
    let (mut snapshots, mut resets, mut restores) = (Vec::new(), Vec::new(), Vec::new());
    let account = format!(r#"{{"account":"{}"}}"#, key(0));
    let expected = format!(r#""accounts":1,"orders":{ORDERS},"#);
    for _ in 0..ROUNDS {
        let snapshot_start = Instant::now();
        let path = "/_mock/snapshots/full";
        let response = send(&mut connection, address, "PUT", path, &account).await?;
        snapshots.push(report::milliseconds(snapshot_start.elapsed()));
        if !response.contains(&expected) {
            return Err(bench_error(format!("snapshot: {response}")));
        }
        let reset_start = Instant::now();
        call(&mut connection, address, "/_mock/reset", &account).await?;
        resets.push(report::milliseconds(reset_start.elapsed()));
        let restore_start = Instant::now();
        let restore_path = "/_mock/snapshots/full/restore";
        call(&mut connection, address, restore_path, &account).await?;
        restores.push(report::milliseconds(restore_start.elapsed()));
    }
    let second = Some(Threshold::Below(1_000.0));
    report::number("snapshot", report::median(&mut snapshots), "ms", second);
    report::number("restore", report::median(&mut restores), "ms", second);
    let tenth = Some(Threshold::Below(100.0));
    report::number("reset", report::median(&mut resets), "ms", tenth);
    Ok(())
}

/// Sends a POST that must succeed, and returns the response body.
async fn call(
    connection: &mut BenchConnection,
    address: SocketAddr,
    path: &str,
    body: &str,
) -> BenchResult<String> {
    let mut request = Vec::new();
    write_post(&mut request, address, 0, path, body)?;
    let response = connection.exchange(&request).await?;
    expect_status(path, &response, &[200, 201, 204])?;
    Ok(String::from_utf8_lossy(response.body).into_owned())
}

/// Sends a request to the control plane that must succeed, and returns the response body.
async fn send(
    connection: &mut BenchConnection,
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> BenchResult<String> {
    let mut request = Vec::new();
    let length = body.len();
    write!(
        request,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let response = connection.exchange(&request).await?;
    expect_status(path, &response, &[200])?;
    Ok(String::from_utf8_lossy(response.body).into_owned())
}
