//! Undetectable's uploads: which account a presigned URL was given to, and for what name.

use sqlx::Row;

use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::AccountId;

/// An upload that may come, or has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The UUID in the object's key.
    pub id: String,
    pub account: AccountId,
    /// The how-manieth of its account it is, from 1.
    pub number: u64,
    /// The object's key.
    pub key: String,
    /// The file's name, normalised.
    pub name: String,
}

/// Keeps a new upload.
///
/// # Errors
/// If the account is gone.
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

/// Forgets an upload that no client was told of.
///
/// # Errors
/// If it cannot be written.
pub async fn remove(tx: &mut Tx, id: &str) -> StoreResult<()> {
    sqlx::query("DELETE FROM uploads WHERE id = ?")
        .bind(id)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// The upload expires: nothing is found or taken under its key any more. The key, also of one that
/// has expired before.
///
/// # Errors
/// If it cannot be written.
pub async fn expire(tx: &mut Tx, id: &str) -> StoreResult<Option<String>> {
    let row = sqlx::query("UPDATE uploads SET expired = 1 WHERE id = ? RETURNING key")
        .bind(id)
        .fetch_optional(tx.sqlite())
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Whose the upload of that id is, or was before it expired.
///
/// # Errors
/// If it cannot be read.
pub async fn account_of(from: &mut impl ReadConn, id: &str) -> StoreResult<Option<AccountId>> {
    let row = sqlx::query("SELECT account_id FROM uploads WHERE id = ?")
        .bind(id)
        .fetch_optional(from.sqlite())
        .await?;
    Ok(row.map(|row| AccountId(row.get(0))))
}

/// The upload of that id, whosever it is, unless it has expired.
///
/// # Errors
/// If it cannot be read.
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
