//! Control plane.

use serde_json::json;

use super::{OperationCall, call};
use crate::support::T0;

pub fn calls() -> Vec<OperationCall> {
    let calls = [
        observation_calls(),
        order_calls(),
        inbox_calls(),
        snapshot_calls(),
        page_calls(),
        rule_calls(),
        state_calls(),
    ];
    calls.into_iter().flatten().collect()
}

/// Journal, deliveries and orders.
fn observation_calls() -> Vec<OperationCall> {
    let empty = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call("control.getCa", 404, "/_mock/ca.pem", empty.clone()),
        call(
            "control.streamEvents",
            400,
            "/_mock/events?since=x",
            empty.clone(),
        ),
        call(
            "control.listRequests",
            200,
            "/_mock/requests",
            empty.clone(),
        ),
        call(
            "control.listRequests",
            400,
            "/_mock/requests?since=1",
            empty.clone(),
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
            empty.clone(),
        ),
        call(
            "control.listDeliveries",
            400,
            "/_mock/deliveries?limit=0",
            empty.clone(),
        ),
        call(
            "control.resendDelivery",
            404,
            "/_mock/deliveries/x/resend",
            empty.clone(),
        ),
    ]
}

/// Calls about orders, their jobs, blobs and webhooks.
fn order_calls() -> Vec<OperationCall> {
    let empty = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call("control.listOrders", 200, "/_mock/orders", empty.clone()),
        call("control.getOrder", 404, "/_mock/orders/x", empty.clone()),
        call("control.getBlob", 404, "/_mock/blobs/x", empty.clone()),
        call("control.listJobs", 200, "/_mock/jobs", empty.clone()),
        call(
            "control.listJobs",
            400,
            "/_mock/jobs?after=x",
            empty.clone(),
        ),
        call(
            "control.listWebhooks",
            200,
            "/_mock/webhooks",
            empty.clone(),
        ),
        call(
            "control.getRequest",
            404,
            "/_mock/requests/live/1000000",
            empty.clone(),
        ),
        call(
            "control.listOrders",
            400,
            "/_mock/orders?vendor=x",
            empty.clone(),
        ),
        call(
            "control.completeOrder",
            404,
            "/_mock/orders/x/complete",
            empty.clone(),
        ),
        call(
            "control.failOrder",
            404,
            "/_mock/orders/x/fail",
            empty.clone(),
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
            empty.clone(),
        ),
        call(
            "control.deleteRequests",
            204,
            "/_mock/requests",
            empty.clone(),
        ),
    ]
}

/// Inboxes. The last call deletes the inbox.
fn inbox_calls() -> Vec<OperationCall> {
    let empty = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call(
            "control.setInbox",
            200,
            "/_mock/inbox/a",
            json!({"statuses": [204]}),
        ),
        call("control.setInbox", 400, "/_mock/inbox/a", wrong.clone()),
        call("control.listInboxes", 200, "/_mock/inbox", empty.clone()),
        call("control.postToInbox", 200, "/_mock/inbox/b", empty.clone()),
        call(
            "control.listMessages",
            200,
            "/_mock/inbox/b/messages?min=1",
            empty.clone(),
        ),
        call(
            "control.listMessages",
            408,
            "/_mock/inbox/b/messages?min=2",
            empty.clone(),
        ),
        call("control.deleteInbox", 204, "/_mock/inbox/b", empty.clone()),
    ]
}

/// Calls of the pages, the documents and the information on the server.
fn page_calls() -> Vec<OperationCall> {
    let empty = json!({});
    vec![
        call("control.health", 200, "/_mock/health", empty.clone()),
        call("control.getDashboard", 200, "/_mock/", empty.clone()),
        call(
            "control.getDashboardFile",
            200,
            "/_mock/ui/vendor/preact.js",
            empty.clone(),
        ),
        call(
            "control.getDashboardFile",
            404,
            "/_mock/ui/none.js",
            empty.clone(),
        ),
        call("control.getInfo", 200, "/_mock/info", empty.clone()),
        call("control.getInfo", 400, "/_mock/info?x=1", empty.clone()),
        call(
            "control.listOperations",
            200,
            "/_mock/operations",
            empty.clone(),
        ),
        call(
            "control.openapi",
            200,
            "/_mock/openapi/control.json",
            empty.clone(),
        ),
        call(
            "control.openapi",
            404,
            "/_mock/openapi/none.json",
            empty.clone(),
        ),
        call("control.docs", 200, "/_mock/docs", empty.clone()),
        call(
            "control.docsFile",
            200,
            "/_mock/docs/start.js",
            empty.clone(),
        ),
        call("control.docsFile", 404, "/_mock/docs/none", empty.clone()),
        call("control.metrics", 200, "/_mock/metrics", empty.clone()),
    ]
}

/// Calls about rules.
fn rule_calls() -> Vec<OperationCall> {
    let empty = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call(
            "control.createRule",
            201,
            "/_mock/rules",
            json!({"account": "other", "then": {"delayMs": 0}}),
        ),
        call("control.createRule", 400, "/_mock/rules", wrong.clone()),
        call("control.listRules", 200, "/_mock/rules", empty.clone()),
        call(
            "control.putRule",
            200,
            "/_mock/rules/1",
            json!({"enabled": false, "then": {"delayMs": 0}}),
        ),
        call("control.putRule", 400, "/_mock/rules/1", wrong.clone()),
        call(
            "control.putRule",
            404,
            "/_mock/rules/x",
            json!({"then": {"delayMs": 0}}),
        ),
        call("control.deleteRule", 204, "/_mock/rules/1", empty.clone()),
        call("control.deleteRule", 404, "/_mock/rules/x", empty.clone()),
        call("control.deleteRules", 204, "/_mock/rules", empty.clone()),
    ]
}

fn state_calls() -> Vec<OperationCall> {
    let empty = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call("control.getClock", 200, "/_mock/clock", empty.clone()),
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
        call("control.drain", 409, "/_mock/drain", empty.clone()),
        call(
            "control.drain",
            200,
            "/_mock/drain?account=nobody",
            empty.clone(),
        ),
        call("control.drain", 400, "/_mock/drain", wrong.clone()),
        call(
            "control.listAccounts",
            200,
            "/_mock/accounts",
            empty.clone(),
        ),
        call(
            "control.getAccount",
            200,
            "/_mock/accounts/live",
            empty.clone(),
        ),
        call(
            "control.getAccount",
            404,
            "/_mock/accounts/nobody",
            empty.clone(),
        ),
        call(
            "control.setAccount",
            200,
            "/_mock/accounts/live",
            empty.clone(),
        ),
        call(
            "control.setAccount",
            400,
            "/_mock/accounts/live",
            wrong.clone(),
        ),
        call(
            "control.deleteAccount",
            204,
            "/_mock/accounts/live",
            empty.clone(),
        ),
        call(
            "control.exportFixtures",
            404,
            "/_mock/fixtures?account=nobody",
            empty.clone(),
        ),
        call(
            "control.exportFixtures",
            400,
            "/_mock/fixtures",
            empty.clone(),
        ),
        call("control.putFixtures", 200, "/_mock/fixtures", empty.clone()),
        call("control.putFixtures", 400, "/_mock/fixtures", wrong.clone()),
        call("control.reset", 200, "/_mock/reset", empty),
        call("control.reset", 400, "/_mock/reset", wrong),
    ]
}

/// Snapshots. The last calls remove the snapshot.
fn snapshot_calls() -> Vec<OperationCall> {
    let empty = json!({});
    vec![
        call(
            "control.takeSnapshot",
            200,
            "/_mock/snapshots/a",
            empty.clone(),
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
            empty.clone(),
        ),
        call(
            "control.restoreSnapshot",
            200,
            "/_mock/snapshots/a/restore",
            empty.clone(),
        ),
        call(
            "control.restoreSnapshot",
            404,
            "/_mock/snapshots/b/restore",
            empty.clone(),
        ),
        call(
            "control.removeSnapshot",
            204,
            "/_mock/snapshots/a",
            empty.clone(),
        ),
        call(
            "control.removeSnapshot",
            404,
            "/_mock/snapshots/a",
            empty.clone(),
        ),
    ]
}
