//! The server under load: the real binary on a new data directory, the receiver, the clients.

use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::client::{BenchClient, Timings};
use crate::picture::BenchPicture;
use crate::process::{ServerProcess, own_processor_time};
use crate::receiver::BenchReceiver;
use crate::{BenchOutcome, BenchSettings, usage_error};

/// All that one measurement runs on. The server goes before its data directory does.
pub struct Harness {
    /// The server.
    pub server: ServerProcess,
    /// The clients, none of them busy.
    pub clients: Vec<BenchClient>,
    _receiver: BenchReceiver,
    _data_dir: TempDir,
}

/// How much load.
#[derive(Debug, Clone, Copy)]
pub enum Load {
    /// For a time, of which the warm-up is not counted.
    For {
        /// How long before counting.
        warm_up: Duration,
        /// How long while counting.
        counted: Duration,
    },
    /// So many lifecycles of every client.
    Each(u32),
}

/// What came of a load.
pub struct LoadRun {
    /// The counted lifecycles.
    pub timings: Vec<Timings>,
    /// How long was counted.
    pub counted: Duration,
    /// The server's processor time in all, and how many lifecycles it was for.
    pub server_time: Duration,
    /// This bench's own processor time in all.
    pub own_time: Duration,
    /// All lifecycles, the warm-up's too.
    pub lifecycles: u32,
}

impl Harness {
    /// Starts the server and registers `clients` clients.
    pub async fn start(settings: &BenchSettings, clients: u32) -> BenchOutcome<Self> {
        Self::start_with(settings, clients, &[]).await
    }

    /// The same, the server having these arguments too.
    pub async fn start_with(
        settings: &BenchSettings,
        clients: u32,
        more: &[&str],
    ) -> BenchOutcome<Self> {
        let data_dir = tempfile::tempdir()?;
        let server = ServerProcess::stuntdouble_with(&settings.server, data_dir.path(), more)?;
        let picture = BenchPicture::load(&settings.picture)?;
        let (receiver, arrivals) = BenchReceiver::start(usize::try_from(clients)?).await?;
        let mut registered = Vec::new();
        for (number, arrivals) in (0..clients).zip(arrivals) {
            let hook = receiver.url(number);
            let client =
                BenchClient::register(number, server.address, &hook, arrivals, picture.clone())
                    .await;
            registered.push(client.map_err(|error| with_log(&error, &server))?);
        }
        Ok(Self {
            server,
            clients: registered,
            _receiver: receiver,
            _data_dir: data_dir,
        })
    }

    /// Puts `load` on the server with all clients at once; the first wrong answer ends it.
    pub async fn run(&mut self, load: Load) -> BenchOutcome<LoadRun> {
        let (server_before, own_before) = (self.server.processor_time()?, own_processor_time()?);
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for client in self.clients.drain(..) {
            tasks.spawn(loop_lifecycles(client, load, began));
        }
        let mut timings = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            let (client, mut done) = joined?.map_err(|error| with_log(&error, &self.server))?;
            self.clients.push(client);
            timings.append(&mut done);
        }
        let took = began.elapsed();
        let lifecycles = u32::try_from(timings.len())?;
        let counted = match load {
            Load::Each(_) => took,
            Load::For { warm_up, counted } => {
                let span = began + warm_up..began + warm_up + counted;
                timings.retain(|timing| span.contains(&timing.ended));
                counted
            }
        };
        Ok(LoadRun {
            timings,
            counted,
            server_time: self.server.processor_time()?.saturating_sub(server_before),
            own_time: own_processor_time()?.saturating_sub(own_before),
            lifecycles,
        })
    }
}

async fn loop_lifecycles(
    mut client: BenchClient,
    load: Load,
    began: Instant,
) -> BenchOutcome<(BenchClient, Vec<Timings>)> {
    let mut done = Vec::new();
    loop {
        let over = match load {
            Load::For { warm_up, counted } => began.elapsed() >= warm_up + counted,
            Load::Each(lifecycles) => done.len() >= usize::try_from(lifecycles)?,
        };
        if over {
            return Ok((client, done));
        }
        done.push(client.lifecycle().await?);
    }
}

/// The error, with what the server printed last.
fn with_log(error: &crate::BenchError, server: &ServerProcess) -> crate::BenchError {
    usage_error(format!(
        "{error}\n  the server's last lines:\n{}",
        server.log()
    ))
}
