//! What is measured of large orders and of many: an order of a hundred files, a list of a
//! hundred thousand orders.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::calls::{expect_status, write_get, write_post};
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchOutcome, BenchSettings, usage_error};

const FILES: usize = 100;
const CREATES: u32 = 300;
const LISTED: u32 = 100_000;
const MAKERS: u32 = 32;
const LISTS: u32 = 200;
const LISTING: &str = "/api/v2/orders?page=1&limit=10";

/// Milliseconds of `POST …/anti-ai` with a hundred files, one call after another.
pub async fn hundred_files(settings: &BenchSettings) -> BenchOutcome<()> {
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
        let began = Instant::now();
        let response = connection.exchange(&request).await?;
        samples.push(began.elapsed());
        expect_status("create", &response, &[200])?;
        let urls = count(response.body, b"\"uploadUrl\"");
        if urls != FILES {
            return Err(usage_error(format!("create: {urls} upload URLs")));
        }
    }
    print_samples("create of 100 files", &mut samples, 5.0);
    Ok(())
}

/// Milliseconds of the list's first page, in an account of a hundred thousand orders.
pub async fn listing(settings: &BenchSettings) -> BenchOutcome<()> {
    report::heading(format!(
        "list: {LISTING}, {LISTED} orders in the account, {LISTS} one after another"
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut makers = JoinSet::new();
    for maker in 0..MAKERS {
        makers.spawn(make(server.address, maker));
    }
    while let Some(created) = makers.join_next().await {
        created??;
    }
    let mut connection = BenchConnection::open(server.address).await?;
    for (what, query) in [
        ("page 1", ""),
        ("page 1 of those pending", "&status=pending"),
        ("page 1 of a keyword", "&keyword=ai_detection"),
        ("the last page", "&page=10000"),
    ] {
        let mut samples = Vec::new();
        let mut request = Vec::new();
        let path = format!("{LISTING}{query}");
        write_get(&mut request, server.address, 0, &path)?;
        for _ in 0..LISTS {
            let began = Instant::now();
            let response = connection.exchange(&request).await?;
            samples.push(began.elapsed());
            expect_status("list", &response, &[200])?;
            let (orders, total) = (count(response.body, b"\"orderId\""), LISTED.to_string());
            let counted = count(response.body, format!("\"totalItems\":{total},").as_bytes());
            if (orders, counted) != (10, 1) {
                return Err(usage_error(format!("list: {orders} orders on the page")));
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

/// Makes this maker's share of the orders, all in one account.
async fn make(address: SocketAddr, maker: u32) -> BenchOutcome<()> {
    let mut connection = BenchConnection::open(address).await?;
    let mut request = Vec::new();
    for number in 0..LISTED / MAKERS {
        let body = format!(r#"{{"idempotencyKey":"{maker}-{number}","fileName":"photo.jpg"}}"#);
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

/// How often `what` stands in `text`.
fn count(text: &[u8], what: &[u8]) -> usize {
    text.windows(what.len()).filter(|it| *it == what).count()
}

fn median_ms(samples: &[Duration]) -> f64 {
    let mut all: Vec<f64> = samples.iter().copied().map(report::milliseconds).collect();
    report::median(&mut all)
}

/// Median, with its target, and p99.
fn print_samples(what: &str, samples: &mut [Duration], target_ms: f64) {
    let target = Some(Threshold::Below(target_ms));
    report::number(what, median_ms(samples), "ms p50", target);
    report::percentile_heads();
    report::percentiles(what, samples);
}
