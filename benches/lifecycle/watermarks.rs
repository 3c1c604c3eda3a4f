//! What is measured of watermarks: how long a large picture takes to be marked and to be read,
//! and how the server's other answers fare meanwhile.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::calls::{data, expect_status, write_get, write_post, write_put_head};
use crate::client::order_path;
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchOutcome, BenchSettings, picture, usage_error};

const ROUNDS: u32 = 8;
/// Twelve megapixels.
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

/// Seconds from the upload's answer to the order's end, processing taking no time of its own,
/// and the milliseconds of a GET beside it.
pub async fn large(settings: &BenchSettings) -> BenchOutcome<()> {
    let picture = picture::textured(SIZE_PX)?;
    report::heading(format!(
        "watermarks: a JPEG of {} x {} px, {} bytes, {ROUNDS} times; a GET of another order beside",
        SIZE_PX.0,
        SIZE_PX.1,
        picture.len()
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut asking = WatermarkClient {
        connection: BenchConnection::open(server.address).await?,
        server: &server,
        request: Vec::new(),
    };
    asking.at_once().await?;
    let beside = asking.embed("beside", &picture).await?.0;
    let stop = Arc::new(AtomicBool::new(false));
    let mut request = Vec::new();
    write_get(&mut request, server.address, 0, &order_path(&beside))?;
    let gets = tokio::task::spawn_blocking({
        let (address, stop) = (server.address, Arc::clone(&stop));
        move || gets(address, &request, &stop)
    });
    let (mut embeds, mut extracts) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (id, took) = asking.embed(&round.to_string(), &picture).await?;
        embeds.push(took.as_secs_f64());
        let marked = asking.download(&id).await?;
        extracts.push(asking.extract(round, &marked).await?.as_secs_f64());
    }
    stop.store(true, Ordering::Relaxed);
    let mut gets = gets.await??;
    let target = Some(Threshold::Below(1.5));
    report::number("embed, median", report::median(&mut embeds), "s", target);
    report::number(
        "extract, median",
        report::median(&mut extracts),
        "s",
        target,
    );
    gets.sort_unstable();
    let p99 = gets.get(gets.len() * 99 / 100).copied().unwrap_or_default();
    let target = Some(Threshold::Below(20.0));
    report::number("GET beside, p99", report::milliseconds(p99), "ms", target);
    report::percentile_heads();
    report::percentiles(format!("GET beside, {} of them", gets.len()), &mut gets);
    Ok(())
}

/// Reads an order again and again, in a runtime of its own, until told to stop.
fn gets(
    address: std::net::SocketAddr,
    request: &[u8],
    stop: &AtomicBool,
) -> BenchOutcome<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut connection = BenchConnection::open(address).await?;
        let mut took = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let response = connection.exchange(request).await?;
            took.push(began.elapsed());
            expect_status("get", &response, &[200])?;
            tokio::time::sleep(POLL).await;
        }
        Ok(took)
    })
}

/// One client on one connection.
struct WatermarkClient<'s> {
    connection: BenchConnection,
    server: &'s ServerProcess,
    request: Vec<u8>,
}

impl WatermarkClient<'_> {
    /// Has the account's orders be due as soon as they start.
    async fn at_once(&mut self) -> BenchOutcome<()> {
        let body = r#"{"processing":{"delayMs":0}}"#;
        let host = self.server.address;
        let key = crate::calls::key(0);
        let length = body.len();
        let request = format!(
            "PUT /_mock/accounts/{key} HTTP/1.1\r\nhost: {host}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let response = self.connection.exchange(request.as_bytes()).await?;
        expect_status("set up", &response, &[200])
    }

    async fn embed(&mut self, key: &str, picture: &[u8]) -> BenchOutcome<(String, Duration)> {
        let marks = format!(r#"[{{"text":"{TEXT}"}}]"#);
        let file = format!(r#"{{"fileName":"large.jpg","watermarks":{marks}}}"#);
        let body = format!(r#"{{"idempotencyKey":"{key}","files":[{file}]}}"#);
        let path = "/api/v2/orders/wtr-embed";
        write_post(&mut self.request, self.server.address, 0, path, &body)?;
        let response = self.connection.exchange(&self.request).await?;
        let embedded: EmbedCreated = data("embed", &response)?;
        let file = embedded.files.first().ok_or("an embedding has its file")?;
        let (_, took) = self
            .run(&embedded.order_id, &file.upload_url, picture)
            .await?;
        Ok((embedded.order_id, took))
    }

    async fn extract(&mut self, round: u32, marked: &[u8]) -> BenchOutcome<Duration> {
        let body = format!(r#"{{"idempotencyKey":"{round}","file":{{"fileName":"large.jpg"}}}}"#);
        let path = "/api/v2/orders/wtr-extract";
        write_post(&mut self.request, self.server.address, 0, path, &body)?;
        let response = self.connection.exchange(&self.request).await?;
        let created: ExtractCreated = data("extract", &response)?;
        let url = created.file.upload_url;
        let (detail, took) = self.run(&created.order_id, &url, marked).await?;
        match detail.watermark_text.as_deref() {
            Some(TEXT) => Ok(took),
            other => Err(usage_error(format!("extract: found {other:?}"))),
        }
    }

    /// Uploads the file and waits for the order's end.
    async fn run(
        &mut self,
        id: &str,
        url: &str,
        bytes: &[u8],
    ) -> BenchOutcome<(WatermarkDetail, Duration)> {
        let length = u64::try_from(bytes.len())?;
        write_put_head(&mut self.request, self.server.address, url, length)?;
        self.connection.send(&self.request).await?;
        let response = self.connection.exchange(bytes).await?;
        expect_status("put", &response, &[200])?;
        let began = Instant::now();
        loop {
            let path = order_path(id);
            write_get(&mut self.request, self.server.address, 0, &path)?;
            let response = self.connection.exchange(&self.request).await?;
            let detail: WatermarkDetail = data("read", &response)?;
            match detail.status.as_str() {
                "inProgress" => tokio::time::sleep(POLL).await,
                "complete" => return Ok((detail, began.elapsed())),
                other => return Err(usage_error(format!("order {id} is {other}"))),
            }
        }
    }

    async fn download(&mut self, id: &str) -> BenchOutcome<Vec<u8>> {
        let path = format!("{}/download", order_path(id));
        write_get(&mut self.request, self.server.address, 0, &path)?;
        let response = self.connection.exchange(&self.request).await?;
        let download: DownloadView = data("download", &response)?;
        let origin = format!("http://{}", self.server.address);
        let path = download.download_url.replacen(&origin, "", 1);
        // A presigned URL takes no Authorization beside its signature.
        self.request.clear();
        let host = self.server.address;
        write!(self.request, "GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")?;
        let response = self.connection.exchange(&self.request).await?;
        expect_status("download", &response, &[200])?;
        Ok(response.body.to_vec())
    }
}
