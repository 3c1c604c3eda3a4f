//! Clients that connect and send nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{BIZMORI, TlsServer, get};

#[tokio::test]
async fn silent_clients_block_neither_other_clients_nor_shutdown() {
    let secure = TlsServer::start().await;
    let mut silent = Vec::new();
    for number in 0..60 {
        let mut stream = TcpStream::connect(secure.address)
            .await
            .expect("a connection");
        if number % 2 == 0 {
            // The start of a handshake.
            let written = stream.write_all(b"\x16\x03\x01").await;
            written.expect("the bytes are sent");
        }
        silent.push(stream);
    }
    secure.client_for(BIZMORI).freeze("live").await;
    secure.client_for(BIZMORI).assert_healthy("live").await;
    let mut idle = secure.connect_to_bizmori().await;
    let request = get("/_mock/health", "");
    idle.write_all(&request).await.expect("the request is sent");
    assert_eq!(idle.read_u8().await.expect("a response"), b'H');

    assert!(
        secure.server.shuts_down_cleanly().await,
        "no request is in flight"
    );
    for stream in &mut silent {
        let mut rest = Vec::new();
        // The server may close or reset the connection.
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    }
}
