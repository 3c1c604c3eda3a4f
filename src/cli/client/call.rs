//! What each command asks.

mod body;
mod fixtures;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::cli::commands::{
    AccountArg, AccountsCommand, ClientCommand, ClockCommand, DeliveriesCommand, DeliveryList,
    FixturesCommand, InboxCommand, JsonSource, OrderList, OrdersCommand, PageArgs, RequestList,
    RequestsCommand, RulesCommand, SnapshotsCommand,
};
use body::{account, json_or_empty, object, verify_body, with_account};
use fixtures::embed_files;

/// What stands for something else in a path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A call of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCall {
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// JSON.
    pub body: Option<Vec<u8>>,
}

/// How the bytes of a source are had.
pub type ReadSource<'r> = &'r dyn Fn(&JsonSource) -> Result<Vec<u8>, String>;

impl ApiCall {
    fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path, None)
    }

    fn put(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self::new("PUT", path, Some(body))
    }

    fn post(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self::new("POST", path, Some(body))
    }

    fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path, None)
    }

    fn new(method: &'static str, path: impl Into<String>, body: Option<Vec<u8>>) -> Self {
        let path = path.into();
        Self { method, path, body }
    }

    /// With those parameters that have a value.
    fn with<const N: usize>(mut self, parameters: [(&str, Option<String>); N]) -> Self {
        let mut query = Serializer::new(String::new());
        for (name, value) in parameters {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        let query = query.finish();
        if !query.is_empty() {
            self.path = format!("{}?{query}", self.path);
        }
        self
    }
}

/// The call that a command is.
///
/// # Errors
/// One line on why what it is to send cannot be had.
pub fn call(command: &ClientCommand, read: ReadSource<'_>) -> Result<ApiCall, String> {
    Ok(match command {
        ClientCommand::Health { .. } => ApiCall::get("/_mock/health"),
        ClientCommand::Metrics { .. } => ApiCall::get("/_mock/metrics"),
        ClientCommand::Reset { of, .. } => ApiCall::post("/_mock/reset", object([account(of)])),
        ClientCommand::Clock { verb, of, .. } => clock(verb.as_ref(), of),
        ClientCommand::Advance { by, to, of, .. } => {
            let ms_or_text = |by: &String| {
                let ms = by.parse::<u64>().map(Value::from);
                ms.unwrap_or_else(|_| by.as_str().into())
            };
            let by = by.as_ref().map(ms_or_text);
            let to = to.as_deref().map(Value::from);
            let body = object([account(of), ("by", by), ("to", to)]);
            ApiCall::post("/_mock/clock/advance", body)
        }
        ClientCommand::Drain { timeout_ms, of, .. } => {
            let timeout_ms = timeout_ms.map(Value::from);
            let body = object([account(of), ("timeoutMs", timeout_ms)]);
            ApiCall::post("/_mock/drain", body)
        }
        ClientCommand::Accounts { verb, page, .. } => accounts(verb.as_ref(), page, read)?,
        ClientCommand::Rules { verb, of, page, .. } => rules(verb.as_ref(), of, page, read)?,
        ClientCommand::Requests { verb, list, .. } => requests(verb.as_ref(), list, read)?,
        ClientCommand::Deliveries { verb, list, .. } => deliveries(verb.as_ref(), list),
        ClientCommand::Orders { verb, list, .. } => orders(verb.as_ref(), list, read)?,
        ClientCommand::Inbox { verb, of, page, .. } => inbox(verb.as_ref(), of, page, read)?,
        ClientCommand::Snapshots { verb, of, .. } => snapshots(verb.as_ref(), of),
        ClientCommand::Fixtures { verb, .. } => {
            let FixturesCommand::Load { file } = verb;
            let document = embed_files(read(file)?, file.folder())?;
            ApiCall::put("/_mock/fixtures", document)
        }
    })
}

fn clock(verb: Option<&ClockCommand>, of: &AccountArg) -> ApiCall {
    match verb {
        None => ApiCall::get("/_mock/clock").with([("account", of.key.clone())]),
        Some(ClockCommand::Set { mode, now, of }) => {
            let mode = Some(mode.as_str().into());
            let now = now.as_deref().map(Value::from);
            let body = object([account(of), ("mode", mode), ("now", now)]);
            ApiCall::put("/_mock/clock", body)
        }
    }
}

fn accounts(
    verb: Option<&AccountsCommand>,
    page: &PageArgs,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    let path = |key: &str| format!("/_mock/accounts/{}", segment(key));
    Ok(match verb {
        None => ApiCall::get("/_mock/accounts").with([limit(page), after(page)]),
        Some(AccountsCommand::Show { key }) => ApiCall::get(path(key)),
        Some(AccountsCommand::Set { key, json }) => {
            ApiCall::put(path(key), json_or_empty(json.as_ref(), read)?)
        }
        Some(AccountsCommand::Delete { key }) => ApiCall::delete(path(key)),
    })
}

fn rules(
    verb: Option<&RulesCommand>,
    list: &AccountArg,
    page: &PageArgs,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    Ok(match verb {
        None => ApiCall::get("/_mock/rules").with([
            ("account", list.key.clone()),
            limit(page),
            after(page),
        ]),
        Some(RulesCommand::Add { json, of }) => {
            let rule = with_account(json_or_empty(Some(json), read)?, of);
            ApiCall::post("/_mock/rules", rule)
        }
        Some(RulesCommand::Delete { id, of }) => {
            let path = format!("/_mock/rules/{}", segment(id));
            ApiCall::delete(path).with([("account", of.key.clone())])
        }
        Some(RulesCommand::Clear { of }) => {
            ApiCall::delete("/_mock/rules").with([("account", of.key.clone())])
        }
    })
}

fn requests(
    verb: Option<&RequestsCommand>,
    list: &RequestList,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    Ok(match verb {
        None => ApiCall::get("/_mock/requests").with([
            ("account", list.of.key.clone()),
            ("operation", list.like.operation.clone()),
            ("method", list.like.method.clone()),
            ("path", list.like.path.clone()),
            ("status", list.like.status.clone()),
            ("since", list.since.map(|it| it.to_string())),
            ("limit", list.limit.map(|it| it.to_string())),
        ]),
        Some(RequestsCommand::Show { key, seq }) => {
            ApiCall::get(format!("/_mock/requests/{}/{seq}", segment(key)))
        }
        Some(RequestsCommand::Verify(wanted)) => {
            ApiCall::post("/_mock/requests/verify", verify_body(wanted, read)?)
        }
        Some(RequestsCommand::Clear { of }) => {
            ApiCall::delete("/_mock/requests").with([("account", of.key.clone())])
        }
    })
}

fn deliveries(verb: Option<&DeliveriesCommand>, list: &DeliveryList) -> ApiCall {
    match verb {
        None => ApiCall::get("/_mock/deliveries").with([
            ("account", list.of.key.clone()),
            ("webhookId", list.webhook_id.clone()),
            ("eventType", list.event_type.clone()),
            limit(&list.page),
            after(&list.page),
        ]),
        Some(DeliveriesCommand::Resend { id, of }) => {
            let path = format!("/_mock/deliveries/{}/resend", segment(id));
            ApiCall::post(path, object([account(of)]))
        }
    }
}

fn orders(
    verb: Option<&OrdersCommand>,
    list: &OrderList,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    let end = |id: &str, how: &str, body| {
        let path = format!("/_mock/orders/{}/{how}", segment(id));
        ApiCall::post(path, body)
    };
    Ok(match verb {
        None => ApiCall::get("/_mock/orders").with([
            ("account", list.of.key.clone()),
            ("vendor", list.vendor.clone()),
            limit(&list.page),
            after(&list.page),
        ]),
        Some(OrdersCommand::Complete { id, json, of }) => {
            let body = with_account(json_or_empty(json.as_ref(), read)?, of);
            end(id, "complete", body)
        }
        Some(OrdersCommand::Fail { id, json, of }) => end(
            id,
            "fail",
            with_account(json_or_empty(json.as_ref(), read)?, of),
        ),
        Some(OrdersCommand::Expire { id, of }) => end(id, "expire", object([account(of)])),
    })
}

fn inbox(
    verb: Option<&InboxCommand>,
    list: &AccountArg,
    page: &PageArgs,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    let path = |name: &str| format!("/_mock/inbox/{}", segment(name));
    Ok(match verb {
        None => ApiCall::get("/_mock/inbox").with([
            ("account", list.key.clone()),
            limit(page),
            after(page),
        ]),
        Some(InboxCommand::Messages {
            name,
            min,
            timeout_ms,
            of,
        }) => ApiCall::get(format!("{}/messages", path(name))).with([
            ("account", of.key.clone()),
            ("min", min.map(|it| it.to_string())),
            ("timeoutMs", timeout_ms.map(|it| it.to_string())),
        ]),
        Some(InboxCommand::Set { name, json, of }) => ApiCall::put(
            path(name),
            with_account(json_or_empty(json.as_ref(), read)?, of),
        ),
        Some(InboxCommand::Delete { name, of }) => {
            ApiCall::delete(path(name)).with([("account", of.key.clone())])
        }
    })
}

fn snapshots(verb: Option<&SnapshotsCommand>, list: &AccountArg) -> ApiCall {
    let path = |name: &str| format!("/_mock/snapshots/{}", segment(name));
    match verb {
        None => ApiCall::get("/_mock/snapshots").with([("account", list.key.clone())]),
        Some(SnapshotsCommand::Take { name, of }) => {
            ApiCall::put(path(name), object([account(of)]))
        }
        Some(SnapshotsCommand::Restore { name, of }) => {
            ApiCall::post(format!("{}/restore", path(name)), object([account(of)]))
        }
        Some(SnapshotsCommand::Delete { name, of }) => {
            ApiCall::delete(path(name)).with([("account", of.key.clone())])
        }
    }
}

/// The parameter that says how many entries a page has.
fn limit(page: &PageArgs) -> (&'static str, Option<String>) {
    ("limit", page.limit.map(|it| it.to_string()))
}

/// The parameter that says which page it is.
fn after(page: &PageArgs) -> (&'static str, Option<String>) {
    ("after", page.after.clone())
}

/// A name as one step of a path.
fn segment(name: &str) -> impl Display {
    utf8_percent_encode(name, RESERVED)
}
