//! The number of connections is bounded, and idle ones make room for others.

use serde_json::json;
use tokio::net::TcpStream;

use super::{GUARD, closed, get, read_response, send};
use crate::support::{Process, TestServer, picture, raw};

/// A connection on which one request was answered.
async fn idle(server: &TestServer) -> TcpStream {
    let mut stream = send(server, &get("/_mock/health")).await;
    read_response(&mut stream).await;
    stream
}

#[tokio::test]
async fn connection_over_the_limit_closes_the_one_idle_for_longest() {
    let server =
        TestServer::with_config(|config| config.connections.connections_max = Some(3)).await;
    let mut idle_ones = Vec::new();
    for _ in 0..3 {
        idle_ones.push(idle(&server).await);
    }
    let _fourth = idle(&server).await;
    assert_eq!(closed(&mut idle_ones[0]).await, b"");
    // The second has done more since then than the third.
    let again = get("/_mock/health");
    tokio::io::AsyncWriteExt::write_all(&mut idle_ones[1], &again)
        .await
        .expect("it is open");
    read_response(&mut idle_ones[1]).await;
    let _fifth = idle(&server).await;
    assert_eq!(closed(&mut idle_ones[2]).await, b"");
}

#[tokio::test]
async fn connection_over_the_limit_waits_for_requests_in_flight() {
    let server =
        TestServer::with_config(|config| config.connections.connections_max = Some(1)).await;
    let mut poll = send(&server, &get("/_mock/inbox/a/messages?min=1&timeoutMs=500")).await;
    let mut other = send(&server, &get("/_mock/health")).await;
    let (polled, answered) = tokio::join!(
        read_response(&mut poll),
        tokio::time::timeout(GUARD, read_response(&mut other))
    );
    assert!(polled.starts_with("HTTP/1.1 408"), "{polled}");
    let answered = answered.expect("a response");
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
}

#[tokio::test]
async fn silent_connections_and_handshakes_make_room_for_others() {
    let server = TestServer::with_config(|config| {
        config.tls.tls = true;
        config.tls.tls_port = 0;
        config.connections.connections_max = Some(2);
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        let by_tls = TcpStream::connect(server.tls.expect("it listens by TLS")).await;
        silent.push(by_tls.expect("a connection"));
        silent.push(send(&server, b"GET / HTTP/1.1\r\n").await);
    }
    let mut connection = send(&server, &get("/_mock/health")).await;
    let response = tokio::time::timeout(GUARD, read_response(&mut connection)).await;
    assert!(response.expect("a response").starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn put_beside_300_idle_connections_under_a_limit_of_256_files_is_answered_200() {
    let data = tempfile::tempdir().expect("a directory");
    let process = Process::start_with_limits(&["-n 256"], data.path(), &[]);
    let server = &process.stunt;
    let mut idle_ones = Vec::new();
    for number in 0..300 {
        // Some have asked for something, some say nothing.
        idle_ones.push(if number < 200 {
            idle(server).await
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
async fn start_raises_the_limit_on_open_files() {
    let data = tempfile::tempdir().expect("a directory");
    let ulimits = ["-S -n 128", "-H -n 1000"];
    let process = Process::start_with_limits(&ulimits, data.path(), &[]);
    let limits = format!("/proc/{}/limits", process.id());
    let limits = std::fs::read_to_string(limits).expect("its limits");
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let values: Vec<_> = open_files.expect("a limit").split_whitespace().collect();
    assert_eq!(values[3..5], ["1000", "1000"]);
}
