//! Rules. Each row has the whole rule as JSON, and its counts.

use sqlx::Row;

use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::AccountId;
use crate::model::rule::{Rule, RuleCounts, RuleId};

/// Row of a rule.
#[derive(Debug, Clone)]
pub struct RuleRow {
    pub id: RuleId,
    /// Account that the rule is limited to. `None` if it applies to all accounts.
    pub account: Option<AccountId>,
    /// Ordinal among the rules of the account, from 1.
    pub number: u64,
    /// Length of the JSON.
    pub bytes: usize,
    pub rule: Rule,
    pub counts: RuleCounts,
}

/// Returns all rules, in the order of their creation.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn all(from: &mut impl ReadConn) -> StoreResult<Vec<RuleRow>> {
    let rows = sqlx::query(
        "SELECT id, account_id, account_seq, body, matched, applied FROM rules ORDER BY id",
    )
    .fetch_all(from.sqlite())
    .await?;
    let of = |row: &sqlx::sqlite::SqliteRow| {
        let count = |column: usize| u64::try_from(row.get::<i64, _>(column)).unwrap_or(0);
        let body: &str = row.get(3);
        Ok(RuleRow {
            id: RuleId(row.get(0)),
            account: row.get::<Option<i64>, _>(1).map(AccountId),
            number: count(2),
            bytes: body.len(),
            rule: serde_json::from_str(body)?,
            counts: RuleCounts {
                matched: count(4),
                applied: count(5),
            },
        })
    };
    rows.iter().map(of).collect()
}

/// Returns the length of a rule's JSON.
///
/// # Errors
/// Returns an error if the rule cannot be written as JSON, which no rule of this program is.
pub fn bytes(rule: &Rule) -> StoreResult<usize> {
    Ok(serde_json::to_vec(rule)?.len())
}

/// Inserts a new rule.
///
/// # Errors
/// Returns [`InternalError::AccountGone`](super::InternalError::AccountGone) if the account was deleted.
pub async fn insert(tx: &mut Tx, account: Option<AccountId>, rule: Rule) -> StoreResult<RuleRow> {
    let body = serde_json::to_string(&rule)?;
    let bytes = body.len();
    let row = sqlx::query(
        "INSERT INTO rules (account_id, account_seq, body)
         VALUES (?1, (SELECT COALESCE(MAX(account_seq), 0) + 1 FROM rules WHERE account_id IS ?1), ?2)
         RETURNING id, account_seq",
    )
    .bind(account.map(|account| account.0))
    .bind(body)
    .fetch_one(tx.sqlite())
    .await?;
    Ok(RuleRow {
        id: RuleId(row.get(0)),
        account,
        number: u64::try_from(row.get::<i64, _>(1)).unwrap_or(0),
        bytes,
        rule,
        counts: RuleCounts::default(),
    })
}

/// Replaces a rule, and keeps its id and its counts. Returns the length of the new JSON.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn update(tx: &mut Tx, id: RuleId, rule: &Rule) -> StoreResult<usize> {
    let body = serde_json::to_string(rule)?;
    let bytes = body.len();
    sqlx::query("UPDATE rules SET body = ? WHERE id = ?")
        .bind(body)
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(bytes)
}

/// Writes the counts of a rule.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn count(tx: &mut Tx, id: RuleId, counts: RuleCounts) -> StoreResult<()> {
    let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query("UPDATE rules SET matched = ?, applied = ? WHERE id = ?")
        .bind(number(counts.matched))
        .bind(number(counts.applied))
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Removes a rule.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delete(tx: &mut Tx, id: RuleId) -> StoreResult<()> {
    sqlx::query("DELETE FROM rules WHERE id = ?")
        .bind(id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Removes the rules that apply to all accounts.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delete_global(tx: &mut Tx) -> StoreResult<()> {
    sqlx::query("DELETE FROM rules WHERE account_id IS NULL")
        .execute(tx.sqlite())
        .await?;
    Ok(())
}
