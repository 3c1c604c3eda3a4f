//! The maximum of connections. Idle connections are closed to make room for new ones.

use serde_json::json;
use tokio::net::TcpStream;

use super::{GUARD, get_request, read_response, read_until_closed, send};
use crate::support::{Process, TestServer, picture, raw};

/// Opens a connection and completes one request on it.
async fn open_idle(server: &TestServer) -> TcpStream {
    let mut stream = send(server, &get_request("/_mock/health")).await;
    read_response(&mut stream).await;
    stream
}

#[tokio::test]
async fn connect_over_limit_closes_the_longest_idle_connection() {
    let server =
        TestServer::with_config(|config| config.connections.connections_max = Some(3)).await;
    let mut idle_connections = Vec::new();
    for _ in 0..3 {
        idle_connections.push(open_idle(&server).await);
    }
    let _fourth = open_idle(&server).await;
    assert_eq!(read_until_closed(&mut idle_connections[0]).await, b"");
    // The second connection was used more recently than the third.
    let request = get_request("/_mock/health");
    tokio::io::AsyncWriteExt::write_all(&mut idle_connections[1], &request)
        .await
        .expect("an open connection");
    read_response(&mut idle_connections[1]).await;
    let _fifth = open_idle(&server).await;
    assert_eq!(read_until_closed(&mut idle_connections[2]).await, b"");
}

#[tokio::test]
async fn connect_over_limit_waits_for_requests_in_flight() {
    let server =
        TestServer::with_config(|config| config.connections.connections_max = Some(1)).await;
    let mut poll = send(
        &server,
        &get_request("/_mock/inbox/a/messages?min=1&timeoutMs=500"),
    )
    .await;
    let mut other = send(&server, &get_request("/_mock/health")).await;
    let (polled, answered) = tokio::join!(
        read_response(&mut poll),
        tokio::time::timeout(GUARD, read_response(&mut other))
    );
    assert!(polled.starts_with("HTTP/1.1 408"), "{polled}");
    let answered = answered.expect("a response");
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
}

#[tokio::test]
async fn connect_over_limit_closes_incomplete_heads_and_handshakes() {
    let server = TestServer::with_config(|config| {
        config.tls.tls = true;
        config.tls.tls_port = 0;
        config.connections.connections_max = Some(2);
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        let tls_connection = TcpStream::connect(server.tls.expect("a TLS listener")).await;
        silent.push(tls_connection.expect("a connection"));
        silent.push(send(&server, b"GET / HTTP/1.1\r\n").await);
    }
    let mut connection = send(&server, &get_request("/_mock/health")).await;
    let response = tokio::time::timeout(GUARD, read_response(&mut connection)).await;
    assert!(response.expect("a response").starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn upload_beside_300_idle_connections_with_256_open_files_succeeds() {
    let data = tempfile::tempdir().expect("a directory");
    let process = Process::start_with_limits(&["-n 256"], data.path(), &[]);
    let server = &process.server;
    let mut idle_connections = Vec::new();
    for number in 0..300 {
        // Some connections have sent a request, some have sent nothing.
        idle_connections.push(if number < 200 {
            open_idle(server).await
        } else {
            raw::connect(&server.origin).await
        });
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.upload_detection("live", &body, picture()).await;
    server.freeze("live").await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn start_raises_the_open_file_limit() {
    let data = tempfile::tempdir().expect("a directory");
    let ulimits = ["-S -n 128", "-H -n 1000"];
    let process = Process::start_with_limits(&ulimits, data.path(), &[]);
    let path = format!("/proc/{}/limits", process.id());
    let limits = std::fs::read_to_string(path).expect("the limits of the process");
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let values: Vec<_> = open_files.expect("a limit").split_whitespace().collect();
    assert_eq!(values[3..5], ["1000", "1000"]);
}
