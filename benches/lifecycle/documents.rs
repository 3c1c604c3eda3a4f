//! Benchmarks of Undetectable's documents: the time until one document is done, the time until
//! fifty in a ZIP are done, and the rate of `/query`.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::baselines::{CONNECTIONS, RepeatedRequest, compare_to_bare};
use crate::calls::{disable_processing_delay, expect_status, key, write_post, write_put_head};
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchResult, BenchSettings, bench_error, picture};

/// One megapixel.
const SIZE_PX: (u32, u32) = (1_152, 868);
const ROUNDS: u32 = 40;
const ZIP_ROUNDS: u32 = 3;
const ZIP_IMAGES: usize = 50;
/// Time after which heatmaps and analyses, which are processed later, are ready.
const SETTLE: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_micros(500);

/// Response of `/get-presigned-url`, as far as it is used.
#[derive(Deserialize)]
struct UploadTarget {
    presigned_url: String,
    file_path: String,
}

/// Measures milliseconds from `/detect` to the response with status done, without processing delay,
/// seconds from `/bulk-upload` to the same, and `/query` requests per second.
pub async fn all(settings: &BenchSettings) -> BenchResult<()> {
    let jpeg = picture::textured(SIZE_PX)?;
    report::heading(format!(
        "detect: a JPEG of {} x {} px, {} bytes, {ROUNDS} times; a ZIP of {ZIP_IMAGES} of it",
        SIZE_PX.0,
        SIZE_PX.1,
        jpeg.len()
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut client = DocumentClient {
        connection: BenchConnection::open(server.address).await?,
        server: &server,
        request: Vec::new(),
    };
    disable_processing_delay(&mut client.connection, server.address).await?;
    let path = client.upload("one.jpg", &jpeg).await?;
    for (what, fields, below_ms) in [
        (
            "detect → done, median",
            r#""generate_heatmap":false,"generate_analysis_details":false"#,
            10.0,
        ),
        (
            "the same with heatmap, analysis, preview",
            r#""generate_preview":true,"generate_analysis_details":true"#,
            60.0,
        ),
    ] {
        let mut times_ms = Vec::new();
        for _ in 0..ROUNDS {
            let (_, elapsed) = client.run("/detect", "/query", &path, fields).await?;
            times_ms.push(report::milliseconds(elapsed));
        }
        let median = report::median(&mut times_ms);
        report::number(what, median, "ms", Some(Threshold::Below(below_ms)));
    }
    let zip_path = client.upload("all.zip", &zip_of_copies(&jpeg)?).await?;
    let mut times_s = Vec::new();
    for _ in 0..ZIP_ROUNDS {
        let (document, elapsed) = client
            .run("/bulk-upload", "/bulk-upload/query", &zip_path, r#""_t":1"#)
            .await?;
        expect_items(&document)?;
        times_s.push(elapsed.as_secs_f64());
    }
    let median = report::median(&mut times_s);
    let target = Some(Threshold::Below(3.0));
    report::number("a ZIP of 50 images, median", median, "s", target);
    queries(settings, client).await
}

/// Measures `POST /query` of finished documents against the bare handler.
async fn queries(settings: &BenchSettings, mut client: DocumentClient<'_>) -> BenchResult<()> {
    let jpeg = picture::textured((256, 256))?;
    let path = client.upload("one_ai.jpg", &jpeg).await?;
    let mut ids = Vec::new();
    for _ in 0..CONNECTIONS {
        let (document, _) = client.run("/detect", "/query", &path, r#""_t":1"#).await?;
        ids.push(document["id"].as_str().unwrap_or_default().to_owned());
    }
    tokio::time::sleep(SETTLE).await;
    let mut requests = Vec::new();
    for id in ids {
        let response = client
            .post("/query", &format!(r#"{{"id":"{id}"}}"#))
            .await?;
        requests.push(RepeatedRequest {
            address: client.server.address,
            request: client.request.clone(),
            response_bytes: response.len(),
        });
    }
    compare_to_bare(settings, client.server, "POST /query", &requests).await
}

/// Returns a ZIP of [`ZIP_IMAGES`] copies of `jpeg`, which are stored because a JPEG is compressed.
fn zip_of_copies(jpeg: &[u8]) -> BenchResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 0..ZIP_IMAGES {
        zip.start_file(format!("{number}.jpg"), options)?;
        zip.write_all(jpeg)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Returns an error unless every image of the ZIP has a verdict.
fn expect_items(document: &Value) -> BenchResult<()> {
    let items = document["items"].as_array().map_or(&[][..], Vec::as_slice);
    let count = items.iter().filter(|item| item["error"].is_null()).count();
    if count == ZIP_IMAGES {
        return Ok(());
    }
    Err(bench_error(format!(
        "bulk-upload: expected {ZIP_IMAGES} images with a verdict, got {count}"
    )))
}

/// A client with one connection.
struct DocumentClient<'s> {
    connection: BenchConnection,
    server: &'s ServerProcess,
    /// Latest request of [`DocumentClient::post`].
    request: Vec<u8>,
}

impl DocumentClient<'_> {
    /// Uploads a file, and returns its path.
    async fn upload(&mut self, name: &str, bytes: &[u8]) -> BenchResult<String> {
        let (host, key) = (self.server.address, key(0));
        let request = format!(
            "GET /get-presigned-url?file_name={name} HTTP/1.1\r\nhost: {host}\r\n\
             apikey: {key}\r\n\r\n"
        );
        let presign_response = self.connection.exchange(request.as_bytes()).await?;
        expect_status("presign", &presign_response, &[200])?;
        let target: UploadTarget = serde_json::from_slice(presign_response.body)?;
        let length = u64::try_from(bytes.len())?;
        write_put_head(&mut self.request, host, &target.presigned_url, length)?;
        self.connection.send(&self.request).await?;
        let put_response = self.connection.exchange(bytes).await?;
        expect_status("put", &put_response, &[200])?;
        Ok(target.file_path)
    }

    async fn post(&mut self, path: &str, body: &str) -> BenchResult<Vec<u8>> {
        write_post(&mut self.request, self.server.address, 0, path, body)?;
        let response = self.connection.exchange(&self.request).await?;
        expect_status(path, &response, &[200])?;
        Ok(response.body.to_vec())
    }

    /// Creates a document and polls it until it is done. Returns the document and the time from the
    /// start of the call.
    async fn run(
        &mut self,
        create_path: &str,
        query_path: &str,
        file_path: &str,
        fields: &str,
    ) -> BenchResult<(Value, Duration)> {
        let key = key(0);
        let body = format!(r#"{{"key":"{key}","url":"{file_path}",{fields}}}"#);
        let start = Instant::now();
        let created: Value = serde_json::from_slice(&self.post(create_path, &body).await?)?;
        let query = format!(r#"{{"id":{}}}"#, created["id"]);
        loop {
            let document: Value = serde_json::from_slice(&self.post(query_path, &query).await?)?;
            match document["status"].as_str() {
                Some("pending" | "analyzing") => tokio::time::sleep(POLL).await,
                Some("done") => return Ok((document, start.elapsed())),
                _ => return Err(bench_error(format!("{query_path}: {document}"))),
            }
        }
    }
}
