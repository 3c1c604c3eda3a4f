//! Snapshots.

use serde_json::json;

use super::{as_sent, not_done, run_against, sent_request, stdout_of};
use crate::support::{TestServer, picture};

#[tokio::test]
async fn an_account_is_kept_aside_and_brought_back() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let accepted = stdout_of(&server, &["snapshots", "take", "a b", "--account", "live"]).await;
    let listed = stdout_of(&server, &["snapshots"]).await;
    assert_eq!(
        as_sent(&listed),
        sent_request(&server, "/_mock/snapshots").await
    );
    assert_eq!(
        as_sent(&listed),
        format!(r#"{{"snapshots":[{}]}}"#, as_sent(&accepted))
    );
    stdout_of(&server, &["advance", "PT1S", "--account", "live"]).await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    let restored = stdout_of(
        &server,
        &["snapshot", "restore", "a b", "--account", "live"],
    )
    .await;
    assert_eq!(restored, accepted);
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    let other = ["snapshots", "restore", "a b", "--account", "other"];
    let (shown, why) = not_done(&server, &other).await;
    let line = "stuntdouble: no snapshot a b of account other, or of everything (GET /_mock/snapshots \
                lists those there are)\n";
    assert_eq!((shown.as_str(), why.as_str()), ("", line));
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
async fn a_clock_is_told_to_jump() {
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
