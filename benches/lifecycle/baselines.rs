//! What the machine gives at most, measured in the same run and with the same client: a bare
//! handler's requests per second, and single-row commits per second.

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
use crate::{BARE_HANDLER, BenchOutcome, BenchSettings, usage_error};

/// How many ask at once.
pub const CONNECTIONS: u32 = 16;
const TURNS: u32 = 3;
const COMMITS: Duration = Duration::from_secs(3);

/// A request that is sent over and over, and the one answer it must have every time.
#[derive(Clone)]
pub struct RepeatedRequest {
    /// Whom it is put to.
    pub address: SocketAddr,
    /// All of it.
    pub request: Vec<u8>,
    /// The length of the answer's body.
    pub answer_bytes: usize,
}

/// How fast a question was answered.
struct Rate {
    per_second: f64,
    /// The answering process's time, user and system, in microseconds.
    processor_us: f64,
}

/// `GET orders/{id}` of a finished order and the bare handler, in turns: requests per second
/// over [`CONNECTIONS`] connections, and their ratio.
pub async fn gets(settings: &BenchSettings) -> BenchOutcome<()> {
    report::heading(format!(
        "get: a finished order and a bare axum handler in turns, {CONNECTIONS} connections"
    ));
    let mut rig = Harness::start(settings, CONNECTIONS).await?;
    let orders = read_orders(&mut rig).await?;
    beside_bare(settings, &rig.server, "GET orders/{id}", &orders).await
}

/// `GET orders/{id}` of a server that keeps a journal and of one that keeps none, in turns: requests
/// per second, and their ratio.
pub async fn journal(settings: &BenchSettings) -> BenchOutcome<()> {
    report::heading(format!(
        "journal: GET of a finished order with and without it in turns, {CONNECTIONS} connections"
    ));
    let mut stored = Harness::start(settings, CONNECTIONS).await?;
    let without = ["--journal-requests-max", "0"];
    let mut none = Harness::start_with(settings, CONNECTIONS, &without).await?;
    let (kept_questions, none_questions) = (
        read_orders(&mut stored).await?,
        read_orders(&mut none).await?,
    );
    let turn = settings.counted / (2 * TURNS);
    run_request(&stored.server, &kept_questions, turn / 4).await?;
    run_request(&none.server, &none_questions, turn / 4).await?;
    let (mut rates, mut bare_rates) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare_rates.push(run_request(&none.server, &none_questions, turn).await?);
        rates.push(run_request(&stored.server, &kept_questions, turn).await?);
    }
    let rate = print("with the journal", &rates);
    let bare_rate = print("without", &bare_rates);
    let target = Some(Threshold::AtLeast(0.9));
    report::number("ratio", rate / bare_rate, "", target);
    Ok(())
}

/// Questions for the finished order of each client.
async fn read_orders(rig: &mut Harness) -> BenchOutcome<Vec<RepeatedRequest>> {
    rig.run(Load::Each(1)).await?;
    let mut orders = Vec::new();
    for client in &rig.clients {
        let address = rig.server.address;
        orders.push(finished_order(address, client.number, &client.order_id).await?);
    }
    Ok(orders)
}

/// Questions to the server, as many at once as there are, and the bare handler, in turns:
/// requests per second, and their ratio.
pub async fn beside_bare(
    settings: &BenchSettings,
    server: &ServerProcess,
    what: &str,
    questions: &[RepeatedRequest],
) -> BenchOutcome<()> {
    let body_bytes = questions.first().map_or(0, |one| one.answer_bytes);
    let bare = start_bare(body_bytes)?;
    let handlers = vec![plain(bare.address, body_bytes)?; questions.len()];

    let turn = settings.counted / (2 * TURNS);
    run_request(server, questions, turn / 4).await?;
    run_request(&bare, &handlers, turn / 4).await?;
    let (mut rates, mut bare_rates) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        bare_rates.push(run_request(&bare, &handlers, turn).await?);
        rates.push(run_request(server, questions, turn).await?);
    }
    let rate = print(what, &rates);
    let bare_rate = print("bare handler, a body as long", &bare_rates);
    let target = Some(Threshold::AtLeast(0.5));
    report::number("ratio to the bare handler", rate / bare_rate, "", target);
    Ok(())
}

/// The bare handler alone, where no server is wanted.
pub async fn bare(settings: &BenchSettings) -> BenchOutcome<()> {
    const BODY_BYTES: usize = 600;
    report::heading(format!(
        "bare axum handler, a body of {BODY_BYTES} bytes, {CONNECTIONS} connections"
    ));
    let bare = start_bare(BODY_BYTES)?;
    let questions = vec![plain(bare.address, BODY_BYTES)?; usize::try_from(CONNECTIONS)?];
    run_request(&bare, &questions, settings.counted / 8).await?;
    let rate = run_request(&bare, &questions, settings.counted / 2).await?;
    print("bare handler", &[rate]);
    Ok(())
}

/// Single-row commits per second on one connection with the server's pragmas (WAL,
/// `synchronous=NORMAL`, `BEGIN IMMEDIATE`), and how many lifecycles there were to each.
pub async fn commits(lifecycles_per_second: Option<f64>) -> BenchOutcome<()> {
    report::heading("commits: one row in each, WAL, synchronous=NORMAL, BEGIN IMMEDIATE, sqlx");
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
    let began = Instant::now();
    let mut count = 0_u32;
    while began.elapsed() < COMMITS {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO orders (body) VALUES (?)")
            .bind(body.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        count += 1;
    }
    let rate = report::per_second(count, began.elapsed());
    connection.close().await?;
    report::number("commits per second", rate, "/s", None);
    if let Some(lifecycles) = lifecycles_per_second {
        report::number("lifecycles to a commit", lifecycles / rate, "", None);
    }
    Ok(())
}

/// Serves `body_bytes` bytes of JSON on `/`, until it is killed: the bare handler's process.
pub async fn serve_bare(body_bytes: usize) -> BenchOutcome<()> {
    let filling = body_bytes.saturating_sub(r#"{"data":""}"#.len());
    let body = format!(r#"{{"data":"{}"}}"#, "x".repeat(filling));
    let body: &'static str = String::leak(body);
    let handler = get(move || async move { ([(CONTENT_TYPE, "application/json")], body) });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // A socket that refuses is as good as gone.
        drop(stream.set_nodelay(true));
    });
    axum::serve(listener, Router::new().route("/", handler)).await?;
    Ok(())
}

/// This very program, as the bare handler's process.
fn start_bare(body_bytes: usize) -> BenchOutcome<ServerProcess> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([BARE_HANDLER, &body_bytes.to_string()]);
    ServerProcess::start(&mut command)
}

fn plain(address: SocketAddr, answer_bytes: usize) -> BenchOutcome<RepeatedRequest> {
    let mut request = Vec::new();
    write_get(&mut request, address, 0, "/")?;
    Ok(RepeatedRequest {
        address,
        request,
        answer_bytes,
    })
}

/// Reads the order once and holds every later answer to the length of the first, which is
/// cheaper than to parse it.
async fn finished_order(
    address: SocketAddr,
    client: u32,
    order_id: &str,
) -> BenchOutcome<RepeatedRequest> {
    let mut request = Vec::new();
    write_get(&mut request, address, client, &order_path(order_id))?;
    let mut connection = BenchConnection::open(address).await?;
    let response = connection.exchange(&request).await?;
    expect_order("read", &response, order_id, "complete")?;
    let answer_bytes = response.body.len();
    Ok(RepeatedRequest {
        address,
        request,
        answer_bytes,
    })
}

/// Asks all `questions` at once for `span`, each on a connection of its own, from as many threads
/// as there are processors: one thread of ours would be the bare handler's limit.
async fn run_request(
    process: &ServerProcess,
    questions: &[RepeatedRequest],
    span: Duration,
) -> BenchOutcome<Rate> {
    let time_before = process.processor_time()?;
    let began = Instant::now();
    let until = began + span;
    let threads = std::thread::available_parallelism()?.get();
    let mut tasks = JoinSet::new();
    for share in questions.chunks(questions.len().div_ceil(threads).max(1)) {
        let share = share.to_vec();
        tasks.spawn_blocking(move || client_thread(share, until));
    }
    let mut count = 0_u32;
    while let Some(joined) = tasks.join_next().await {
        count += joined??;
    }
    let took = began.elapsed();
    let used = process.processor_time()?.saturating_sub(time_before);
    Ok(Rate {
        per_second: report::per_second(count, took),
        processor_us: used.as_secs_f64() * 1e6 / f64::from(count.max(1)),
    })
}

/// Asks its share of the questions in a runtime of its own: how many answers there were.
fn client_thread(share: Vec<RepeatedRequest>, until: Instant) -> BenchOutcome<u32> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for question in share {
            tasks.spawn(repeat(question, until));
        }
        let mut count = 0;
        while let Some(joined) = tasks.join_next().await {
            count += joined??;
        }
        Ok(count)
    })
}

async fn repeat(question: RepeatedRequest, until: Instant) -> BenchOutcome<u32> {
    let mut connection = BenchConnection::open(question.address).await?;
    let mut count = 0;
    while Instant::now() < until {
        let response = connection.exchange(&question.request).await?;
        expect_status("read", &response, &[200])?;
        if response.body.len() != question.answer_bytes {
            let body = String::from_utf8_lossy(response.body);
            return Err(usage_error(format!(
                "read: another answer than at first: {body}"
            )));
        }
        count += 1;
    }
    Ok(count)
}

/// Prints the medians of several turns: the rate's.
fn print(what: &str, rates: &[Rate]) -> f64 {
    let mut per_second: Vec<f64> = rates.iter().map(|rate| rate.per_second).collect();
    let mut processor_us: Vec<f64> = rates.iter().map(|rate| rate.processor_us).collect();
    let rate = report::median(&mut per_second);
    report::number(what, rate, "/s", None);
    let time_us = report::median(&mut processor_us);
    report::number("  its processor time per request", time_us, "µs", None);
    rate
}
