//! Benchmarks of watermarks: the time to embed and to extract texts of a large picture, and the
//! latency of other requests during that time.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::calls::{
    data, disable_processing_delay, expect_status, write_get, write_post, write_put_head,
};
use crate::client::order_path;
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchResult, BenchSettings, bench_error, picture};

const ROUNDS: u32 = 8;
/// 12 megapixels.
const SIZE_PX: (u32, u32) = (4_000, 3_000);
const POLL: Duration = Duration::from_millis(2);
const TEXT: &str = "a watermark of the bench";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmbedCreated {
    order_id: String,
    files: Vec<UploadUrlView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExtractCreated {
    order_id: String,
    file: UploadUrlView,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UploadUrlView {
    upload_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WatermarkDetail {
    status: String,
    watermark_text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DownloadView {
    download_url: String,
}

/// Measures seconds from the response of the upload to the end of the order, without processing
/// delay, and milliseconds of concurrent GETs.
pub async fn large(settings: &BenchSettings) -> BenchResult<()> {
    let picture = picture::textured(SIZE_PX)?;
    report::heading(format!(
        "watermarks: a JPEG of {} x {} px, {} bytes, {ROUNDS} times; concurrent GETs of another order",
        SIZE_PX.0,
        SIZE_PX.1,
        picture.len()
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut client = WatermarkClient {
        connection: BenchConnection::open(server.address).await?,
        server: &server,
        request: Vec::new(),
    };
    disable_processing_delay(&mut client.connection, server.address).await?;
    let other_order = client.embed("other", &picture).await?.0;
    let stop = Arc::new(AtomicBool::new(false));
    let mut request = Vec::new();
    write_get(&mut request, server.address, 0, &order_path(&other_order))?;
    let reader = tokio::task::spawn_blocking({
        let (address, stop) = (server.address, Arc::clone(&stop));
        move || read_until_stopped(address, &request, &stop)
    });
    let (mut embeds, mut extracts) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (id, elapsed) = client.embed(&round.to_string(), &picture).await?;
        embeds.push(elapsed.as_secs_f64());
        let output = client.download(&id).await?;
        extracts.push(client.extract(round, &output).await?.as_secs_f64());
    }
    stop.store(true, Ordering::Relaxed);
    let mut gets = reader.await??;
    let seconds_target = Some(Threshold::Below(1.5));
    report::number(
        "embed, median",
        report::median(&mut embeds),
        "s",
        seconds_target,
    );
    report::number(
        "extract, median",
        report::median(&mut extracts),
        "s",
        seconds_target,
    );
    gets.sort_unstable();
    let p99 = gets.get(gets.len() * 99 / 100).copied().unwrap_or_default();
    let get_target = Some(Threshold::Below(20.0));
    report::number(
        "concurrent GET, p99",
        report::milliseconds(p99),
        "ms",
        get_target,
    );
    report::percentile_header();
    report::percentiles(format!("{} concurrent GETs", gets.len()), &mut gets);
    Ok(())
}

/// Reads an order repeatedly, in a runtime of this thread, until `stop` is set.
fn read_until_stopped(
    address: std::net::SocketAddr,
    request: &[u8],
    stop: &AtomicBool,
) -> BenchResult<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut connection = BenchConnection::open(address).await?;
        let mut samples = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            let response = connection.exchange(request).await?;
            samples.push(start.elapsed());
            expect_status("get", &response, &[200])?;
            tokio::time::sleep(POLL).await;
        }
        Ok(samples)
    })
}

/// A client with one connection.
struct WatermarkClient<'s> {
    connection: BenchConnection,
    server: &'s ServerProcess,
    request: Vec<u8>,
}

impl WatermarkClient<'_> {
    async fn embed(&mut self, key: &str, picture: &[u8]) -> BenchResult<(String, Duration)> {
        let watermarks = format!(r#"[{{"text":"{TEXT}"}}]"#);
        let file_json = format!(r#"{{"fileName":"large.jpg","watermarks":{watermarks}}}"#);
        let body = format!(r#"{{"idempotencyKey":"{key}","files":[{file_json}]}}"#);
        let path = "/api/v2/orders/wtr-embed";
        write_post(&mut self.request, self.server.address, 0, path, &body)?;
        let response = self.connection.exchange(&self.request).await?;
        let created: EmbedCreated = data("embed", &response)?;
        let file = created
            .files
            .first()
            .ok_or("expected a file in the order")?;
        let (_, elapsed) = self
            .run(&created.order_id, &file.upload_url, picture)
            .await?;
        Ok((created.order_id, elapsed))
    }

    async fn extract(&mut self, round: u32, picture: &[u8]) -> BenchResult<Duration> {
        let body = format!(r#"{{"idempotencyKey":"{round}","file":{{"fileName":"large.jpg"}}}}"#);
        let path = "/api/v2/orders/wtr-extract";
        write_post(&mut self.request, self.server.address, 0, path, &body)?;
        let response = self.connection.exchange(&self.request).await?;
        let created: ExtractCreated = data("extract", &response)?;
        let url = created.file.upload_url;
        let (detail, elapsed) = self.run(&created.order_id, &url, picture).await?;
        match detail.watermark_text.as_deref() {
            Some(TEXT) => Ok(elapsed),
            other => Err(bench_error(format!(
                "extract: expected {TEXT:?}, got {other:?}"
            ))),
        }
    }

    /// Uploads the file and polls the order until it is complete. Returns the order's detail and
    /// the time since the upload.
    async fn run(
        &mut self,
        id: &str,
        url: &str,
        bytes: &[u8],
    ) -> BenchResult<(WatermarkDetail, Duration)> {
        let length = u64::try_from(bytes.len())?;
        write_put_head(&mut self.request, self.server.address, url, length)?;
        self.connection.send(&self.request).await?;
        let put_response = self.connection.exchange(bytes).await?;
        expect_status("put", &put_response, &[200])?;
        let start = Instant::now();
        loop {
            let path = order_path(id);
            write_get(&mut self.request, self.server.address, 0, &path)?;
            let response = self.connection.exchange(&self.request).await?;
            let detail: WatermarkDetail = data("read", &response)?;
            match detail.status.as_str() {
                "inProgress" => tokio::time::sleep(POLL).await,
                "complete" => return Ok((detail, start.elapsed())),
                other => return Err(bench_error(format!("order {id} is {other}"))),
            }
        }
    }

    async fn download(&mut self, id: &str) -> BenchResult<Vec<u8>> {
        let detail_path = format!("{}/download", order_path(id));
        write_get(&mut self.request, self.server.address, 0, &detail_path)?;
        let url_response = self.connection.exchange(&self.request).await?;
        let download: DownloadView = data("download", &url_response)?;
        let origin = format!("http://{}", self.server.address);
        let path = download.download_url.replacen(&origin, "", 1);
        // A presigned URL must be used without an Authorization header.
        self.request.clear();
        let host = self.server.address;
        write!(self.request, "GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")?;
        let response = self.connection.exchange(&self.request).await?;
        expect_status("download", &response, &[200])?;
        Ok(response.body.to_vec())
    }
}
