//! Benchmarks of the release binary of stuntdouble, measured from outside over loopback HTTP.
//!
//! `cargo bench --bench lifecycle` runs all sections, `… -- --only get` a single one:
//!
//! | section | what is measured | unit |
//! |---|---|---|
//! | `ready` | exec to the first 200 on `/_mock/health`, on an empty directory | ms |
//! | `lifecycle` | create, put 64 KiB, confirm, webhook, get: rate, and p50 and p99 of each | /s, ms |
//! | `ceilings` | commits of one row each; a bare axum handler | /s |
//! | `get` | reading a finished order, alternating with a bare axum handler | /s, ratio |
//! | `journal` | reading a finished order with and without a journal, alternating | /s, ratio |
//! | `dashboard` | creates with and without a reader of the events, alternating | /s, ratio, MB |
//! | `create` | an order of 100 files | ms |
//! | `list` | the first page of 100,000 orders | ms |
//! | `detect` | Undetectable: detect to done, a ZIP of 50 images, `/query` against a bare axum handler | ms, s, ratio |
//! | `watermarks` | embed and extract of a 12-megapixel JPEG, and concurrent GETs | s, ms |
//! | `advance` | a clock advanced over 10,000 due jobs | /s |
//! | `state` | snapshot, reset and restore of an account with 1,000 orders | ms |
//! | `memory` | resident: idle, after equal rounds, growth by an upload of 100 MiB | MB (10⁶ bytes) |
//!
//! Every response is checked. A wrong one ends the run with exit code 1. A missed target is printed
//! but is no error, because machines are noisy. Server and client share the machine. The client and
//! the webhook receiver run in one thread; only `get`, `journal`, `ceilings` and the queries of
//! `detect` are sent from one thread per processor.

#[path = "lifecycle/baselines.rs"]
mod baselines;
#[path = "lifecycle/calls.rs"]
mod calls;
#[path = "lifecycle/client.rs"]
mod client;
#[path = "lifecycle/dashboard.rs"]
mod dashboard;
#[path = "lifecycle/documents.rs"]
mod documents;
#[path = "lifecycle/harness.rs"]
mod harness;
#[path = "lifecycle/orders.rs"]
mod orders;
#[path = "lifecycle/picture.rs"]
mod picture;
#[path = "lifecycle/process.rs"]
mod process;
#[path = "lifecycle/receiver.rs"]
mod receiver;
#[path = "lifecycle/report.rs"]
mod report;
#[path = "lifecycle/sections.rs"]
mod sections;
#[path = "lifecycle/state.rs"]
mod state;
#[path = "lifecycle/watermarks.rs"]
mod watermarks;
#[path = "lifecycle/wire.rs"]
mod wire;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: cargo bench --bench lifecycle -- [--clients N] [--seconds S] [--only SECTION]... [--server PATH]

    --clients N       concurrent clients, each with an account of its own (32)
    --seconds S       duration of the measurement, after 2 s of warm-up (10)
    --only SECTION    ready, lifecycle, ceilings, get, journal, dashboard, create, list,
                      detect, watermarks, advance, state or memory; can be repeated (all)
    --server PATH     server binary, if not the one built with this benchmark";

/// First argument of the bare handler's process. The length of the response body follows.
const BARE_HANDLER: &str = "--bare-handler";
const SECTIONS: [&str; 13] = [
    "ready",
    "lifecycle",
    "ceilings",
    "get",
    "journal",
    "dashboard",
    "create",
    "list",
    "detect",
    "watermarks",
    "advance",
    "state",
    "memory",
];

/// Error of a benchmark, for people.
type BenchError = Box<dyn Error + Send + Sync>;
type BenchResult<T> = Result<T, BenchError>;

/// Settings from the command line.
struct BenchSettings {
    /// Number of clients of the sections `lifecycle` and `memory`.
    clients: u32,
    /// Measuring time of the section `lifecycle`, from which the times of other sections are derived.
    counted: Duration,
    /// Sections to run. Empty for all.
    only: Vec<String>,
    /// Path of the server binary.
    server: PathBuf,
    /// Path of the picture to upload. The file may be missing.
    picture: PathBuf,
}

fn bench_error(message: impl Into<String>) -> BenchError {
    BenchError::from(message.into())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = if arguments.first().is_some_and(|first| first == BARE_HANDLER) {
        run_bare_handler(arguments.get(1))
    } else {
        match BenchSettings::parse(arguments) {
            Ok(settings) => bench(&settings),
            Err(error) => {
                eprintln!("{error}\n\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the bare handler in a runtime like the server's, with a thread per processor.
fn run_bare_handler(body_bytes: Option<&String>) -> BenchResult<()> {
    let body_bytes = body_bytes.map_or(Ok(0), |text| text.parse())?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(baselines::serve_bare(body_bytes))
}

fn bench(settings: &BenchSettings) -> BenchResult<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // A signal ends the run in the same way as an error, which kills the server.
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            result = run(settings) => result,
            _ = terminated.recv() => Err(bench_error("terminated")),
            _ = ctrl_c() => Err(bench_error("interrupted")),
        }
    })
}

async fn run(settings: &BenchSettings) -> BenchResult<()> {
    if settings.selects("ready") {
        sections::ready(settings).await?;
    }
    let mut rate = None;
    if settings.selects("lifecycle") {
        rate = Some(sections::lifecycles(settings).await?);
    }
    if settings.selects("ceilings") {
        baselines::commits(rate).await?;
    }
    if settings.selects("get") {
        baselines::gets(settings).await?;
    } else if settings.selects("ceilings") {
        baselines::bare(settings).await?;
    }
    if settings.selects("journal") {
        baselines::journal(settings).await?;
    }
    if settings.selects("dashboard") {
        dashboard::open_page(settings).await?;
    }
    if settings.selects("create") {
        orders::hundred_files(settings).await?;
    }
    if settings.selects("list") {
        orders::listing(settings).await?;
    }
    if settings.selects("detect") {
        documents::all(settings).await?;
    }
    if settings.selects("watermarks") {
        watermarks::large(settings).await?;
    }
    if settings.selects("advance") {
        state::advance(settings).await?;
    }
    if settings.selects("state") {
        state::snapshots(settings).await?;
    }
    if settings.selects("memory") {
        sections::memory(settings).await?;
    }
    Ok(())
}

impl BenchSettings {
    fn parse(arguments: Vec<String>) -> BenchResult<Self> {
        let mut settings = Self {
            clients: 32,
            counted: Duration::from_secs(10),
            only: Vec::new(),
            server: PathBuf::from(env!("CARGO_BIN_EXE_stuntdouble")),
            picture: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bench.jpg"),
        };
        let mut remaining = arguments.into_iter();
        while let Some(flag) = remaining.next() {
            if flag == "--bench" {
                // Added by cargo.
                continue;
            }
            let value = remaining
                .next()
                .ok_or_else(|| bench_error(format!("{flag}: unknown option or missing value")))?;
            match flag.as_str() {
                "--clients" => settings.clients = value.parse()?,
                "--seconds" => settings.counted = Duration::try_from_secs_f64(value.parse()?)?,
                "--server" => settings.server = PathBuf::from(value),
                "--only" if SECTIONS.contains(&value.as_str()) => settings.only.push(value),
                _ => {
                    return Err(bench_error(format!(
                        "{flag} {value}: unknown option or value"
                    )));
                }
            }
        }
        if settings.clients == 0 || settings.counted.is_zero() {
            return Err(bench_error(
                "--clients and --seconds: expected a positive number",
            ));
        }
        Ok(settings)
    }

    fn selects(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|selected| selected == section)
    }
}
