//! Commands for snapshots.

use serde_json::json;

use super::{compact, get_text, outputs_of_failure, run_against, stdout_of};
use crate::support::{TestServer, picture};

#[tokio::test]
async fn take_restore_and_delete_snapshot_restores_the_account() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let snapshot = stdout_of(&server, &["snapshots", "take", "a b", "--account", "live"]).await;
    let listing = stdout_of(&server, &["snapshots"]).await;
    assert_eq!(
        compact(&listing),
        get_text(&server, "/_mock/snapshots").await
    );
    assert_eq!(
        compact(&listing),
        format!(r#"{{"snapshots":[{}]}}"#, compact(&snapshot))
    );
    stdout_of(&server, &["advance", "PT1S", "--account", "live"]).await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    let restored = stdout_of(
        &server,
        &["snapshot", "restore", "a b", "--account", "live"],
    )
    .await;
    assert_eq!(restored, snapshot);
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    let other = ["snapshots", "restore", "a b", "--account", "other"];
    let (out, err) = outputs_of_failure(&server, &other).await;
    let line = "stuntdouble: no snapshot a b of account other, or of everything (GET /_mock/snapshots \
                lists all snapshots)\n";
    assert_eq!((out.as_str(), err.as_str()), ("", line));
    assert_eq!(
        stdout_of(
            &server,
            &["snapshots", "delete", "a b", "--account", "live"]
        )
        .await,
        ""
    );
    assert_eq!(
        stdout_of(&server, &["snapshots"]).await,
        "{\n  \"snapshots\": []\n}\n"
    );
}

#[tokio::test]
async fn set_clock_to_jump_completes_orders_on_drain() {
    let server = TestServer::start().await;
    let set = ["clock", "set", "--mode", "jump", "--account", "live"];
    let output = run_against(&server, &set, "").await;
    assert_eq!((output.code, output.err.as_str()), (Some(0), ""));
    assert!(
        output.out.contains("\n  \"mode\": \"jump\",\n"),
        "{output:?}"
    );
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    stdout_of(&server, &["drain", "--account", "live"]).await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}
