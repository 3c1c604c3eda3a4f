//! Who connects and says nothing holds nobody.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{BIZMORI, Secure, get};

#[tokio::test]
async fn others_are_served_and_the_server_stops_while_clients_say_nothing() {
    let secure = Secure::start().await;
    let mut silent = Vec::new();
    for number in 0..60 {
        let mut stream = TcpStream::connect(secure.address)
            .await
            .expect("a connection");
        if number % 2 == 0 {
            // The begin of a handshake.
            stream
                .write_all(b"\x16\x03\x01")
                .await
                .expect("it is taken");
        }
        silent.push(stream);
    }
    secure.called(BIZMORI).freeze("live").await;
    secure.called(BIZMORI).assert_healthy("live").await;
    let mut idle = secure.connected().await;
    let request = get("/_mock/health", "");
    idle.write_all(&request).await.expect("it is read");
    assert_eq!(idle.read_u8().await.expect("an answer"), b'H');

    assert!(
        secure.stunt.shuts_down_cleanly().await,
        "none of these is under way"
    );
    for stream in &mut silent {
        let mut rest = Vec::new();
        // An end or a reset, either will do.
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    }
}
