//! What is measured of the control plane: a clock advanced over ten thousand jobs, an account of a
//! thousand orders reset, kept aside and brought back.

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
use crate::{BenchOutcome, BenchSettings, usage_error};

const JOBS: usize = 10_000;
const MAKERS: usize = 8;
const ORDERS: u32 = 1_000;
const ROUNDS: usize = 7;

/// Jobs a second of one `advance` over ten thousand that are due at instants of their own: orders
/// that expire, and orders that fail for their uploads, each with a webhook.
pub async fn advance(settings: &BenchSettings) -> BenchOutcome<()> {
    report::heading(format!("advance: {JOBS} jobs that are due, in one call"));
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
    for (what, work, hooked) in [
        ("orders expire", expiring, false),
        ("uploads expire, each with its webhook", failing, true),
    ] {
        let took = work.run(settings, hooked).await?;
        let rate = report::per_second(u32::try_from(JOBS)?, took);
        report::number(what, rate, "jobs/s", Some(Threshold::AtLeast(2_000.0)));
    }
    Ok(())
}

/// Orders whose jobs are due within a time.
struct Workload {
    path: &'static str,
    file: &'static str,
    orders: usize,
    by: &'static str,
}

impl Workload {
    async fn run(self, settings: &BenchSettings, hooked: bool) -> BenchOutcome<Duration> {
        let data_dir = tempfile::tempdir()?;
        let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
        let address = server.address;
        let (receiver, _arrivals) = BenchReceiver::start(1).await?;
        let mut connection = BenchConnection::open(address).await?;
        if hooked {
            let body = format!(r#"{{"name":"x","url":"{}"}}"#, receiver.url(0));
            call(&mut connection, address, "/api/v2/orders/webhooks", &body).await?;
        }
        let mut makers = JoinSet::new();
        for maker in 0..MAKERS {
            let Workload { path, file, .. } = self;
            makers.spawn(make(address, maker, self.orders / MAKERS, path, file));
        }
        while let Some(created) = makers.join_next().await {
            created??;
        }
        let advance = format!(r#"{{"account":"{}","by":"{}"}}"#, key(0), self.by);
        let began = Instant::now();
        let answer = call(&mut connection, address, "/_mock/clock/advance", &advance).await?;
        let took = began.elapsed();
        let ran = answer.matches(r#""subject""#).count();
        if ran == JOBS {
            Ok(took)
        } else {
            Err(usage_error(format!("advance: {ran} jobs were run")))
        }
    }
}

async fn make(
    address: SocketAddr,
    maker: usize,
    orders: usize,
    path: &str,
    file: &str,
) -> BenchOutcome<()> {
    let mut connection = BenchConnection::open(address).await?;
    for number in 0..orders {
        let body = format!(r#"{{"idempotencyKey":"{maker}-{number}",{file}}}"#);
        call(&mut connection, address, path, &body).await?;
    }
    Ok(())
}

/// Milliseconds of a reset, a snapshot and a restore of an account with a thousand orders, of
/// 64 KiB each, the medians of rounds.
pub async fn keep(settings: &BenchSettings) -> BenchOutcome<()> {
    report::heading(format!(
        "state: an account of {ORDERS} orders of 64 KiB, medians of {ROUNDS} rounds"
    ));
    let mut rig = Harness::start(settings, 1).await?;
    rig.run(Load::Each(ORDERS)).await?;
    let address = rig.server.address;
    let mut connection = BenchConnection::open(address).await?;
    let (mut stored, mut emptied, mut back) = (Vec::new(), Vec::new(), Vec::new());
    let account = format!(r#"{{"account":"{}"}}"#, key(0));
    let whole = format!(r#""accounts":1,"orders":{ORDERS},"#);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let path = "/_mock/snapshots/full";
        let accepted = send(&mut connection, address, "PUT", path, &account).await?;
        stored.push(report::milliseconds(began.elapsed()));
        if !accepted.contains(&whole) {
            return Err(usage_error(format!("snapshot: {accepted}")));
        }
        let began = Instant::now();
        call(&mut connection, address, "/_mock/reset", &account).await?;
        emptied.push(report::milliseconds(began.elapsed()));
        let began = Instant::now();
        let path = "/_mock/snapshots/full/restore";
        call(&mut connection, address, path, &account).await?;
        back.push(report::milliseconds(began.elapsed()));
    }
    let second = Some(Threshold::Below(1_000.0));
    report::number("snapshot", report::median(&mut stored), "ms", second);
    report::number("restore", report::median(&mut back), "ms", second);
    let tenth = Some(Threshold::Below(100.0));
    report::number("reset", report::median(&mut emptied), "ms", tenth);
    Ok(())
}

/// A POST that must succeed: the answer's body.
async fn call(
    connection: &mut BenchConnection,
    address: SocketAddr,
    path: &str,
    body: &str,
) -> BenchOutcome<String> {
    let mut request = Vec::new();
    write_post(&mut request, address, 0, path, body)?;
    let response = connection.exchange(&request).await?;
    expect_status(path, &response, &[200, 201, 204])?;
    Ok(String::from_utf8_lossy(response.body).into_owned())
}

/// A call to the control plane that must succeed: the answer's body.
async fn send(
    connection: &mut BenchConnection,
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> BenchOutcome<String> {
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
