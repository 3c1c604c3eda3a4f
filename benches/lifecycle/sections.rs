//! Benchmarks of the server: start time, lifecycles, memory.

use std::time::Duration;

use crate::calls::expect_status;
use crate::client::Timings;
use crate::harness::{Harness, Load};
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchResult, BenchSettings};

const WARM_UP: Duration = Duration::from_secs(2);
const STARTS: u32 = 20;
const ROUNDS: u32 = 4;
const ROUND_LIFECYCLES: u32 = 3200;
/// Pause after which the server's memory is read.
const SETTLE: Duration = Duration::from_millis(500);
const UPLOAD_CHUNKS: u32 = 1600;

/// Measures the time from exec to the first 200 of `/_mock/health` in milliseconds, each time with
/// an empty data directory. The request is sent after the start line.
pub async fn ready(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "ready: exec to the first 200 of /_mock/health, {STARTS} starts, each with an empty directory"
    ));
    let mut starts_ms = Vec::new();
    for _ in 0..STARTS {
        let data_dir = tempfile::tempdir()?;
        let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
        let mut connection = BenchConnection::open(server.address).await?;
        let request = format!(
            "GET /_mock/health HTTP/1.1\r\nhost: {}\r\n\r\n",
            server.address
        );
        let response = connection.exchange(request.as_bytes()).await?;
        starts_ms.push(report::milliseconds(server.executed_at.elapsed()));
        expect_status("health", &response, &[200])?;
    }
    let median_ms = report::median(&mut starts_ms);
    report::number("median", median_ms, "ms", Some(Threshold::AtMost(15.0)));
    let min_ms = starts_ms.iter().copied().fold(f64::INFINITY, f64::min);
    let max_ms = starts_ms.iter().copied().fold(0.0, f64::max);
    report::number("min", min_ms, "ms", None);
    report::number("max", max_ms, "ms", None);
    Ok(())
}

/// Measures lifecycles per second and the milliseconds of their parts. Each client has one order in
/// progress. Returns the rate.
pub async fn lifecycles(settings: &BenchSettings) -> BenchResult<f64> {
    report::heading(format!(
        "lifecycle: create, put 64 KiB, confirm, webhook, get; {} clients, {} s after {} s of warm-up",
        settings.clients,
        settings.counted.as_secs_f64(),
        WARM_UP.as_secs()
    ));
    let mut harness = Harness::start(settings, settings.clients).await?;
    let load = Load::For {
        warm_up: WARM_UP,
        counted: settings.counted,
    };
    let mut run = harness.run(load).await?;
    let rate = report::per_second(u32::try_from(run.timings.len())?, run.counted);
    let target = Some(Threshold::AtLeast(1000.0));
    report::number("lifecycles per second", rate, "/s", target);
    let lifecycles = run.lifecycles.max(1);
    for (process, time) in [("server", run.server_time), ("bench", run.own_time)] {
        let what = format!("processor time per lifecycle, {process}");
        report::number(what, report::milliseconds(time / lifecycles), "ms", None);
    }
    let memory = harness.server.memory()?;
    report::megabytes("peak memory of the server", memory.peak_bytes, None);
    percentiles(&mut run.timings);
    Ok(rate)
}

fn percentiles(timings: &mut [Timings]) {
    type Part = fn(&Timings) -> Duration;
    let parts: [(&str, Part); 6] = [
        ("create", |timing| timing.create),
        ("put", |timing| timing.put),
        ("confirm", |timing| timing.confirm),
        ("complete (confirm response → webhook)", |timing| {
            timing.complete
        }),
        ("get", |timing| timing.get),
        ("whole lifecycle", |timing| timing.whole),
    ];
    report::percentile_header();
    for (what, part) in parts {
        let mut samples: Vec<Duration> = timings.iter().map(part).collect();
        report::percentiles(what, &mut samples);
    }
}

/// Measures resident memory in MB (10⁶ bytes): idle, after equal rounds of lifecycles (finished
/// orders must not add to it), and the growth by an upload of 100 MiB.
pub async fn memory(settings: &BenchSettings) -> BenchResult<()> {
    let each = (ROUND_LIFECYCLES / settings.clients).max(1);
    report::heading(format!(
        "memory: resident, in rounds of {} lifecycles of {} clients",
        each * settings.clients,
        settings.clients
    ));
    let mut harness = Harness::start(settings, 0).await?;
    tokio::time::sleep(SETTLE).await;
    let idle_bytes = harness.server.memory()?.resident_bytes;
    report::megabytes("idle", idle_bytes, Some(Threshold::AtMost(12.0)));
    drop(harness);

    harness = Harness::start(settings, settings.clients).await?;
    for round in 1..=ROUNDS {
        harness.run(Load::Each(each)).await?;
        tokio::time::sleep(SETTLE).await;
        let resident_bytes = harness.server.memory()?.resident_bytes;
        report::megabytes(format!("after round {round}"), resident_bytes, None);
    }
    let peak_bytes = harness.server.memory()?.peak_bytes;
    report::megabytes("peak of all rounds", peak_bytes, None);
    drop(harness);
    big_upload(settings).await
}

/// Measures the growth of a server that has served one lifecycle by an upload of 100 MiB: the peak,
/// or the highest sample, minus the resident memory before.
async fn big_upload(settings: &BenchSettings) -> BenchResult<()> {
    let mut harness = Harness::start(settings, 1).await?;
    harness.run(Load::Each(1)).await?;
    tokio::time::sleep(SETTLE).await;
    let Harness {
        server, clients, ..
    } = &mut harness;
    let client = clients.first_mut().ok_or("expected one client")?;
    let upload_url = client.create("big.jpg").await?;
    let is_peak_reset = server.reset_peak();
    let before_bytes = server.memory()?.resident_bytes;
    let mut max_bytes = before_bytes;
    let sample = || {
        max_bytes = max_bytes.max(server.memory()?.resident_bytes);
        Ok(())
    };
    let start = std::time::Instant::now();
    client
        .upload_blob(&upload_url, UPLOAD_CHUNKS, sample)
        .await?;
    let elapsed = start.elapsed();
    let after = server.memory()?;
    if is_peak_reset {
        max_bytes = max_bytes.max(after.peak_bytes);
    }
    let added_bytes = max_bytes.saturating_sub(before_bytes);
    let target = Some(Threshold::Below(16.0));
    report::megabytes("added by an upload of 100 MiB", added_bytes, target);
    let speed = report::per_second(UPLOAD_CHUNKS / 16, elapsed);
    report::number("speed of that upload", speed, "MiB/s", None);
    Ok(())
}
