//! The server under load: the binary with a new data directory, the webhook receiver, and the
//! clients.

use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::client::{BenchClient, Timings};
use crate::picture::BenchPicture;
use crate::process::{ServerProcess, own_processor_time};
use crate::receiver::BenchReceiver;
use crate::{BenchResult, BenchSettings, bench_error};

/// Server, receiver and clients of a measurement. Fields are dropped in order: the server stops
/// before its data directory is deleted.
pub struct Harness {
    /// The server.
    pub server: ServerProcess,
    /// Idle clients.
    pub clients: Vec<BenchClient>,
    _receiver: BenchReceiver,
    _data_dir: TempDir,
}

/// Amount of load.
#[derive(Debug, Clone, Copy)]
pub enum Load {
    /// Load for a time. Lifecycles that end during the warm-up are not counted.
    For {
        /// Duration of the warm-up.
        warm_up: Duration,
        /// Duration of the measurement.
        counted: Duration,
    },
    /// Number of lifecycles of each client.
    Each(u32),
}

/// Result of a load.
pub struct LoadRun {
    /// The counted lifecycles.
    pub timings: Vec<Timings>,
    /// Duration of the measurement.
    pub counted: Duration,
    /// Processor time of the server, including the warm-up.
    pub server_time: Duration,
    /// Processor time of this process, including the warm-up.
    pub own_time: Duration,
    /// Number of lifecycles, including the warm-up.
    pub lifecycles: u32,
}

impl Harness {
    /// Starts the server and registers `clients` clients.
    pub async fn start(settings: &BenchSettings, clients: u32) -> BenchResult<Self> {
        Self::start_with(settings, clients, &[]).await
    }

    /// Starts the server with additional `arguments`, and registers `clients` clients.
    pub async fn start_with(
        settings: &BenchSettings,
        clients: u32,
        arguments: &[&str],
    ) -> BenchResult<Self> {
        let data_dir = tempfile::tempdir()?;
        let server = ServerProcess::stuntdouble_with(&settings.server, data_dir.path(), arguments)?;
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

    /// Runs `load` with all clients concurrently. The first error ends it.
    pub async fn run(&mut self, load: Load) -> BenchResult<LoadRun> {
        let server_before = self.server.processor_time()?;
        let own_before = own_processor_time()?;
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for client in self.clients.drain(..) {
            tasks.spawn(loop_lifecycles(client, load, start));
        }
        let mut timings = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            let result = joined?.map_err(|error| with_log(&error, &self.server))?;
            let (client, mut client_timings) = result;
            self.clients.push(client);
            timings.append(&mut client_timings);
        }
        let elapsed = start.elapsed();
        let lifecycles = u32::try_from(timings.len())?;
        let counted = match load {
            Load::Each(_) => elapsed,
            Load::For { warm_up, counted } => {
                let span = start + warm_up..start + warm_up + counted;
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
    start: Instant,
) -> BenchResult<(BenchClient, Vec<Timings>)> {
    let mut timings = Vec::new();
    loop {
        let is_over = match load {
            Load::For { warm_up, counted } => start.elapsed() >= warm_up + counted,
            Load::Each(lifecycles) => timings.len() >= usize::try_from(lifecycles)?,
        };
        if is_over {
            return Ok((client, timings));
        }
        timings.push(client.lifecycle().await?);
    }
}

/// Appends the last lines of the server's log to an error.
fn with_log(error: &crate::BenchError, server: &ServerProcess) -> crate::BenchError {
    bench_error(format!(
        "{error}\n  last lines of the server's log:\n{}",
        server.log()
    ))
}
