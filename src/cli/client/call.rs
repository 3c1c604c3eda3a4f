//! Calls that the commands make.

mod body;
mod fixtures;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::cli::commands::{
    AccountArg, AccountList, AccountsCommand, ClientCommand, ClockCommand, DeliveriesCommand,
    DeliveryList, FixturesCommand, InboxCommand, JsonSource, OrderList, OrdersCommand, PageArgs,
    RequestList, RequestsCommand, RulesCommand, SnapshotsCommand,
};
use body::{account_field, json_or_empty, object, verify_body, with_account};
use fixtures::embed_files;

/// Characters to percent-encode in a path segment: all but the unreserved ones of RFC 3986 §2.3.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A call of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCall {
    pub method: &'static str,
    /// Path with the query.
    pub path: String,
    /// JSON. `None` if the call has no body.
    pub body: Option<Vec<u8>>,
}

/// Function that reads a source.
pub type ReadSource<'r> = &'r dyn Fn(&JsonSource) -> Result<Vec<u8>, String>;

impl ApiCall {
    pub(super) fn get(path: impl Into<String>) -> Self {
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

    /// Appends the parameters that have a value to the query.
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

/// Returns the call that a command makes.
///
/// # Errors
/// Returns one line if JSON or files to send cannot be read.
pub fn call(command: &ClientCommand, read: ReadSource<'_>) -> Result<ApiCall, String> {
    Ok(match command {
        ClientCommand::Health { .. } => ApiCall::get("/_mock/health"),
        ClientCommand::Info { account, .. } => {
            ApiCall::get("/_mock/info").with([("account", account.key.clone())])
        }
        ClientCommand::Operations { .. } => ApiCall::get("/_mock/operations"),
        ClientCommand::Metrics { .. } => ApiCall::get("/_mock/metrics"),
        ClientCommand::Reset { account, .. } => {
            ApiCall::post("/_mock/reset", object([account_field(account)]))
        }
        ClientCommand::Clock {
            command, account, ..
        } => clock(command.as_ref(), account),
        ClientCommand::Advance {
            by, to, account, ..
        } => {
            let ms_or_text = |by: &String| {
                let ms = by.parse::<u64>().map(Value::from);
                ms.unwrap_or_else(|_| by.as_str().into())
            };
            // `next` is a target, but reads better without a flag.
            let (by, to) = match by.as_deref() {
                Some("next") => (&None, by),
                _ => (by, to),
            };
            let by = by.as_ref().map(ms_or_text);
            let to = to.as_deref().map(Value::from);
            let body = object([account_field(account), ("by", by), ("to", to)]);
            ApiCall::post("/_mock/clock/advance", body)
        }
        ClientCommand::Drain {
            timeout_ms,
            account,
            ..
        } => {
            let timeout_ms = timeout_ms.map(Value::from);
            let body = object([account_field(account), ("timeoutMs", timeout_ms)]);
            ApiCall::post("/_mock/drain", body)
        }
        ClientCommand::Accounts { command, page, .. } => accounts(command.as_ref(), page, read)?,
        ClientCommand::Rules {
            command,
            account,
            page,
            ..
        } => rules(command.as_ref(), account, page, read)?,
        ClientCommand::Requests { command, list, .. } => requests(command.as_ref(), list, read)?,
        ClientCommand::Jobs { list, .. } => account_list("/_mock/jobs", list),
        ClientCommand::Webhooks { list, .. } => account_list("/_mock/webhooks", list),
        ClientCommand::Events { since, account, .. } => ApiCall::get("/_mock/events").with([
            ("account", account.key.clone()),
            ("since", since.map(|since| since.to_string())),
        ]),
        ClientCommand::Deliveries { command, list, .. } => deliveries(command.as_ref(), list),
        ClientCommand::Orders { command, list, .. } => orders(command.as_ref(), list, read)?,
        ClientCommand::Inbox {
            command,
            account,
            page,
            ..
        } => inbox(command.as_ref(), account, page, read)?,
        ClientCommand::Snapshots {
            command, account, ..
        } => snapshots(command.as_ref(), account),
        ClientCommand::Fixtures { command, .. } => match command {
            FixturesCommand::Load { file } => {
                let document = embed_files(read(file)?, file.folder())?;
                ApiCall::put("/_mock/fixtures", document)
            }
            FixturesCommand::Export { key } => {
                ApiCall::get("/_mock/fixtures").with([("account", Some(key.clone()))])
            }
        },
    })
}

fn clock(command: Option<&ClockCommand>, account: &AccountArg) -> ApiCall {
    match command {
        None => ApiCall::get("/_mock/clock").with([("account", account.key.clone())]),
        Some(ClockCommand::Set { mode, now, account }) => {
            let mode = Some(mode.as_str().into());
            let now = now.as_deref().map(Value::from);
            let body = object([account_field(account), ("mode", mode), ("now", now)]);
            ApiCall::put("/_mock/clock", body)
        }
    }
}

fn accounts(
    command: Option<&AccountsCommand>,
    page: &PageArgs,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    let path = |key: &str| format!("/_mock/accounts/{}", segment(key));
    Ok(match command {
        None => ApiCall::get("/_mock/accounts").with([limit(page), after(page)]),
        Some(AccountsCommand::Show { key }) => ApiCall::get(path(key)),
        Some(AccountsCommand::Set { key, json }) => {
            ApiCall::put(path(key), json_or_empty(json.as_ref(), read)?)
        }
        Some(AccountsCommand::Delete { key }) => ApiCall::delete(path(key)),
    })
}

fn rules(
    command: Option<&RulesCommand>,
    list: &AccountArg,
    page: &PageArgs,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    Ok(match command {
        None => ApiCall::get("/_mock/rules").with([
            ("account", list.key.clone()),
            limit(page),
            after(page),
        ]),
        Some(RulesCommand::Add { json, account }) => {
            let rule = with_account(json_or_empty(Some(json), read)?, account);
            ApiCall::post("/_mock/rules", rule)
        }
        Some(RulesCommand::Set { id, json, account }) => {
            let rule = with_account(json_or_empty(Some(json), read)?, account);
            ApiCall::put(format!("/_mock/rules/{}", segment(id)), rule)
        }
        Some(RulesCommand::Delete { id, account }) => {
            let path = format!("/_mock/rules/{}", segment(id));
            ApiCall::delete(path).with([("account", account.key.clone())])
        }
        Some(RulesCommand::Clear { account }) => {
            ApiCall::delete("/_mock/rules").with([("account", account.key.clone())])
        }
    })
}

fn requests(
    command: Option<&RequestsCommand>,
    list: &RequestList,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    Ok(match command {
        None => ApiCall::get("/_mock/requests").with([
            ("account", list.account.key.clone()),
            ("operation", list.filter.operation.clone()),
            ("method", list.filter.method.clone()),
            ("path", list.filter.path.clone()),
            ("status", list.filter.status.clone()),
            ("since", list.since.map(|it| it.to_string())),
            ("limit", list.limit.map(|it| it.to_string())),
        ]),
        Some(RequestsCommand::Show { key, seq }) => {
            ApiCall::get(format!("/_mock/requests/{}/{seq}", segment(key)))
        }
        Some(RequestsCommand::Verify(wanted)) => {
            ApiCall::post("/_mock/requests/verify", verify_body(wanted, read)?)
        }
        Some(RequestsCommand::Clear { account }) => {
            ApiCall::delete("/_mock/requests").with([("account", account.key.clone())])
        }
    })
}

fn account_list(path: &str, list: &AccountList) -> ApiCall {
    ApiCall::get(path).with([
        ("account", list.account.key.clone()),
        limit(&list.page),
        after(&list.page),
    ])
}

fn deliveries(command: Option<&DeliveriesCommand>, list: &DeliveryList) -> ApiCall {
    match command {
        None => ApiCall::get("/_mock/deliveries").with([
            ("account", list.account.key.clone()),
            ("webhookId", list.webhook_id.clone()),
            ("eventType", list.event_type.clone()),
            ("orderId", list.order_id.clone()),
            limit(&list.page),
            after(&list.page),
        ]),
        Some(DeliveriesCommand::Resend { id, account }) => {
            let path = format!("/_mock/deliveries/{}/resend", segment(id));
            ApiCall::post(path, object([account_field(account)]))
        }
    }
}

fn orders(
    command: Option<&OrdersCommand>,
    list: &OrderList,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    let end = |id: &str, how: &str, body| {
        let path = format!("/_mock/orders/{}/{how}", segment(id));
        ApiCall::post(path, body)
    };
    Ok(match command {
        None => ApiCall::get("/_mock/orders").with([
            ("account", list.account.key.clone()),
            ("vendor", list.vendor.clone()),
            limit(&list.page),
            after(&list.page),
        ]),
        Some(OrdersCommand::Show { id, account }) => {
            let path = format!("/_mock/orders/{}", segment(id));
            ApiCall::get(path).with([("account", account.key.clone())])
        }
        Some(OrdersCommand::Complete { id, json, account }) => {
            let body = with_account(json_or_empty(json.as_ref(), read)?, account);
            end(id, "complete", body)
        }
        Some(OrdersCommand::Fail { id, json, account }) => end(
            id,
            "fail",
            with_account(json_or_empty(json.as_ref(), read)?, account),
        ),
        Some(OrdersCommand::Expire { id, account }) => {
            end(id, "expire", object([account_field(account)]))
        }
    })
}

fn inbox(
    command: Option<&InboxCommand>,
    list: &AccountArg,
    page: &PageArgs,
    read: ReadSource<'_>,
) -> Result<ApiCall, String> {
    let path = |name: &str| format!("/_mock/inbox/{}", segment(name));
    Ok(match command {
        None => ApiCall::get("/_mock/inbox").with([
            ("account", list.key.clone()),
            limit(page),
            after(page),
        ]),
        Some(InboxCommand::Messages {
            name,
            min,
            timeout_ms,
            account,
        }) => ApiCall::get(format!("{}/messages", path(name))).with([
            ("account", account.key.clone()),
            ("min", min.map(|it| it.to_string())),
            ("timeoutMs", timeout_ms.map(|it| it.to_string())),
        ]),
        Some(InboxCommand::Set {
            name,
            json,
            account,
        }) => ApiCall::put(
            path(name),
            with_account(json_or_empty(json.as_ref(), read)?, account),
        ),
        Some(InboxCommand::Delete { name, account }) => {
            ApiCall::delete(path(name)).with([("account", account.key.clone())])
        }
    })
}

fn snapshots(command: Option<&SnapshotsCommand>, list: &AccountArg) -> ApiCall {
    let path = |name: &str| format!("/_mock/snapshots/{}", segment(name));
    match command {
        None => ApiCall::get("/_mock/snapshots").with([("account", list.key.clone())]),
        Some(SnapshotsCommand::Take { name, account }) => {
            ApiCall::put(path(name), object([account_field(account)]))
        }
        Some(SnapshotsCommand::Restore { name, account }) => ApiCall::post(
            format!("{}/restore", path(name)),
            object([account_field(account)]),
        ),
        Some(SnapshotsCommand::Delete { name, account }) => {
            ApiCall::delete(path(name)).with([("account", account.key.clone())])
        }
    }
}

fn limit(page: &PageArgs) -> (&'static str, Option<String>) {
    ("limit", page.limit.map(|it| it.to_string()))
}

fn after(page: &PageArgs) -> (&'static str, Option<String>) {
    ("after", page.after.clone())
}

/// Percent-encodes a name as one segment of a path.
fn segment(name: &str) -> impl Display {
    utf8_percent_encode(name, RESERVED)
}
