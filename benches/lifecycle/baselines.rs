//! Limits of the machine, measured in the same run and with the same client: requests per second of
//! a bare handler, and single-row commits per second.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::calls::{expect_order, expect_status, write_get};
use crate::client::order_path;
use crate::harness::{Harness, Load};
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BARE_HANDLER, BenchResult, BenchSettings, bench_error};

/// Number of concurrent connections.
pub const CONNECTIONS: u32 = 16;
const TURNS: u32 = 3;
const COMMITS: Duration = Duration::from_secs(3);

/// A request that is repeated, with the length of the response that is expected every time.
#[derive(Clone)]
pub struct RepeatedRequest {
    /// Address of the server.
    pub address: SocketAddr,
    /// Bytes of the request.
    pub request: Vec<u8>,
    /// Length of the response body.
    pub response_bytes: usize,
}

/// Result of a measurement.
struct Rate {
    per_second: f64,
    /// Processor time of the server per request, user and system, in microseconds.
    processor_us: f64,
}

/// Measures requests per second of `GET orders/{id}` of a finished order and of the bare handler,
/// over [`CONNECTIONS`] connections in alternation, and their ratio.
pub async fn gets(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "get: a finished order and a bare axum handler, alternating, {CONNECTIONS} connections"
    ));
    let mut harness = Harness::start(settings, CONNECTIONS).await?;
    let requests = order_requests(&mut harness).await?;
    compare_to_bare(settings, &harness.server, "GET orders/{id}", &requests).await
}

/// Measures requests per second of `GET orders/{id}` with and without a journal, in alternation,
/// and their ratio.
pub async fn journal(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "journal: GET of a finished order with and without it, alternating, {CONNECTIONS} connections"
    ));
    let mut with_journal = Harness::start(settings, CONNECTIONS).await?;
    let arguments = ["--journal-requests-max", "0"];
    let mut without = Harness::start_with(settings, CONNECTIONS, &arguments).await?;
    let journal_requests = order_requests(&mut with_journal).await?;
    let plain_requests = order_requests(&mut without).await?;
    let turn = settings.counted / (2 * TURNS);
    run_requests(&with_journal.server, &journal_requests, turn / 4).await?;
    run_requests(&without.server, &plain_requests, turn / 4).await?;
    let (mut rates, mut plain_rates) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        plain_rates.push(run_requests(&without.server, &plain_requests, turn).await?);
        rates.push(run_requests(&with_journal.server, &journal_requests, turn).await?);
    }
    let rate = print("with the journal", &rates);
    let plain_rate = print("without", &plain_rates);
    let target = Some(Threshold::AtLeast(0.9));
    report::number("ratio", rate / plain_rate, "", target);
    Ok(())
}

/// Completes one order per client, and returns a request that reads it for each.
async fn order_requests(harness: &mut Harness) -> BenchResult<Vec<RepeatedRequest>> {
    harness.run(Load::Each(1)).await?;
    let mut requests = Vec::new();
    for client in &harness.clients {
        let address = harness.server.address;
        requests.push(order_request(address, client.number, &client.order_id).await?);
    }
    Ok(requests)
}

/// Measures requests per second of `requests`, which are sent concurrently, and of the bare handler
/// in alternation, and their ratio.
pub async fn compare_to_bare(
    settings: &BenchSettings,
    server: &ServerProcess,
    what: &str,
    requests: &[RepeatedRequest],
) -> BenchResult<()> {
    let body_bytes = requests.first().map_or(0, |first| first.response_bytes);
    let bare = start_bare(body_bytes)?;
    let bare_requests = vec![bare_request(bare.address, body_bytes)?; requests.len()];

    let turn = settings.counted / (2 * TURNS);
    run_requests(server, requests, turn / 4).await?;
    run_requests(&bare, &bare_requests, turn / 4).await?;
    let (mut rates, mut bare_rates) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare_rates.push(run_requests(&bare, &bare_requests, turn).await?);
        rates.push(run_requests(server, requests, turn).await?);
    }
    let rate = print(what, &rates);
    let bare_rate = print("bare handler, body of the same length", &bare_rates);
    let target = Some(Threshold::AtLeast(0.5));
    report::number("ratio to the bare handler", rate / bare_rate, "", target);
    Ok(())
}

/// Measures requests per second of the bare handler alone.
pub async fn bare(settings: &BenchSettings) -> BenchResult<()> {
    const BODY_BYTES: usize = 600;
    report::heading(format!(
        "bare axum handler, a body of {BODY_BYTES} bytes, {CONNECTIONS} connections"
    ));
    let bare = start_bare(BODY_BYTES)?;
    let requests = vec![bare_request(bare.address, BODY_BYTES)?; usize::try_from(CONNECTIONS)?];
    run_requests(&bare, &requests, settings.counted / 8).await?;
    let rate = run_requests(&bare, &requests, settings.counted / 2).await?;
    print("bare handler", &[rate]);
    Ok(())
}

/// Measures single-row commits per second on one connection with the server's pragmas (WAL,
/// `synchronous=NORMAL`, `BEGIN IMMEDIATE`), and the number of lifecycles per commit.
pub async fn commits(lifecycles_per_second: Option<f64>) -> BenchResult<()> {
    report::heading("commits: one row each, WAL, synchronous=NORMAL, BEGIN IMMEDIATE, sqlx");
    let dir = tempfile::tempdir()?;
    let mut connection = SqliteConnectOptions::new()
        .filename(dir.path().join("commits.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
        .execute(&mut connection)
        .await?;
    let body = "x".repeat(200);
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < COMMITS {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO orders (body) VALUES (?)")
            .bind(body.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        count += 1;
    }
    let rate = report::per_second(count, start.elapsed());
    connection.close().await?;
    report::number("commits per second", rate, "/s", None);
    if let Some(lifecycles) = lifecycles_per_second {
        report::number("lifecycles per commit", lifecycles / rate, "", None);
    }
    Ok(())
}

/// Serves `body_bytes` bytes of JSON on `/` until the process is killed.
pub async fn serve_bare(body_bytes: usize) -> BenchResult<()> {
    let filling = body_bytes.saturating_sub(r#"{"data":""}"#.len());
    let json = format!(r#"{{"data":"{}"}}"#, "x".repeat(filling));
    let body: &'static str = String::leak(json);
    let handler = get(move || async move { ([(CONTENT_TYPE, "application/json")], body) });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let tap = listener.tap_io(|stream| {
        // A socket without TCP_NODELAY is used as it is.
        drop(stream.set_nodelay(true));
    });
    axum::serve(tap, Router::new().route("/", handler)).await?;
    Ok(())
}

/// Starts this program as the bare handler's process.
fn start_bare(body_bytes: usize) -> BenchResult<ServerProcess> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([BARE_HANDLER, &body_bytes.to_string()]);
    ServerProcess::start(&mut command)
}

fn bare_request(address: SocketAddr, response_bytes: usize) -> BenchResult<RepeatedRequest> {
    let mut request = Vec::new();
    write_get(&mut request, address, 0, "/")?;
    Ok(RepeatedRequest {
        address,
        request,
        response_bytes,
    })
}

/// Returns a request that reads a finished order, and reads it once. Later responses must have the
/// same length, which is cheaper to check than their content.
async fn order_request(
    address: SocketAddr,
    client: u32,
    order_id: &str,
) -> BenchResult<RepeatedRequest> {
    let mut request = Vec::new();
    write_get(&mut request, address, client, &order_path(order_id))?;
    let mut connection = BenchConnection::open(address).await?;
    let response = connection.exchange(&request).await?;
    expect_order("read", &response, order_id, "complete")?;
    let response_bytes = response.body.len();
    Ok(RepeatedRequest {
        address,
        request,
        response_bytes,
    })
}

/// Sends all `requests` concurrently and repeatedly for `span`, each on a connection of its own. A
/// thread per processor sends, because a single thread would limit the bare handler.
async fn run_requests(
    process: &ServerProcess,
    requests: &[RepeatedRequest],
    span: Duration,
) -> BenchResult<Rate> {
    let time_before = process.processor_time()?;
    let start = Instant::now();
    let end = start + span;
    let threads = std::thread::available_parallelism()?.get();
    let mut tasks = JoinSet::new();
    for share in requests.chunks(requests.len().div_ceil(threads).max(1)) {
        let share = share.to_vec();
        tasks.spawn_blocking(move || run_share(share, end));
    }
    let mut count = 0_u32;
    while let Some(joined) = tasks.join_next().await {
        count += joined??;
    }
    let elapsed = start.elapsed();
    let used = process.processor_time()?.saturating_sub(time_before);
    Ok(Rate {
        per_second: report::per_second(count, elapsed),
        processor_us: used.as_secs_f64() * 1e6 / f64::from(count.max(1)),
    })
}

/// Repeats requests in a runtime of this thread until `end`, and returns the number of responses.
fn run_share(share: Vec<RepeatedRequest>, end: Instant) -> BenchResult<u32> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for request in share {
            tasks.spawn(repeat(request, end));
        }
        let mut count = 0;
        while let Some(joined) = tasks.join_next().await {
            count += joined??;
        }
        Ok(count)
    })
}

async fn repeat(repeated: RepeatedRequest, end: Instant) -> BenchResult<u32> {
    let mut connection = BenchConnection::open(repeated.address).await?;
    let mut count = 0;
    while Instant::now() < end {
        let response = connection.exchange(&repeated.request).await?;
        expect_status("read", &response, &[200])?;
        if response.body.len() != repeated.response_bytes {
            let body = String::from_utf8_lossy(response.body);
            return Err(bench_error(format!(
                "read: response has another length than the first one: {body}"
            )));
        }
        count += 1;
    }
    Ok(count)
}

/// Prints the medians of several measurements, and returns the median of the rate.
fn print(what: &str, rates: &[Rate]) -> f64 {
    let mut per_second: Vec<f64> = rates.iter().map(|rate| rate.per_second).collect();
    let mut processor_us: Vec<f64> = rates.iter().map(|rate| rate.processor_us).collect();
    let rate = report::median(&mut per_second);
    report::number(what, rate, "/s", None);
    let time_us = report::median(&mut processor_us);
    report::number("  processor time per request", time_us, "µs", None);
    rate
}
