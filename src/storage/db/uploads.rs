//! Files that are uploaded before their order: the account and the file name of each presigned URL.

use sqlx::Row;

use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::AccountId;

/// Upload that was announced, and may have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// UUID in the object key.
    pub id: String,
    pub account: AccountId,
    /// Ordinal among the uploads of the account, from 1.
    pub number: u64,
    /// Object key.
    pub key: String,
    /// Normalised file name.
    pub name: String,
}

/// Inserts a new upload.
///
/// # Errors
/// Returns [`AccountGone`](super::InternalError::AccountGone) if the account was deleted.
pub async fn insert(tx: &mut Tx, upload: &Upload) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO uploads (id, account_id, account_seq, key, name) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&upload.id)
    .bind(upload.account.0)
    .bind(i64::try_from(upload.number).unwrap_or(i64::MAX))
    .bind(&upload.key)
    .bind(&upload.name)
    .execute(tx.sqlite())
    .await?;
    Ok(())
}

/// Removes an upload that no client knows.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn remove(tx: &mut Tx, id: &str) -> StoreResult<()> {
    sqlx::query("DELETE FROM uploads WHERE id = ?")
        .bind(id)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Marks an upload as expired. An expired upload is not found, and no object is accepted under its
/// key. Returns the key, even if the upload had expired before. `None` if there is no such upload.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn expire(tx: &mut Tx, id: &str) -> StoreResult<Option<String>> {
    let row = sqlx::query("UPDATE uploads SET expired = 1 WHERE id = ? RETURNING key")
        .bind(id)
        .fetch_optional(tx.sqlite())
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Returns the account of an upload, also if the upload has expired. `None` if there is no such upload.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn account_of(from: &mut impl ReadConn, id: &str) -> StoreResult<Option<AccountId>> {
    let row = sqlx::query("SELECT account_id FROM uploads WHERE id = ?")
        .bind(id)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map(|row| AccountId(row.get(0))))
}

/// Returns the upload with `id`, of any account. `None` if there is no such upload, or if it has
/// expired.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn find(from: &mut impl ReadConn, id: &str) -> StoreResult<Option<Upload>> {
    let row = sqlx::query(
        "SELECT id, account_id, account_seq, key, name FROM uploads WHERE id = ? AND NOT expired",
    )
    .bind(id)
    .fetch_optional(from.sqlite())
    .await?;
    Ok(row.map(|row| Upload {
        id: row.get(0),
        account: AccountId(row.get(1)),
        number: u64::try_from(row.get::<i64, _>(2)).unwrap_or(0),
        key: row.get(3),
        name: row.get(4),
    }))
}
