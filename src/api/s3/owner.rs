//! Account that owns an object.

use std::sync::Arc;

use axum::extract::Request;
use futures_util::future::BoxFuture;

use super::object_path::ObjectPath;
use crate::http::Services;
use crate::model::ids::{AccountId, ClockId};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::ObjectOwner;
use crate::storage::db::InternalError;

/// Account of an object, and its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvedOwner {
    /// [`AccountId::UNOWNED`] for keys that the server does not issue. [`AccountId::DELETED`], which cannot
    /// store objects, for keys of orders and uploads that do not exist.
    pub account: AccountId,
    /// Order that the object belongs to. `None` for uploads of Undetectable and for unowned keys.
    pub order_id: Option<String>,
    /// Current time by the account's clock, else by the default clock.
    pub now: Timestamp,
}

impl ResolvedOwner {
    /// Returns the owner of `key`, and records its account and order in the journal.
    pub async fn resolve(
        state: &Services,
        entry: Option<&JournalEntry>,
        key: &str,
    ) -> Result<Self, InternalError> {
        Ok(match state.orders.object_owner(key).await? {
            ObjectOwner::Account { account, order_id } => {
                if let Some(entry) = entry {
                    entry.set_account(&account);
                    if let Some(id) = &order_id {
                        entry.set_order(id);
                    }
                }
                Self {
                    account: account.id,
                    order_id,
                    now: account.now(),
                }
            }
            ObjectOwner::Deleted => Self::on_default_clock(state, AccountId::DELETED),
            ObjectOwner::Unowned => Self::on_default_clock(state, AccountId::UNOWNED),
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

/// Returns the account of a request: the owner of its object.
pub fn resolve_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(async move {
        let path = ObjectPath::parse(request.uri().path()).ok()?;
        match state.orders.object_owner(&path.key).await.ok()? {
            ObjectOwner::Account { account, .. } => Some(account),
            ObjectOwner::Deleted | ObjectOwner::Unowned => None,
        }
    })
}
