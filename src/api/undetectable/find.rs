//! The document that `/query` and `/bulk-upload/query` are asked about.

use std::sync::Arc;

use super::error::Refusal;
use super::fields::{Fields, canonical_uuid};
use super::python_json::Value;
use crate::http::Verbs;
use crate::model::order::{Order, Vendor};
use crate::services::accounts::Account;
use crate::services::journal::Entry;

/// The id that is asked for.
pub fn read(fields: &mut Fields) -> String {
    fields.required_text("id")
}

/// The document that is asked for, and whose it is; the vendor answers null where there is none.
pub async fn find(
    verbs: &Verbs,
    body: &Value,
    entry: &Entry,
) -> Result<Option<(Arc<Account>, Arc<Order>)>, Refusal> {
    let mut fields = Fields::of_body(body);
    let id = read(&mut fields);
    fields.fit()?;
    let id = canonical_uuid(&id).unwrap_or(id);
    let found = verbs.orders.find(Vendor::Undetectable, &id).await?;
    let owned = found.and_then(|order| Some((verbs.accounts.by_id(order.account)?, order)));
    if let Some((account, _)) = &owned {
        entry.belongs_to(account);
    }
    Ok(owned)
}
