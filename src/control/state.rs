//! The server as a whole: is it there, and as fresh.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::error::{Read, Refusal};
use crate::web::{Context, Json};

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

pub async fn health() -> Response {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
    .into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    account: Option<String>,
}

pub async fn reset(
    State(context): State<Context>,
    Read(body): Read<Reset>,
) -> Result<Response, Refusal> {
    if let Some(key) = body.account {
        context.accounts.forget(&key).await?;
    } else {
        context.rules.clear(None).await?;
        context.worker.reset().await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
