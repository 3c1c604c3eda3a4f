//! The inbox: set up, posted to, read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::described::{ACCOUNT, STORE, refuses};
use super::error::{Read, Refusal};
use super::listing;
use super::query::Query;
use super::whose::{AccountKey, account};
use crate::accounts::Account;
use crate::clock::iso;
use crate::inbox::{BOXES_MAX, MESSAGE_BYTES_MAX, MESSAGES_MAX, Message, Opened, Received, Script};
use crate::model::ids::ClockId;
use crate::model::time::Timestamp;
use crate::web::openapi::{Described, Input};
use crate::web::{
    BodyRefusal, Context, Json, Segment, Verbs, X_MOCK_REASON, header_line, pass, read_bytes,
};
use crate::webhooks::{SIGNATURE_HEADER, verify};

const WAIT_MS_MAX: u64 = 600_000;
const DELAY_MS_MAX: u32 = 600_000;
const STATUSES_MAX: usize = 1_000;
const SECRET_BYTES_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 200;
const BAD: [(u16, &str); 2] = [(400, "bad_box"), (400, "too_many_boxes")];
const NAME: &str = "The box's name, any of 200 bytes at most.";

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
    account: Option<AccountKey>,
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
    /// By the clock of the box's account, or else the default clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// By the box's secret, or those of the webhooks whose URL is this box; null where there is
    /// none of either.
    signature_valid: Option<bool>,
}

impl From<&Message> for Shown {
    fn from(message: &Message) -> Self {
        Self {
            at: iso(message.at),
            headers: message.headers.clone(),
            body: message.body.clone(),
            signature_valid: message.signature_valid,
        }
    }
}

fn too_many() -> Refusal {
    let hint = "remove some with DELETE /_mock/inbox/{name}";
    Refusal::bad(
        "too_many_boxes",
        format!("there are {BOXES_MAX} boxes"),
        hint,
    )
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the box's name has {} bytes", name.len());
    let hint = format!("{NAME_BYTES_MAX} at most");
    Err(Refusal::bad("bad_box", message, hint))
}

fn check(settings: &Settings) -> Result<(), Refusal> {
    let bad = |message: String, hint: String| Err(Refusal::bad("bad_box", message, hint));
    let mut statuses = settings.respond.iter();
    if let Some(status) = statuses.find(|it| !(200..600).contains(*it)) {
        return bad(
            format!("respond: {status} ends no request"),
            "200 to 599".to_owned(),
        );
    }
    if settings.respond.len() > STATUSES_MAX {
        let message = format!("respond: {} statuses", settings.respond.len());
        return bad(message, format!("{STATUSES_MAX} at most"));
    }
    if settings.delay_ms > DELAY_MS_MAX {
        let message = format!("delayMs: {} is too long", settings.delay_ms);
        return bad(message, format!("{DELAY_MS_MAX} at most"));
    }
    match settings.secret.as_ref().map(String::len) {
        Some(0) => bad(
            "secret: is empty".to_owned(),
            "leave it out, and the secrets of the webhooks that come here are taken".to_owned(),
        ),
        Some(bytes) if bytes > SECRET_BYTES_MAX => bad(
            format!("secret: has {bytes} bytes"),
            format!("{SECRET_BYTES_MAX} at most"),
        ),
        _ => Ok(()),
    }
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
    refuses(described, &[&BAD, &ACCOUNT, &STORE])
}

pub async fn set(
    State(context): State<Context>,
    Segment(name): Segment,
    Read(settings): Read<Settings>,
) -> Result<Response, Refusal> {
    check_name(&name)?;
    check(&settings)?;
    account(&context, settings.account.as_deref()).await?;
    let script = Script {
        respond: settings.respond.clone(),
        delay_ms: settings.delay_ms,
        secret: settings.secret.clone(),
        account: settings.account.clone().map(String::from),
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
            "Anything of 1 MiB at most; it is kept, and answered with the status that the box says. \
             A box that was not set up is made. No control token is wanted here.",
        )
        .where_input("name", NAME)
        .answers_nothing(200, "It is kept.");
    let large = [(400, "bad_body"), (400, "message_too_large")];
    refuses(described, &[&BAD, &large, &[(409, "box_gone")]])
}

pub async fn receive(
    State(context): State<Context>,
    Segment(name): Segment,
    request: Request,
) -> Result<Response, Refusal> {
    check_name(&name)?;
    let opened = context.inbox.open(&name);
    let (parts, body) = request.into_parts();
    let body = read_bytes(body, MESSAGE_BYTES_MAX).await;
    let body = body.map_err(|refusal| match refusal {
        BodyRefusal::TooLarge => {
            let message = format!("the message has more than {MESSAGE_BYTES_MAX} bytes");
            Refusal::bad("message_too_large", message, "a box keeps no larger ones")
        }
        BodyRefusal::CutShort | BodyRefusal::Stalled(_) => refusal.into(),
    })?;
    let message = read(&context, &name, &opened, &parts, &body).await?;
    match context.inbox.receive(&name, &opened, message) {
        Received::Kept(status) => Ok(answer(&name, &opened, status).await),
        Received::Full => Err(too_many()),
        Received::Gone => {
            let message = format!("the box {name} was removed or set up anew meanwhile");
            Err(Refusal::conflict("box_gone", message, "post it again"))
        }
    }
}

async fn answer(name: &str, opened: &Opened, status: u16) -> Response {
    pass(opened.script.delay_ms).await;
    let answered = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if status < 400 {
        return answered.into_response();
    }
    let why = header_line(&format!("the inbox {name} was told to answer so"));
    (answered, [(X_MOCK_REASON, why)]).into_response()
}

/// The message, as it is kept.
async fn read(
    verbs: &Verbs,
    name: &str,
    opened: &Opened,
    parts: &Parts,
    body: &[u8],
) -> Result<Message, Refusal> {
    let key = opened.script.account.as_deref();
    let account = key.and_then(|key| verbs.accounts.get(key));
    let account = account.as_deref();
    let secrets = match &opened.script.secret {
        Some(secret) => vec![secret.clone()],
        None => secrets(verbs, name, account, parts).await?,
    };
    let signature = parts.headers.get(SIGNATURE_HEADER);
    let signature = signature.and_then(|value| value.to_str().ok());
    let signature = signature.unwrap_or_default();
    let is_valid = || secrets.iter().any(|secret| verify(secret, body, signature));
    Ok(Message {
        at: now(verbs, account),
        headers: headers(&parts.headers),
        body: String::from_utf8_lossy(body).into_owned(),
        signature_valid: (!secrets.is_empty()).then(is_valid),
    })
}

fn now(verbs: &Verbs, account: Option<&Account>) -> Timestamp {
    account.map_or_else(|| verbs.accounts.now(ClockId::DEFAULT), Account::now)
}

/// Those of the webhooks that come here: their URLs end with the box's path, as it was called or
/// as it reads.
async fn secrets(
    verbs: &Verbs,
    name: &str,
    account: Option<&Account>,
    parts: &Parts,
) -> Result<Vec<String>, Refusal> {
    let called = parts.uri.path_and_query().map(ToString::to_string);
    let read = format!("/_mock/inbox/{name}");
    let mut found = verbs.webhooks.secrets(account, &read).await?;
    if let Some(called) = called.filter(|called| *called != read) {
        found.extend(verbs.webhooks.secrets(account, &called).await?);
    }
    Ok(found)
}

/// By name; what came more than once is joined by a comma.
fn headers(sent: &HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (header, value) in sent {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(header.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    headers
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
            "So many messages are wanted, 1000 at most; 0 where it is left out.",
        )
        .where_input(
            "waitMs",
            "So long it waits for them, in real milliseconds, ten minutes at most.",
        )
        .answers::<Listing>(200, "There are as many as wanted.")
        .answers::<Listing>(408, "There are not, in that time.");
    refuses(described, &[&[(400, "bad_query")]])
}

pub async fn messages(
    State(context): State<Context>,
    Segment(name): Segment,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["min", "waitMs"])?;
    let min: u64 = query.number("min")?.unwrap_or_default();
    let wait_ms: u64 = query.number("waitMs")?.unwrap_or_default();
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    if min > MESSAGES_MAX {
        let message = format!("min: {min} will never be there");
        let hint = format!("a box keeps {MESSAGES_MAX} messages at most");
        return Err(Refusal::bad("bad_query", message, hint));
    }
    let wait = Duration::from_millis(wait_ms.min(WAIT_MS_MAX));
    let messages = |wait| context.inbox.messages(&name, min, wait);
    let found = context.long_poll(wait, messages).await;
    let count = found.messages.len();
    let frame = Listing {
        messages: Vec::new(),
        evicted: found.evicted,
    };
    let show = |message: Arc<Message>| Some(Shown::from(message.as_ref()));
    let listing = listing::answer(&frame, "messages", found.messages, show).await?;
    if count >= min {
        return Ok(listing);
    }
    let why = format!("{count} messages came, {min} are wanted");
    let why = [(X_MOCK_REASON, header_line(&why))];
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
