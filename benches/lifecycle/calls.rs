//! Requests written and answers judged: what every client of the server does alike.

use std::io::Write;
use std::net::SocketAddr;

use serde::Deserialize;

use crate::wire::WireMessage;
use crate::{BenchOutcome, usage_error};

#[derive(Deserialize)]
struct DataResponse<T> {
    data: T,
}

/// What `create` answers, as far as the bench reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedData {
    /// The order's id.
    pub order_id: String,
    /// Its one file.
    pub file: CreatedFile,
}

/// A file that waits for its upload.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedFile {
    /// Where its bytes are to be put.
    pub upload_url: String,
}

/// What `confirm` and the detail answer, as far as the bench reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderStatusView {
    order_id: String,
    status: String,
}

/// The API key of a client, a live one.
pub fn key(client: u32) -> String {
    format!("live-{client}")
}

/// Writes into `request`, cleared first, a client's request without a body.
pub fn write_get(
    request: &mut Vec<u8>,
    host: SocketAddr,
    client: u32,
    path: &str,
) -> BenchOutcome<()> {
    let key = key(client);
    request.clear();
    write!(
        request,
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\r\n"
    )?;
    Ok(())
}

/// Writes into `request`, cleared first, a client's request with a JSON body.
pub fn write_post(
    request: &mut Vec<u8>,
    host: SocketAddr,
    client: u32,
    path: &str,
    body: &str,
) -> BenchOutcome<()> {
    let (key, length) = (key(client), body.len());
    request.clear();
    write!(
        request,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    Ok(())
}

/// Writes into `request`, cleared first, the head of an upload of `length` bytes.
pub fn write_put_head(
    request: &mut Vec<u8>,
    host: SocketAddr,
    upload_url: &str,
    length: u64,
) -> BenchOutcome<()> {
    let path = path_on(upload_url, host)?;
    request.clear();
    write!(
        request,
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: image/jpeg\r\n\
         content-length: {length}\r\n\r\n"
    )?;
    Ok(())
}

/// Fails unless the answer's status is one of `statuses`.
pub fn expect_status(what: &str, response: &WireMessage<'_>, statuses: &[u16]) -> BenchOutcome<()> {
    let status = response.status()?;
    if statuses.contains(&status) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(response.body);
    Err(usage_error(format!("{what}: {status} {body}")))
}

/// The `data` of a 200; anything else is a wrong answer.
pub fn data<'a, T: Deserialize<'a>>(what: &str, response: &'a WireMessage<'_>) -> BenchOutcome<T> {
    expect_status(what, response, &[200])?;
    let parsed: DataResponse<T> = serde_json::from_slice(response.body).map_err(|error| {
        let body = String::from_utf8_lossy(response.body);
        usage_error(format!("{what}: {error} in {body}"))
    })?;
    Ok(parsed.data)
}

/// Fails unless the answer says that `order_id` has come to `status`.
pub fn expect_order(
    what: &str,
    response: &WireMessage<'_>,
    order_id: &str,
    status: &str,
) -> BenchOutcome<()> {
    let order: OrderStatusView = data(what, response)?;
    if order.order_id == order_id && order.status == status {
        return Ok(());
    }
    let OrderStatusView {
        order_id: got,
        status: is,
    } = order;
    Err(usage_error(format!(
        "{what}: order {order_id} should be {status}; the answer is of {got}, which is {is}"
    )))
}

/// What stands behind the origin of an upload URL, which must be the server's own.
fn path_on(upload_url: &str, host: SocketAddr) -> BenchOutcome<&str> {
    upload_url
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_prefix(host.to_string().as_str()))
        .filter(|path| path.starts_with('/'))
        .ok_or_else(|| usage_error(format!("upload URL {upload_url} is not at http://{host}")))
}
