//! The inbox: set up, posted to, read.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::described::{STORE, refuses};
use super::error::{Read, Refusal};
use crate::clock::iso;
use crate::inbox::{Message, Script};
use crate::model::ids::ClockId;
use crate::web::openapi::{Described, Input};
use crate::web::{Context, Json, Segment, Verbs, WHY, header_line, pass, read_json};
use crate::webhooks::{SIGNATURE_HEADER, verify};

const WAIT_MS_MAX: u64 = 600_000;
const DELAY_MS_MAX: u32 = 600_000;
const STATUSES_MAX: usize = 1_000;
const TOO_MANY: [(u16, &str); 1] = [(400, "too_many_boxes")];
const NAME: &str = "The box's name, any.";

#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Box")]
pub struct Settings {
    /// What is answered, one status after the other; then 200.
    respond: Vec<u16>,
    /// Real milliseconds before that.
    delay_ms: u32,
    /// What signatures are checked with; null, the secrets of the webhooks whose URL is this box.
    secret: Option<String>,
    /// The key of the account it goes with, and whose clock tells when a message came.
    account: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Messages")]
struct Listing {
    /// The newest last.
    messages: Vec<Shown>,
    /// How many older ones are kept no more.
    evicted: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Message")]
struct Shown {
    #[schemars(extend("format" = "date-time"))]
    at: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// Null where there is nothing to check it with.
    signature_valid: Option<bool>,
}

impl From<Message> for Shown {
    fn from(message: Message) -> Self {
        Self {
            at: iso(message.at),
            headers: message.headers,
            body: message.body,
            signature_valid: message.signature_valid,
        }
    }
}

fn too_many() -> Refusal {
    let hint = "remove some with DELETE /_mock/inbox/{name}";
    Refusal::bad("too_many_boxes", "there are 1000 boxes", hint)
}

pub fn describe_set(described: Described<'_>) -> Described<'_> {
    let described = described
        .does(
            "Set up a box",
            "A receiver of webhooks: register `/_mock/inbox/{name}` of this server as a webhook's \
             URL. It is made anew, empty.",
        )
        .where_input("name", NAME)
        .asks_json::<Settings>(false)
        .answers::<Settings>(200, "The box.");
    refuses(described, &[&TOO_MANY, &[(400, "bad_box")]])
}

pub async fn set(
    State(context): State<Context>,
    Segment(name): Segment,
    Read(settings): Read<Settings>,
) -> Result<Response, Refusal> {
    let wrong = settings.respond.iter().find(|it| !(200..600).contains(*it));
    if let Some(status) = wrong {
        let message = format!("respond: {status} ends no request");
        return Err(Refusal::bad("bad_box", message, "200 to 599"));
    }
    if settings.respond.len() > STATUSES_MAX || settings.delay_ms > DELAY_MS_MAX {
        let hint = format!("{STATUSES_MAX} statuses and {DELAY_MS_MAX} ms at most");
        return Err(Refusal::bad(
            "bad_box",
            "respond or delayMs: too much",
            hint,
        ));
    }
    let script = Script {
        respond: settings.respond.clone(),
        delay_ms: settings.delay_ms,
        secret: settings.secret.clone(),
        account: settings.account.clone(),
    };
    if context.inbox.set(&name, script) {
        Ok(Json(settings).into_response())
    } else {
        Err(too_many())
    }
}

pub fn describe_receive(described: Described<'_>) -> Described<'_> {
    let described = described
        .does(
            "Post to a box",
            "Anything; it is kept, and answered with the status that the box says. A box that was \
             not set up is made. No control token is wanted here.",
        )
        .where_input("name", NAME)
        .answers_nothing(200, "It is kept.");
    refuses(described, &[&TOO_MANY, &[(400, "bad_body")], &STORE])
}

pub async fn receive(
    State(context): State<Context>,
    Segment(name): Segment,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body): (_, Body) = request.into_parts();
    let (body, _) = read_json(&parts.headers, body).await?;
    let script = context.inbox.script(&name);
    let signature = parts.headers.get(SIGNATURE_HEADER);
    let signature = signature.and_then(|value| value.to_str().ok());
    let is_valid = is_signed(
        &context,
        &name,
        &script,
        &body,
        signature.unwrap_or_default(),
    );
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (header, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(header.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    let message = Message {
        at: now(&context, script.account.as_deref()),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        signature_valid: is_valid.await?,
    };
    let status = context.inbox.receive(&name, message).ok_or_else(too_many)?;
    pass(script.delay_ms).await;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let why = format!("the script of the inbox {name}");
    Ok(if status.as_u16() >= 400 {
        (status, [(WHY, header_line(&why))]).into_response()
    } else {
        status.into_response()
    })
}

fn now(verbs: &Verbs, key: Option<&str>) -> crate::model::time::Timestamp {
    let account = key.and_then(|key| verbs.accounts.get(key));
    account.map_or_else(
        || verbs.accounts.now(ClockId::DEFAULT),
        |account| account.now(),
    )
}

/// Whether the body is signed with the box's secret, or that of a webhook that comes here.
async fn is_signed(
    verbs: &Verbs,
    name: &str,
    script: &Script,
    body: &[u8],
    signature: &str,
) -> Result<Option<bool>, Refusal> {
    let secrets = match &script.secret {
        Some(secret) => vec![secret.clone()],
        None => {
            verbs
                .webhooks
                .secrets(&format!("/_mock/inbox/{name}"))
                .await?
        }
    };
    let is_valid = secrets.iter().any(|secret| verify(secret, body, signature));
    Ok((!secrets.is_empty()).then_some(is_valid))
}

pub fn describe_messages(described: Described<'_>) -> Described<'_> {
    let input = |name| Input {
        name,
        required: false,
        schema: serde_json::json!({"type": "integer", "minimum": 0}),
    };
    let described = described
        .does(
            "What is in a box",
            "Waits, if it is asked to, until there is enough.",
        )
        .where_input("name", NAME)
        .asks_query(vec![input("min"), input("waitMs")])
        .where_input(
            "min",
            "So many messages are wanted; 0 where it is left out.",
        )
        .where_input("waitMs", "So long it waits for them, in real milliseconds.")
        .answers::<Listing>(200, "There are as many as wanted.")
        .answers::<Listing>(408, "There are not, in that time.");
    refuses(described, &[&[(400, "bad_query")]])
}

pub async fn messages(
    State(context): State<Context>,
    Segment(name): Segment,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let (mut min, mut wait_ms) = (0, 0);
    let query = query.unwrap_or_default();
    for (parameter, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let into = match parameter.as_ref() {
            "min" => &mut min,
            "waitMs" => &mut wait_ms,
            other => {
                let message = format!("no parameter {other}");
                return Err(Refusal::bad("bad_query", message, "there is: min, waitMs"));
            }
        };
        let message = format!("{parameter}: {value} is no such number");
        let number: Option<u64> = value.parse().ok();
        *into = number.ok_or_else(|| Refusal::bad("bad_query", message, "a whole number"))?;
    }
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    let wait = Duration::from_millis(wait_ms.min(WAIT_MS_MAX));
    let found = context.inbox.messages(&name, min, wait).await;
    let count = found.messages.len();
    let listing = Json(Listing {
        messages: found.messages.into_iter().map(Shown::from).collect(),
        evicted: found.evicted,
    });
    if count >= min {
        return Ok(listing.into_response());
    }
    let why = format!("{count} messages came, {min} are wanted");
    let why = [(WHY, header_line(&why))];
    Ok((StatusCode::REQUEST_TIMEOUT, why, listing).into_response())
}

pub fn describe_remove(described: Described<'_>) -> Described<'_> {
    let described = described
        .does("Remove a box", "With all that is in it.")
        .where_input("name", NAME)
        .answers_nothing(204, "It is gone.");
    refuses(described, &[])
}

pub async fn remove(State(context): State<Context>, Segment(name): Segment) -> Response {
    context.inbox.remove(&name);
    StatusCode::NO_CONTENT.into_response()
}
