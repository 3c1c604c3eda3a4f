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
    Account, Accounts, Client, Clocks, Deliveries, DeliveryList, Fixtures, Inbox, OrderList,
    Orders, Page, RequestList, Requests, Rules, Snapshots, Source,
};
use body::{account, given, object, verification, with_account};
use fixtures::embed_files;

/// What stands for something else in a path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A call of the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: &'static str,
    /// With its query.
    pub path: String,
    /// JSON.
    pub body: Option<Vec<u8>>,
}

/// How the bytes of a source are had.
pub type Input<'r> = &'r dyn Fn(&Source) -> Result<Vec<u8>, String>;

impl Call {
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
pub fn call(command: &Client, read: Input<'_>) -> Result<Call, String> {
    Ok(match command {
        Client::Health { .. } => Call::get("/_mock/health"),
        Client::Metrics { .. } => Call::get("/_mock/metrics"),
        Client::Reset { of, .. } => Call::post("/_mock/reset", object([account(of)])),
        Client::Clock { verb, of, .. } => clock(verb.as_ref(), of),
        Client::Advance { by, to, of, .. } => {
            let ms_or_text = |by: &String| {
                let ms = by.parse::<u64>().map(Value::from);
                ms.unwrap_or_else(|_| by.as_str().into())
            };
            let by = by.as_ref().map(ms_or_text);
            let to = to.as_deref().map(Value::from);
            let body = object([account(of), ("by", by), ("to", to)]);
            Call::post("/_mock/clock/advance", body)
        }
        Client::Drain { timeout_ms, of, .. } => {
            let timeout_ms = timeout_ms.map(Value::from);
            let body = object([account(of), ("timeoutMs", timeout_ms)]);
            Call::post("/_mock/drain", body)
        }
        Client::Accounts { verb, page, .. } => accounts(verb.as_ref(), page, read)?,
        Client::Rules { verb, of, page, .. } => rules(verb.as_ref(), of, page, read)?,
        Client::Requests { verb, list, .. } => requests(verb.as_ref(), list, read)?,
        Client::Deliveries { verb, list, .. } => deliveries(verb.as_ref(), list),
        Client::Orders { verb, list, .. } => orders(verb.as_ref(), list, read)?,
        Client::Inbox { verb, of, page, .. } => inbox(verb.as_ref(), of, page, read)?,
        Client::Snapshots { verb, of, .. } => snapshots(verb.as_ref(), of),
        Client::Fixtures { verb, .. } => {
            let Fixtures::Load { file } = verb;
            let document = embed_files(read(file)?, file.folder())?;
            Call::put("/_mock/fixtures", document)
        }
    })
}

fn clock(verb: Option<&Clocks>, of: &Account) -> Call {
    match verb {
        None => Call::get("/_mock/clock").with([("account", of.key.clone())]),
        Some(Clocks::Set { mode, now, of }) => {
            let mode = Some(mode.word().into());
            let now = now.as_deref().map(Value::from);
            let body = object([account(of), ("mode", mode), ("now", now)]);
            Call::put("/_mock/clock", body)
        }
    }
}

fn accounts(verb: Option<&Accounts>, page: &Page, read: Input<'_>) -> Result<Call, String> {
    let path = |key: &str| format!("/_mock/accounts/{}", segment(key));
    Ok(match verb {
        None => Call::get("/_mock/accounts").with([limit(page), after(page)]),
        Some(Accounts::Show { key }) => Call::get(path(key)),
        Some(Accounts::Set { key, json }) => Call::put(path(key), given(json.as_ref(), read)?),
        Some(Accounts::Delete { key }) => Call::delete(path(key)),
    })
}

fn rules(
    verb: Option<&Rules>,
    list: &Account,
    page: &Page,
    read: Input<'_>,
) -> Result<Call, String> {
    Ok(match verb {
        None => Call::get("/_mock/rules").with([
            ("account", list.key.clone()),
            limit(page),
            after(page),
        ]),
        Some(Rules::Add { json, of }) => {
            let rule = with_account(given(Some(json), read)?, of);
            Call::post("/_mock/rules", rule)
        }
        Some(Rules::Delete { id, of }) => {
            let path = format!("/_mock/rules/{}", segment(id));
            Call::delete(path).with([("account", of.key.clone())])
        }
        Some(Rules::Clear { of }) => {
            Call::delete("/_mock/rules").with([("account", of.key.clone())])
        }
    })
}

fn requests(verb: Option<&Requests>, list: &RequestList, read: Input<'_>) -> Result<Call, String> {
    Ok(match verb {
        None => Call::get("/_mock/requests").with([
            ("account", list.of.key.clone()),
            ("operation", list.like.operation.clone()),
            ("method", list.like.method.clone()),
            ("path", list.like.path.clone()),
            ("status", list.like.status.clone()),
            ("since", list.since.map(|it| it.to_string())),
            ("limit", list.limit.map(|it| it.to_string())),
        ]),
        Some(Requests::Show { key, seq }) => {
            Call::get(format!("/_mock/requests/{}/{seq}", segment(key)))
        }
        Some(Requests::Verify(wanted)) => {
            Call::post("/_mock/requests/verify", verification(wanted, read)?)
        }
        Some(Requests::Clear { of }) => {
            Call::delete("/_mock/requests").with([("account", of.key.clone())])
        }
    })
}

fn deliveries(verb: Option<&Deliveries>, list: &DeliveryList) -> Call {
    match verb {
        None => Call::get("/_mock/deliveries").with([
            ("account", list.of.key.clone()),
            ("webhookId", list.webhook_id.clone()),
            ("eventType", list.event_type.clone()),
            limit(&list.page),
            after(&list.page),
        ]),
        Some(Deliveries::Resend { id, of }) => {
            let path = format!("/_mock/deliveries/{}/resend", segment(id));
            Call::post(path, object([account(of)]))
        }
    }
}

fn orders(verb: Option<&Orders>, list: &OrderList, read: Input<'_>) -> Result<Call, String> {
    let end = |id: &str, how: &str, body| {
        let path = format!("/_mock/orders/{}/{how}", segment(id));
        Call::post(path, body)
    };
    Ok(match verb {
        None => Call::get("/_mock/orders").with([
            ("account", list.of.key.clone()),
            ("vendor", list.vendor.clone()),
            limit(&list.page),
            after(&list.page),
        ]),
        Some(Orders::Complete { id, json, of }) => {
            let body = with_account(given(json.as_ref(), read)?, of);
            end(id, "complete", body)
        }
        Some(Orders::Fail { id, json, of }) => {
            end(id, "fail", with_account(given(json.as_ref(), read)?, of))
        }
        Some(Orders::Expire { id, of }) => end(id, "expire", object([account(of)])),
    })
}

fn inbox(
    verb: Option<&Inbox>,
    list: &Account,
    page: &Page,
    read: Input<'_>,
) -> Result<Call, String> {
    let path = |name: &str| format!("/_mock/inbox/{}", segment(name));
    Ok(match verb {
        None => Call::get("/_mock/inbox").with([
            ("account", list.key.clone()),
            limit(page),
            after(page),
        ]),
        Some(Inbox::Messages {
            name,
            min,
            timeout_ms,
            of,
        }) => Call::get(format!("{}/messages", path(name))).with([
            ("account", of.key.clone()),
            ("min", min.map(|it| it.to_string())),
            ("timeoutMs", timeout_ms.map(|it| it.to_string())),
        ]),
        Some(Inbox::Set { name, json, of }) => {
            Call::put(path(name), with_account(given(json.as_ref(), read)?, of))
        }
        Some(Inbox::Delete { name, of }) => {
            Call::delete(path(name)).with([("account", of.key.clone())])
        }
    })
}

fn snapshots(verb: Option<&Snapshots>, list: &Account) -> Call {
    let path = |name: &str| format!("/_mock/snapshots/{}", segment(name));
    match verb {
        None => Call::get("/_mock/snapshots").with([("account", list.key.clone())]),
        Some(Snapshots::Take { name, of }) => Call::put(path(name), object([account(of)])),
        Some(Snapshots::Restore { name, of }) => {
            Call::post(format!("{}/restore", path(name)), object([account(of)]))
        }
        Some(Snapshots::Delete { name, of }) => {
            Call::delete(path(name)).with([("account", of.key.clone())])
        }
    }
}

/// The parameter that says how many entries a page has.
fn limit(page: &Page) -> (&'static str, Option<String>) {
    ("limit", page.limit.map(|it| it.to_string()))
}

/// The parameter that says which page it is.
fn after(page: &Page) -> (&'static str, Option<String>) {
    ("after", page.after.clone())
}

/// A name as one step of a path.
fn segment(name: &str) -> impl Display {
    utf8_percent_encode(name, RESERVED)
}
