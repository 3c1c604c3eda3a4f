//! The storage front door, `/_s3`: presigned PUT, GET and HEAD of objects as S3 answers them.
//!
//! Operations: `storage.put`, `storage.get`, `storage.head`, `storage.options`. Every request
//! is signed; the signature is judged before anything else is told. Objects are streamed to
//! and from disk: a request holds a few buffers, whatever its size. An upload that breaks off, or
//! whose digest or condition does not hold, leaves no object and replaces none. A bucket may be named
//! by the host as well ([`to_path_style`]). Every answer carries `x-amz-request-id`, every error `X-Mock-Reason`.

mod conditions;
mod error;
mod fields;
mod framing;
mod get;
mod integrity;
mod metadata;
mod object;
mod put;
mod range;
mod strict;
mod target;
mod virtual_host;
mod xml;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderName, Method, Uri, header};
use axum::response::Response;
use futures_util::future::BoxFuture;
use tower_http::cors::{Any, CorsLayer};

use crate::http::{AppState, Routes, Services, X_MOCK_REASON};
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders;
use crate::storage::db::StoreError;
use target::Target;
pub use virtual_host::to_path_style;

/// Path under which objects are served in path style.
const PREFIX: &str = "/_s3";
/// Time for which a browser may keep the response to a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// Account of an object, and its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ResolvedOwner {
    /// The account; [`AccountId::UNOWNED`] for keys that were given to none, and
    /// [`AccountId::DELETED`], which has no room for objects, for those of orders that are gone.
    account: AccountId,
    /// The order the object was put for, if it was.
    order_id: Option<String>,
    /// Its now; nobody's is the default clock's.
    now: Timestamp,
}

impl ResolvedOwner {
    /// Returns the owner of `key`, and records its account at the journal's `entry`.
    async fn resolve(
        state: &Services,
        entry: Option<&JournalEntry>,
        key: &str,
    ) -> Result<Self, StoreError> {
        Ok(match state.orders.object_owner(key).await? {
            orders::ObjectOwner::Account { account, order_id } => {
                if let Some(entry) = entry {
                    entry.set_account(&account);
                }
                Self {
                    account: account.id,
                    order_id,
                    now: account.now(),
                }
            }
            orders::ObjectOwner::Deleted => Self::on_default_clock(state, AccountId::DELETED),
            orders::ObjectOwner::Unowned => Self::on_default_clock(state, AccountId::UNOWNED),
        })
    }

    fn on_default_clock(state: &Services, account: AccountId) -> Self {
        Self {
            account,
            order_id: None,
            now: state.accounts.now(ClockId::DEFAULT),
        }
    }
}

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<AppState>) -> Routes {
    const OBJECT: &str = "/_s3/{*path}";
    let serve = || Handler::<_, AppState>::layer(object::handle, cors());
    Routes::new(context)
        .account_resolver(resolve_account)
        .on("storage.put", Method::PUT, OBJECT, serve())
        .on("storage.get", Method::GET, OBJECT, serve())
        .on("storage.head", Method::HEAD, OBJECT, serve())
        .on("storage.options", Method::OPTIONS, OBJECT, serve())
}

/// Returns the account of a request: the owner of its object.
pub fn resolve_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(async move {
        let target = Target::of(request.uri().path()).ok()?;
        match state.orders.object_owner(&target.key).await.ok()? {
            orders::ObjectOwner::Account { account, .. } => Some(account),
            orders::ObjectOwner::Deleted | orders::ObjectOwner::Unowned => None,
        }
    })
}

/// Any origin may call; the layer answers preflights itself.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT])
        .allow_headers(Any)
        .expose_headers([
            header::ETAG,
            header::ACCEPT_RANGES,
            header::CONTENT_RANGE,
            header::CONTENT_DISPOSITION,
            error::REQUEST_ID,
            X_MOCK_REASON,
            HeaderName::from_static("x-mock-request"),
        ])
        .max_age(PREFLIGHT_AGE)
        // No answer depends on the request, so none may vary: caches keep one per URL.
        .vary([])
}

/// The answer to a method that objects do not have, or a path that names none.
#[must_use]
pub fn unknown_route(request: &Request) -> Response {
    object::not_allowed(request)
}

/// Returns the response to a request without a valid `Host` header.
#[must_use]
pub fn bad_host(method: &Method, uri: &Uri, line: &str) -> Response {
    object::bad_host(method, uri, line)
}

/// The answer where a handler of ours panicked.
#[must_use]
pub fn panicked() -> Response {
    object::panicked()
}
