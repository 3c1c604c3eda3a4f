//! The document that `/query` and `/bulk-upload/query` are asked about.

use std::sync::Arc;

use super::error::ApiError;
use super::fields::{FieldReader, canonical_uuid};
use super::python_json::PyValue;
use crate::http::Services;
use crate::model::order::{Order, Vendor};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;

/// The id that is asked for.
pub fn read(fields: &mut FieldReader) -> String {
    fields.required_text("id")
}

/// The document that is asked for, and whose it is; the vendor answers null where there is none.
pub async fn find(
    verbs: &Services,
    body: &PyValue,
    entry: &JournalEntry,
) -> Result<Option<(Arc<Account>, Arc<Order>)>, ApiError> {
    let mut fields = FieldReader::of_body(body);
    let id = read(&mut fields);
    fields.finish()?;
    let id = canonical_uuid(&id).unwrap_or(id);
    let found = verbs.orders.find(Vendor::Undetectable, &id).await?;
    let owned = found.and_then(|order| Some((verbs.accounts.by_id(order.account)?, order)));
    if let Some((account, _)) = &owned {
        entry.set_account(account);
    }
    Ok(owned)
}
