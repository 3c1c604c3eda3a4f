//! Tests that call the router and the services directly, to observe unwritten responses, dropped
//! requests and locks.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;
use crate::services::worker::{DrainOutcome, WaitTarget};
use crate::storage::db::InternalError;

async fn send(state: &AppState, method: &str, path: &str, body: String) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "mock")
        .header("authorization", "Bearer sk_test_1")
        .header("content-type", "application/json")
        .body(Body::from(body));
    let response = router(state).oneshot(request.expect("a request")).await;
    response.expect("a router always answers")
}

async fn json_of(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test]
async fn job_of_confirm_waits_until_its_response_is_written() {
    let mut config = Config {
        port: 0,
        ..Config::defaults()
    };
    config.orders.test_processing_ms = 0;
    let app = App::start(config).await.expect("a server");
    let state = Arc::clone(&app.state);
    state.worker.start().await.expect("a worker");
    let create = json!({"idempotencyKey": "a", "fileName": "a.jpg"}).to_string();
    let created = json_of(send(&state, "POST", "/api/v2/orders/ai-detection", create).await).await;
    let upload = created["data"]["file"]["uploadUrl"]
        .as_str()
        .expect("a URL");
    send(
        &state,
        "PUT",
        upload.trim_start_matches("http://mock"),
        "x".to_owned(),
    )
    .await;
    let id = created["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
    let confirmed = send(
        &state,
        "POST",
        "/api/v2/orders/ai-detection/confirm",
        confirm,
    )
    .await;
    assert_eq!(confirmed.status(), 200);

    let drain = async |timeout_ms| {
        let timeout = Duration::from_millis(timeout_ms);
        state.worker.drain(None, timeout).await.expect("a drain")
    };
    let DrainOutcome::TimedOut { waiting } = drain(200).await else {
        panic!("the job ran before the response was written");
    };
    let jobs: Vec<_> = waiting
        .iter()
        .map(|job| (job.wait_target, &job.subject))
        .collect();
    assert_eq!(jobs, [(WaitTarget::Job(JobKind::Process), &id)]);
    drop(confirmed);
    assert!(matches!(drain(10_000).await, DrainOutcome::Idle { .. }));
}

#[tokio::test]
async fn reset_restore_and_removal_complete_after_the_client_disconnects() {
    let config = Config {
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(config).await.expect("a server");
    let state = &app.state;
    let snapshot = send(state, "PUT", "/_mock/snapshots/a", String::new()).await;
    assert_eq!(snapshot.status(), 200);
    for (method, path) in [
        ("POST", "/_mock/reset"),
        ("POST", "/_mock/snapshots/a/restore"),
        ("DELETE", "/_mock/accounts/b"),
    ] {
        let inbox = json!({"account": "b"}).to_string();
        send(state, "PUT", "/_mock/inbox/a", inbox).await;
        send(state, "POST", "/_mock/inbox/a", "hello".to_owned()).await;
        let messages = async || {
            let listed = send(state, "GET", "/_mock/inbox/a/messages", String::new()).await;
            json_of(listed).await["messages"].take()
        };
        assert_eq!(messages().await.as_array().map(Vec::len), Some(1));
        tokio::select! {
            biased;
            _ = send(state, method, path, String::new()) => panic!("{path} completed at its first poll"),
            () = std::future::ready(()) => {}
        }
        let until_empty = async {
            while messages().await != json!([]) {
                tokio::task::yield_now().await;
            }
        };
        let emptied = tokio::time::timeout(Duration::from_secs(30), until_empty).await;
        assert!(emptied.is_ok(), "{path} stopped half-way");
    }
}

#[tokio::test]
async fn write_clock_of_removed_account_fails_and_leaves_the_default_clock() {
    let config = Config {
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(config).await.expect("a server");
    let accounts = &app.state.accounts;
    let frozen = Clock::Frozen {
        at: Timestamp::from_ms(0),
    };
    let guard = accounts
        .lock_clock(ClockId::for_account(AccountId(77)))
        .await;
    let set = accounts.write_clock(&guard, frozen).await;
    assert!(matches!(set, Err(InternalError::AccountGone)), "{set:?}");
    assert_eq!(accounts.clock(ClockId::DEFAULT), Clock::REAL);
}

#[tokio::test]
async fn follow_default_clock_waits_for_both_clocks_locks() {
    let config = Config {
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(config).await.expect("a server");
    let accounts = &app.state.accounts;
    let authenticated = accounts.authenticate("live").await.expect("no fault");
    let account = authenticated.expect("an account");
    let frozen = |_| Clock::Frozen {
        at: Timestamp::from_ms(0),
    };
    let set = accounts.set_clock(Some(Arc::clone(&account)), frozen).await;
    set.expect("no fault");
    let own = accounts.lock_clock(ClockId::for_account(account.id)).await;
    let default = accounts.lock_clock(ClockId::DEFAULT).await;
    let follow = accounts.follow_default_clock(account.id);
    tokio::pin!(follow);
    // The account's own lock comes first: while `follow` waits for it, others can lock the default clock.
    let mut guards = vec![default, own];
    while let Some(guard) = guards.pop() {
        for _ in 0..100 {
            assert!(futures_util::poll!(follow.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(account.clock(), frozen(Timestamp::from_ms(0)));
        drop(guard);
    }
    follow.await.expect("no fault");
    assert_eq!(account.clock(), Clock::REAL);
}
