//! Control plane.

use serde_json::json;

use super::{OperationCall, call};
use crate::support::T0;

pub fn calls() -> Vec<OperationCall> {
    let calls = [
        observation_calls(),
        inbox_calls(),
        snapshot_calls(),
        state_calls(),
    ];
    calls.into_iter().flatten().collect()
}

/// Journal, deliveries and orders.
fn observation_calls() -> Vec<OperationCall> {
    let none = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call("control.getCa", 404, "/_mock/ca.pem", none.clone()),
        call("control.listRequests", 200, "/_mock/requests", none.clone()),
        call(
            "control.listRequests",
            400,
            "/_mock/requests?since=1",
            none.clone(),
        ),
        call(
            "control.verifyRequests",
            200,
            "/_mock/requests/verify",
            json!({"count": {"min": 1}}),
        ),
        call(
            "control.verifyRequests",
            400,
            "/_mock/requests/verify",
            wrong.clone(),
        ),
        call(
            "control.listDeliveries",
            200,
            "/_mock/deliveries",
            none.clone(),
        ),
        call(
            "control.listDeliveries",
            400,
            "/_mock/deliveries?limit=0",
            none.clone(),
        ),
        call(
            "control.resendDelivery",
            404,
            "/_mock/deliveries/x/resend",
            none.clone(),
        ),
        call("control.listOrders", 200, "/_mock/orders", none.clone()),
        call(
            "control.getRequest",
            404,
            "/_mock/requests/live/1000000",
            none.clone(),
        ),
        call(
            "control.listOrders",
            400,
            "/_mock/orders?vendor=x",
            none.clone(),
        ),
        call(
            "control.completeOrder",
            404,
            "/_mock/orders/x/complete",
            none.clone(),
        ),
        call(
            "control.failOrder",
            404,
            "/_mock/orders/x/fail",
            none.clone(),
        ),
        call(
            "control.failOrder",
            400,
            "/_mock/orders/x/fail",
            wrong.clone(),
        ),
        call(
            "control.expireOrder",
            404,
            "/_mock/orders/x/expire",
            none.clone(),
        ),
        call(
            "control.deleteRequests",
            204,
            "/_mock/requests",
            none.clone(),
        ),
    ]
}

/// Inboxes. The last call deletes the inbox.
fn inbox_calls() -> Vec<OperationCall> {
    let none = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call(
            "control.setInbox",
            200,
            "/_mock/inbox/a",
            json!({"statuses": [204]}),
        ),
        call("control.setInbox", 400, "/_mock/inbox/a", wrong.clone()),
        call("control.listInboxes", 200, "/_mock/inbox", none.clone()),
        call("control.postToInbox", 200, "/_mock/inbox/b", none.clone()),
        call(
            "control.listMessages",
            200,
            "/_mock/inbox/b/messages?min=1",
            none.clone(),
        ),
        call(
            "control.listMessages",
            408,
            "/_mock/inbox/b/messages?min=2",
            none.clone(),
        ),
        call("control.deleteInbox", 204, "/_mock/inbox/b", none.clone()),
    ]
}

fn state_calls() -> Vec<OperationCall> {
    let none = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call("control.health", 200, "/_mock/health", none.clone()),
        call("control.openapi", 200, "/_mock/openapi.json", none.clone()),
        call("control.metrics", 200, "/_mock/metrics", none.clone()),
        call("control.getClock", 200, "/_mock/clock", none.clone()),
        call(
            "control.setClock",
            200,
            "/_mock/clock",
            json!({"mode": "frozen", "now": T0}),
        ),
        call("control.setClock", 400, "/_mock/clock", wrong.clone()),
        call(
            "control.advanceClock",
            200,
            "/_mock/clock/advance",
            json!({"by": 1}),
        ),
        call(
            "control.advanceClock",
            400,
            "/_mock/clock/advance",
            wrong.clone(),
        ),
        call("control.drain", 409, "/_mock/drain", none.clone()),
        call(
            "control.drain",
            200,
            "/_mock/drain?account=nobody",
            none.clone(),
        ),
        call("control.drain", 400, "/_mock/drain", wrong.clone()),
        call("control.listAccounts", 200, "/_mock/accounts", none.clone()),
        call(
            "control.getAccount",
            200,
            "/_mock/accounts/live",
            none.clone(),
        ),
        call(
            "control.getAccount",
            404,
            "/_mock/accounts/nobody",
            none.clone(),
        ),
        call(
            "control.setAccount",
            200,
            "/_mock/accounts/live",
            none.clone(),
        ),
        call(
            "control.setAccount",
            400,
            "/_mock/accounts/live",
            wrong.clone(),
        ),
        call(
            "control.createRule",
            201,
            "/_mock/rules",
            json!({"account": "other", "then": {"delayMs": 0}}),
        ),
        call("control.createRule", 400, "/_mock/rules", wrong.clone()),
        call("control.listRules", 200, "/_mock/rules", none.clone()),
        call("control.deleteRule", 204, "/_mock/rules/1", none.clone()),
        call("control.deleteRule", 404, "/_mock/rules/x", none.clone()),
        call("control.deleteRules", 204, "/_mock/rules", none.clone()),
        call(
            "control.deleteAccount",
            204,
            "/_mock/accounts/live",
            none.clone(),
        ),
        call("control.putFixtures", 200, "/_mock/fixtures", none.clone()),
        call("control.putFixtures", 400, "/_mock/fixtures", wrong.clone()),
        call("control.reset", 200, "/_mock/reset", none),
        call("control.reset", 400, "/_mock/reset", wrong),
    ]
}

/// Snapshots. The last calls remove the snapshot.
fn snapshot_calls() -> Vec<OperationCall> {
    let none = json!({});
    vec![
        call(
            "control.takeSnapshot",
            200,
            "/_mock/snapshots/a",
            none.clone(),
        ),
        call(
            "control.takeSnapshot",
            404,
            "/_mock/snapshots/b",
            json!({"account": "nobody"}),
        ),
        call(
            "control.listSnapshots",
            200,
            "/_mock/snapshots",
            none.clone(),
        ),
        call(
            "control.restoreSnapshot",
            200,
            "/_mock/snapshots/a/restore",
            none.clone(),
        ),
        call(
            "control.restoreSnapshot",
            404,
            "/_mock/snapshots/b/restore",
            none.clone(),
        ),
        call(
            "control.removeSnapshot",
            204,
            "/_mock/snapshots/a",
            none.clone(),
        ),
        call(
            "control.removeSnapshot",
            404,
            "/_mock/snapshots/a",
            none.clone(),
        ),
    ]
}
