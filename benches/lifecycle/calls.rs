//! Requests to the server, and checks of its responses, shared by all sections.

use std::io::Write;
use std::net::SocketAddr;

use serde::Deserialize;

use crate::wire::{BenchConnection, WireMessage};
use crate::{BenchResult, bench_error};

#[derive(Deserialize)]
struct DataResponse<T> {
    data: T,
}

/// Response of `create`, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedData {
    /// Id of the order.
    pub order_id: String,
    /// The order's only file.
    pub file: CreatedFile,
}

/// A file that waits for its upload.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedFile {
    /// Presigned URL for the upload.
    pub upload_url: String,
}

/// Response of `confirm` and of an order's detail, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderStatusView {
    order_id: String,
    status: String,
}

/// Returns the live API key of a client.
pub fn key(client: u32) -> String {
    format!("live-{client}")
}

/// Replaces `request` with a client's GET request.
pub fn write_get(
    request: &mut Vec<u8>,
    host: SocketAddr,
    client: u32,
    path: &str,
) -> BenchResult<()> {
    let key = key(client);
    request.clear();
    write!(
        request,
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\r\n"
    )?;
    Ok(())
}

/// Replaces `request` with a client's POST request with a JSON body.
pub fn write_post(
    request: &mut Vec<u8>,
    host: SocketAddr,
    client: u32,
    path: &str,
    body: &str,
) -> BenchResult<()> {
    let (key, length) = (key(client), body.len());
    request.clear();
    write!(
        request,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    Ok(())
}

/// Replaces `request` with the header of an upload of `length` bytes.
pub fn write_put_head(
    request: &mut Vec<u8>,
    host: SocketAddr,
    upload_url: &str,
    length: u64,
) -> BenchResult<()> {
    let path = path_on(upload_url, host)?;
    request.clear();
    write!(
        request,
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: image/jpeg\r\n\
         content-length: {length}\r\n\r\n"
    )?;
    Ok(())
}

/// Returns an error unless the response status is one of `statuses`.
pub fn expect_status(what: &str, response: &WireMessage<'_>, statuses: &[u16]) -> BenchResult<()> {
    let status = response.status()?;
    if statuses.contains(&status) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(response.body);
    Err(bench_error(format!("{what}: {status} {body}")))
}

/// Returns the `data` of a response with status 200. Anything else is an error.
pub fn data<'a, T: Deserialize<'a>>(what: &str, response: &'a WireMessage<'_>) -> BenchResult<T> {
    expect_status(what, response, &[200])?;
    let parsed: DataResponse<T> = serde_json::from_slice(response.body).map_err(|error| {
        let body = String::from_utf8_lossy(response.body);
        bench_error(format!("{what}: {error} in {body}"))
    })?;
    Ok(parsed.data)
}

/// Returns an error unless the response describes `order_id` with `status`.
pub fn expect_order(
    what: &str,
    response: &WireMessage<'_>,
    order_id: &str,
    status: &str,
) -> BenchResult<()> {
    let order: OrderStatusView = data(what, response)?;
    if order.order_id == order_id && order.status == status {
        return Ok(());
    }
    let (actual_id, actual_status) = (order.order_id, order.status);
    Err(bench_error(format!(
        "{what}: expected order {order_id} with status {status}, got {actual_id} with {actual_status}"
    )))
}

/// Returns the path and query of an upload URL, which must have the server's origin.
fn path_on(upload_url: &str, host: SocketAddr) -> BenchResult<&str> {
    upload_url
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_prefix(host.to_string().as_str()))
        .filter(|path| path.starts_with('/'))
        .ok_or_else(|| {
            bench_error(format!(
                "expected an upload URL at http://{host}, got {upload_url}"
            ))
        })
}

/// Sets the processing delay of client 0's account to 0.
pub async fn disable_processing_delay(
    connection: &mut BenchConnection,
    host: SocketAddr,
) -> BenchResult<()> {
    let body = r#"{"processing":{"delayMs":0}}"#;
    let (key, length) = (key(0), body.len());
    let request = format!(
        "PUT /_mock/accounts/{key} HTTP/1.1\r\nhost: {host}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let response = connection.exchange(request.as_bytes()).await?;
    expect_status("set processing delay", &response, &[200])
}
