//! The bench: the release binary of stuntdouble, measured from outside over loopback HTTP.
//!
//! `cargo bench --bench lifecycle` runs all sections; `… -- --only get` one of them:
//!
//! | section | what is measured | unit |
//! |---|---|---|
//! | `ready` | exec to the first 200 on `/_mock/health`, on an empty directory | ms |
//! | `lifecycle` | create, put 64 KiB, confirm, webhook, get: rate, and p50 and p99 of each | /s, ms |
//! | `ceilings` | commits of one row each; a bare axum handler | /s |
//! | `get` | reading a finished order beside a bare axum handler, in turns | /s, ratio |
//! | `journal` | reading a finished order with a journal kept and without, in turns | /s, ratio |
//! | `create` | an order of 100 files | ms |
//! | `list` | the first page of 100,000 orders | ms |
//! | `detect` | Undetectable: detect to done, a ZIP of 50 images, `/query` beside a bare axum handler | ms, s, ratio |
//! | `watermarks` | embed and extract of a 12-megapixel JPEG, a GET beside | s, ms |
//! | `advance` | a clock advanced over 10,000 jobs that are due | /s |
//! | `state` | a snapshot, a reset and a restore of an account with 1,000 orders | ms |
//! | `memory` | resident: idle, after equal rounds, added by an upload of 100 MiB | MB (10⁶ bytes) |
//!
//! Every answer is checked: a wrong one ends the bench with exit code 1. A missed target is
//! printed and ends nothing, machines being noisy. Server and client share the machine: the
//! client has a runtime of one thread, and the receiver of the webhooks lives in it too; only
//! `get` and `ceilings` ask from a thread per processor.

#[path = "lifecycle/baselines.rs"]
mod baselines;
#[path = "lifecycle/calls.rs"]
mod calls;
#[path = "lifecycle/client.rs"]
mod client;
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

  --clients N       clients at once, each with an account of its own (32)
  --seconds S       how long lifecycles are counted, after 2 s of warm-up (10)
  --only SECTION    ready, lifecycle, ceilings, get, journal, create, list, detect,
                    watermarks, advance, state or memory; may be repeated (all)
  --server PATH     another binary than the one built with this bench";

/// The first argument of the process that is the bare handler; the body's length follows.
const BARE_HANDLER: &str = "--bare-handler";
const SECTIONS: [&str; 12] = [
    "ready",
    "lifecycle",
    "ceilings",
    "get",
    "journal",
    "create",
    "list",
    "detect",
    "watermarks",
    "advance",
    "state",
    "memory",
];

/// What went wrong, for a person to read.
type BenchError = Box<dyn Error + Send + Sync>;
type BenchOutcome<T> = Result<T, BenchError>;

/// What the arguments settle.
struct BenchSettings {
    /// How many clients the lifecycle and memory sections have.
    clients: u32,
    /// How long lifecycles are counted; the other sections' times follow from it.
    counted: Duration,
    /// The sections to run; none named, all.
    only: Vec<String>,
    /// The server's binary.
    server: PathBuf,
    /// The picture to upload, if there is such a file.
    picture: PathBuf,
}

fn usage_error(why: impl Into<String>) -> BenchError {
    BenchError::from(why.into())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = if arguments.first().is_some_and(|first| first == BARE_HANDLER) {
        bare_handler(arguments.get(1))
    } else {
        match BenchSettings::parse(arguments) {
            Ok(settings) => bench(&settings),
            Err(error) => {
                eprintln!("{error}\n\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nwrong: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The bare handler has the runtime that the server has: a thread for every processor.
fn bare_handler(body_bytes: Option<&String>) -> BenchOutcome<()> {
    let body_bytes = body_bytes.map_or(Ok(0), |text| text.parse())?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(baselines::serve_bare(body_bytes))
}

fn bench(settings: &BenchSettings) -> BenchOutcome<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // A signal ends the bench by the same way as an error, which kills the server.
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            done = run(settings) => done,
            _ = terminated.recv() => Err(usage_error("terminated")),
            _ = ctrl_c() => Err(usage_error("interrupted")),
        }
    })
}

async fn run(settings: &BenchSettings) -> BenchOutcome<()> {
    if settings.wants("ready") {
        sections::ready(settings).await?;
    }
    let mut rate = None;
    if settings.wants("lifecycle") {
        rate = Some(sections::lifecycles(settings).await?);
    }
    if settings.wants("ceilings") {
        baselines::commits(rate).await?;
    }
    if settings.wants("get") {
        baselines::gets(settings).await?;
    } else if settings.wants("ceilings") {
        baselines::bare(settings).await?;
    }
    if settings.wants("journal") {
        baselines::journal(settings).await?;
    }
    if settings.wants("create") {
        orders::hundred_files(settings).await?;
    }
    if settings.wants("list") {
        orders::listing(settings).await?;
    }
    if settings.wants("detect") {
        documents::all(settings).await?;
    }
    if settings.wants("watermarks") {
        watermarks::large(settings).await?;
    }
    if settings.wants("advance") {
        state::advance(settings).await?;
    }
    if settings.wants("state") {
        state::keep(settings).await?;
    }
    if settings.wants("memory") {
        sections::memory(settings).await?;
    }
    Ok(())
}

impl BenchSettings {
    fn parse(arguments: Vec<String>) -> BenchOutcome<Self> {
        let mut settings = Self {
            clients: 32,
            counted: Duration::from_secs(10),
            only: Vec::new(),
            server: PathBuf::from(env!("CARGO_BIN_EXE_stuntdouble")),
            picture: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bench.jpg"),
        };
        let mut arguments = arguments.into_iter();
        while let Some(flag) = arguments.next() {
            if flag == "--bench" {
                // cargo's own
                continue;
            }
            let value = arguments
                .next()
                .ok_or_else(|| usage_error(format!("{flag} is unknown or lacks its value")))?;
            match flag.as_str() {
                "--clients" => settings.clients = value.parse()?,
                "--seconds" => settings.counted = Duration::try_from_secs_f64(value.parse()?)?,
                "--server" => settings.server = PathBuf::from(value),
                "--only" if SECTIONS.contains(&value.as_str()) => settings.only.push(value),
                _ => return Err(usage_error(format!("{flag} {value} is unknown"))),
            }
        }
        if settings.clients == 0 || settings.counted.is_zero() {
            return Err(usage_error("--clients and --seconds are at least 1"));
        }
        Ok(settings)
    }

    fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == section)
    }
}
