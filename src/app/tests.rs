//! What only shows from within: what waits for an answer, and clocks of accounts that are gone.

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
use crate::services::worker::{Awaited, DrainOutcome};
use crate::storage::db::StoreError;

async fn ask(context: &AppState, method: &str, path: &str, body: String) -> Response {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header("host", "mock")
        .header("authorization", "Bearer sk_test_1");
    let request = request
        .header("content-type", "application/json")
        .body(Body::from(body));
    let answered = router(context).oneshot(request.expect("a request")).await;
    answered.expect("a router always answers")
}

async fn json_of(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test]
async fn an_order_stands_still_until_the_answer_to_its_confirm_is_written() {
    let mut config = Config {
        port: 0,
        ..Config::defaults()
    };
    config.orders.test_processing_ms = 0;
    let app = App::start(config).await.expect("a server");
    let context = Arc::clone(&app.state);
    context.worker.start().await.expect("a worker");
    let create = json!({"idempotencyKey": "a", "fileName": "a.jpg"}).to_string();
    let created = json_of(ask(&context, "POST", "/api/v2/orders/ai-detection", create).await).await;
    let upload = created["data"]["file"]["uploadUrl"]
        .as_str()
        .expect("a URL");
    ask(
        &context,
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
    let reply = ask(
        &context,
        "POST",
        "/api/v2/orders/ai-detection/confirm",
        confirm,
    )
    .await;
    assert_eq!(reply.status(), 200);

    let drain = async |ms| {
        let patience = Duration::from_millis(ms);
        context.worker.drain(None, patience).await.expect("a drain")
    };
    let DrainOutcome::TimedOut { waiting } = drain(200).await else {
        panic!("it is due, and held");
    };
    let waiting: Vec<_> = waiting.iter().map(|it| (it.what, &it.subject)).collect();
    assert_eq!(waiting, [(Awaited::Job(JobKind::Process), &id)]);
    drop(reply);
    assert!(matches!(drain(10_000).await, DrainOutcome::Idle { .. }));
}

#[tokio::test]
async fn resets_restores_and_removals_come_to_their_end_without_their_client() {
    let config = Config {
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(config).await.expect("a server");
    let context = &app.state;
    let accepted = ask(context, "PUT", "/_mock/snapshots/a", String::new()).await;
    assert_eq!(accepted.status(), 200);
    for (method, path) in [
        ("POST", "/_mock/reset"),
        ("POST", "/_mock/snapshots/a/restore"),
        ("DELETE", "/_mock/accounts/b"),
    ] {
        let set = json!({"account": "b"}).to_string();
        ask(context, "PUT", "/_mock/inbox/a", set).await;
        ask(context, "POST", "/_mock/inbox/a", "hello".to_owned()).await;
        let messages = async || {
            let listed = ask(context, "GET", "/_mock/inbox/a/messages", String::new()).await;
            json_of(listed).await["messages"].take()
        };
        assert_eq!(messages().await.as_array().map(Vec::len), Some(1));
        tokio::select! {
            biased;
            _ = ask(context, method, path, String::new()) => panic!("it takes a while"),
            () = std::future::ready(()) => {}
        }
        let over = async {
            while messages().await != json!([]) {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(30), over).await;
        assert!(ended.is_ok(), "{path} is done by half");
    }
}

#[tokio::test]
async fn the_clock_of_an_account_that_is_gone_moves_no_other() {
    let config = Config {
        port: 0,
        ..Config::defaults()
    };
    let app = App::start(config).await.expect("a server");
    let accounts = &app.state.accounts;
    let frozen = Clock::Frozen {
        at: Timestamp::from_ms(0),
    };
    let guard = accounts.lock_clock(ClockId::of(AccountId(77))).await;
    let set = accounts.write_clock(&guard, frozen).await;
    assert!(matches!(set, Err(StoreError::AccountGone)), "{set:?}");
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
    let admitted = accounts.authenticate("live").await.expect("no fault");
    let account = admitted.expect("an account");
    let frozen = |_| Clock::Frozen {
        at: Timestamp::from_ms(0),
    };
    let set = accounts.set_clock(Some(Arc::clone(&account)), frozen).await;
    set.expect("no fault");
    let own = accounts.lock_clock(ClockId::of(account.id)).await;
    let default = accounts.lock_clock(ClockId::DEFAULT).await;
    let followed = accounts.follow_default_clock(account.id);
    tokio::pin!(followed);
    // It waits for its own clock first: the default clock can be locked by others meanwhile.
    let mut guards = vec![default, own];
    while let Some(guard) = guards.pop() {
        for _ in 0..100 {
            assert!(futures_util::poll!(followed.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(account.clock(), frozen(Timestamp::from_ms(0)));
        drop(guard);
    }
    followed.await.expect("no fault");
    assert_eq!(account.clock(), Clock::REAL);
}
