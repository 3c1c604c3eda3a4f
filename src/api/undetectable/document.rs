//! Document that `/query` and `/bulk-upload/query` are about.

use std::sync::Arc;

use super::error::ApiError;
use super::fields::{FieldReader, canonical_uuid};
use super::python_json::PyValue;
use crate::http::Services;
use crate::model::order::{Order, Vendor};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;

/// Reads the field `id`.
pub fn read_id(fields: &mut FieldReader) -> String {
    fields.required_text("id")
}

/// Returns the document named in `body`, with its account, and records both in the journal. `None`
/// if no document has the id: the vendor answers null.
///
/// # Errors
/// Returns 422 if `body` has no valid `id`.
pub async fn find_document(
    state: &Services,
    body: &PyValue,
    entry: &JournalEntry,
) -> Result<Option<(Arc<Account>, Arc<Order>)>, ApiError> {
    let mut fields = FieldReader::for_body(body);
    let sent_id = read_id(&mut fields);
    fields.finish()?;
    let id = canonical_uuid(&sent_id).unwrap_or(sent_id);
    let Some(order) = state.orders.find(Vendor::Undetectable, &id).await? else {
        return Ok(None);
    };
    let Some(account) = state.accounts.by_id(order.account) else {
        return Ok(None);
    };
    entry.set_account(&account);
    entry.set_order(&order.id);
    Ok(Some((account, order)))
}
