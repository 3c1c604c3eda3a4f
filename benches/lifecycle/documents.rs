//! What is measured of Undetectable's documents: how long one takes until it is done, how long
//! fifty in a ZIP, and how fast `/query` answers.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::baselines::{CONNECTIONS, RepeatedRequest, beside_bare};
use crate::calls::{expect_status, key, write_post, write_put_head};
use crate::process::ServerProcess;
use crate::report::{self, Threshold};
use crate::wire::BenchConnection;
use crate::{BenchOutcome, BenchSettings, picture, usage_error};

/// One megapixel.
const SIZE_PX: (u32, u32) = (1_152, 868);
const ROUNDS: u32 = 40;
const ZIP_ROUNDS: u32 = 3;
const ZIP_IMAGES: usize = 50;
/// Until a heatmap and an analysis are ready, which take a time of their own.
const SETTLE: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_micros(500);

/// What `/get-presigned-url` answers, as far as the bench reads it.
#[derive(Deserialize)]
struct UploadTarget {
    presigned_url: String,
    file_path: String,
}

/// Milliseconds from a picture's `/detect` to the answer that says done, processing taking no
/// time of its own; seconds from a ZIP's `/bulk-upload` to the same; `/query` per second.
pub async fn all(settings: &BenchSettings) -> BenchOutcome<()> {
    let jpeg = picture::textured(SIZE_PX)?;
    report::heading(format!(
        "detect: a JPEG of {} x {} px, {} bytes, {ROUNDS} times; a ZIP of {ZIP_IMAGES} such",
        SIZE_PX.0,
        SIZE_PX.1,
        jpeg.len()
    ));
    let data_dir = tempfile::tempdir()?;
    let server = ServerProcess::stuntdouble(&settings.server, data_dir.path())?;
    let mut asking = DocumentClient {
        connection: BenchConnection::open(server.address).await?,
        server: &server,
        request: Vec::new(),
    };
    asking.at_once().await?;
    let path = asking.upload("one.jpg", &jpeg).await?;
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
        let mut took_ms = Vec::new();
        for _ in 0..ROUNDS {
            let (_, took) = asking.run("/detect", "/query", &path, fields).await?;
            took_ms.push(report::milliseconds(took));
        }
        let median = report::median(&mut took_ms);
        report::number(what, median, "ms", Some(Threshold::Below(below_ms)));
    }
    let path = asking.upload("all.zip", &zipped(&jpeg)?).await?;
    let mut took_s = Vec::new();
    for _ in 0..ZIP_ROUNDS {
        let (document, took) = asking
            .run("/bulk-upload", "/bulk-upload/query", &path, r#""_t":1"#)
            .await?;
        expect_items(&document)?;
        took_s.push(took.as_secs_f64());
    }
    let median = report::median(&mut took_s);
    let target = Some(Threshold::Below(3.0));
    report::number("a ZIP of 50 images, median", median, "s", target);
    queries(settings, asking).await
}

/// `POST /query` of finished documents and the bare handler, in turns.
async fn queries(settings: &BenchSettings, mut asking: DocumentClient<'_>) -> BenchOutcome<()> {
    let jpeg = picture::textured((256, 256))?;
    let path = asking.upload("one_ai.jpg", &jpeg).await?;
    let mut ids = Vec::new();
    for _ in 0..CONNECTIONS {
        let (document, _) = asking.run("/detect", "/query", &path, r#""_t":1"#).await?;
        ids.push(document["id"].as_str().unwrap_or_default().to_owned());
    }
    tokio::time::sleep(SETTLE).await;
    let mut questions = Vec::new();
    for id in ids {
        let answer_bytes = asking
            .post("/query", &format!(r#"{{"id":"{id}"}}"#))
            .await?;
        questions.push(RepeatedRequest {
            address: asking.server.address,
            request: asking.request.clone(),
            answer_bytes: answer_bytes.len(),
        });
    }
    beside_bare(settings, asking.server, "POST /query", &questions).await
}

/// A ZIP of so many of them, stored, for they are compressed as they are.
fn zipped(jpeg: &[u8]) -> BenchOutcome<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 0..ZIP_IMAGES {
        zip.start_file(format!("{number}.jpg"), options)?;
        zip.write_all(jpeg)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Every picture of a ZIP was judged.
fn expect_items(document: &Value) -> BenchOutcome<()> {
    let items = document["items"].as_array().map_or(&[][..], Vec::as_slice);
    let judged = items.iter().filter(|item| item["error"].is_null()).count();
    if judged == ZIP_IMAGES {
        return Ok(());
    }
    Err(usage_error(format!("bulk-upload: {judged} were judged")))
}

/// One client on one connection.
struct DocumentClient<'s> {
    connection: BenchConnection,
    server: &'s ServerProcess,
    /// The last that was sent by [`DocumentClient::post`].
    request: Vec<u8>,
}

impl DocumentClient<'_> {
    /// Has the account's documents be due as soon as they are asked for.
    async fn at_once(&mut self) -> BenchOutcome<()> {
        let body = r#"{"processing":{"delayMs":0}}"#;
        let (host, key, length) = (self.server.address, key(0), body.len());
        let request = format!(
            "PUT /_mock/accounts/{key} HTTP/1.1\r\nhost: {host}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let response = self.connection.exchange(request.as_bytes()).await?;
        expect_status("set up", &response, &[200])
    }

    /// Uploads a file: its path.
    async fn upload(&mut self, name: &str, bytes: &[u8]) -> BenchOutcome<String> {
        let (host, key) = (self.server.address, key(0));
        let request = format!(
            "GET /get-presigned-url?file_name={name} HTTP/1.1\r\nhost: {host}\r\n\
             apikey: {key}\r\n\r\n"
        );
        let response = self.connection.exchange(request.as_bytes()).await?;
        expect_status("presign", &response, &[200])?;
        let place: UploadTarget = serde_json::from_slice(response.body)?;
        let length = u64::try_from(bytes.len())?;
        write_put_head(&mut self.request, host, &place.presigned_url, length)?;
        self.connection.send(&self.request).await?;
        let response = self.connection.exchange(bytes).await?;
        expect_status("put", &response, &[200])?;
        Ok(place.file_path)
    }

    async fn post(&mut self, path: &str, body: &str) -> BenchOutcome<Vec<u8>> {
        write_post(&mut self.request, self.server.address, 0, path, body)?;
        let response = self.connection.exchange(&self.request).await?;
        expect_status(path, &response, &[200])?;
        Ok(response.body.to_vec())
    }

    /// Asks for a document and then how it stands, until it is done: that answer, and how long
    /// it took since it was asked for.
    async fn run(
        &mut self,
        ask: &str,
        query: &str,
        file_path: &str,
        fields: &str,
    ) -> BenchOutcome<(Value, Duration)> {
        let key = key(0);
        let body = format!(r#"{{"key":"{key}","url":"{file_path}",{fields}}}"#);
        let began = Instant::now();
        let created: Value = serde_json::from_slice(&self.post(ask, &body).await?)?;
        let question = format!(r#"{{"id":{}}}"#, created["id"]);
        loop {
            let document: Value = serde_json::from_slice(&self.post(query, &question).await?)?;
            match document["status"].as_str() {
                Some("pending" | "analyzing") => tokio::time::sleep(POLL).await,
                Some("done") => return Ok((document, began.elapsed())),
                _ => return Err(usage_error(format!("{query}: {document}"))),
            }
        }
    }
}
