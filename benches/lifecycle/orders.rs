//! Benchmarks of large and of many orders: creating an order of 100 files, and listing 100,000
//! orders.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::calls::{expect_status, write_get, write_post};
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchResult, BenchSettings, bench_error};

const FILES: usize = 100;
const CREATES: u32 = 300;
const LISTED: u32 = 100_000;
const CREATORS: u32 = 32;
const LISTS: u32 = 200;
const LISTING: &str = "/api/v2/orders?page=1&limit=10";

/// Measures `POST …/anti-ai` with 100 files in milliseconds, one call after another.
pub async fn hundred_files(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "create: an order of {FILES} files, {CREATES} one after another"
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut connection = BenchConnection::open(server.address).await?;
    let mut files = String::new();
    for file in 0..FILES {
        let comma = if file == 0 { "" } else { "," };
        write!(files, r#"{comma}{{"fileName":"photo-{file}.jpg"}}"#)?;
    }
    let mut samples = Vec::new();
    let mut request = Vec::new();
    for number in 0..CREATES {
        let body = format!(r#"{{"idempotencyKey":"{number}","files":[{files}]}}"#);
        let path = "/api/v2/orders/anti-ai";
        write_post(&mut request, server.address, 0, path, &body)?;
        let start = Instant::now();
        let response = connection.exchange(&request).await?;
        samples.push(start.elapsed());
        expect_status("create", &response, &[200])?;
        let urls = count(response.body, b"\"uploadUrl\"");
        if urls != FILES {
            return Err(bench_error(format!(
                "create: expected {FILES} upload URLs, got {urls}"
            )));
        }
    }
    print_samples("create of 100 files", &mut samples, 5.0);
    Ok(())
}

/// Measures the list's pages in milliseconds, in an account of 100,000 orders.
pub async fn listing(settings: &BenchSettings) -> BenchResult<()> {
    report::heading(format!(
        "list: {LISTING}, {LISTED} orders in the account, {LISTS} one after another"
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut creators = JoinSet::new();
    for creator in 0..CREATORS {
        creators.spawn(create_share(server.address, creator));
    }
    while let Some(created) = creators.join_next().await {
        created??;
    }
    let mut connection = BenchConnection::open(server.address).await?;
    for (what, query) in [
        ("page 1", ""),
        ("page 1 of pending orders", "&status=pending"),
        ("page 1 of a keyword", "&keyword=ai_detection"),
        ("the last page", "&page=10000"),
    ] {
        let mut samples = Vec::new();
        let mut request = Vec::new();
        let path = format!("{LISTING}{query}");
        write_get(&mut request, server.address, 0, &path)?;
        for _ in 0..LISTS {
            let start = Instant::now();
            let response = connection.exchange(&request).await?;
            samples.push(start.elapsed());
            expect_status("list", &response, &[200])?;
            let orders = count(response.body, b"\"orderId\"");
            let total = format!("\"totalItems\":{LISTED},");
            if (orders, count(response.body, total.as_bytes())) != (10, 1) {
                return Err(bench_error(format!(
                    "list: expected 10 of {LISTED} orders, got {orders}"
                )));
            }
        }
        if query.is_empty() {
            print_samples(what, &mut samples, 5.0);
        } else {
            report::number(what, median_ms(&samples), "ms p50", None);
        }
    }
    Ok(())
}

/// Creates one creator's share of the orders, all in one account.
async fn create_share(address: SocketAddr, creator: u32) -> BenchResult<()> {
    let mut connection = BenchConnection::open(address).await?;
    let mut request = Vec::new();
    for number in 0..LISTED / CREATORS {
        let body = format!(r#"{{"idempotencyKey":"{creator}-{number}","fileName":"photo.jpg"}}"#);
        write_post(
            &mut request,
            address,
            0,
            "/api/v2/orders/ai-detection",
            &body,
        )?;
        let response = connection.exchange(&request).await?;
        expect_status("create", &response, &[200])?;
    }
    Ok(())
}

/// Returns the number of occurrences of `needle`.
fn count(text: &[u8], needle: &[u8]) -> usize {
    text.windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}

fn median_ms(samples: &[Duration]) -> f64 {
    let mut all: Vec<f64> = samples.iter().copied().map(report::milliseconds).collect();
    report::median(&mut all)
}

/// Prints the median with its target, and the 99th percentile.
fn print_samples(what: &str, samples: &mut [Duration], target_ms: f64) {
    let target = Some(Threshold::Below(target_ms));
    report::number(what, median_ms(samples), "ms p50", target);
    report::percentile_header();
    report::percentiles(what, samples);
}
