//! Snapshots: copies of rows in a database with the same tables.
//!
//! A restore creates new accounts with the rows of the snapshot. Jobs and requests of the replaced
//! accounts therefore find none of these rows. Public ids stay. Internal numbers (`seq` of orders, `id`
//! of jobs) are new.

use std::path::Path;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::accounts::AccountRow;
use super::rules::RuleRow;
use super::{Db, ReadConn, StoreResult, Tx, sealed};
use crate::model::ids::AccountId;
use crate::platform::clock::Clock;

/// Maximum number of rows that one statement writes.
const ROWS_MAX: usize = 256;

/// Table with an `account_id`, or with a reference to such a table.
struct Table {
    name: &'static str,
    /// Columns to copy, in the order of the values.
    columns: &'static [&'static str],
    /// SQL condition for the rows of account `?1`.
    filter: &'static str,
    order: &'static str,
}

const ACCOUNT_FILTER: &str = "account_id = ?1";

/// Referenced tables come first. The triggers of `orders` fill `order_counts`.
const TABLES: [Table; 7] = [
    Table {
        name: "orders",
        columns: &[
            "account_id",
            "id",
            "account_seq",
            "vendor",
            "type",
            "status",
            "name",
            "created_at",
            "operation",
            "idempotency_key",
            "body",
        ],
        filter: ACCOUNT_FILTER,
        order: "seq",
    },
    Table {
        name: "uploads",
        columns: &["account_id", "id", "account_seq", "key", "name", "expired"],
        filter: ACCOUNT_FILTER,
        order: "account_seq",
    },
    Table {
        name: "endpoints",
        columns: &[
            "account_id",
            "id",
            "vendor",
            "snowflake",
            "name",
            "url",
            "secret",
            "test",
            "active",
            "last_sent_at",
            "created_at",
            "updated_at",
            "legacy",
        ],
        filter: ACCOUNT_FILTER,
        order: "id",
    },
    Table {
        name: "events",
        columns: &["account_id", "id", "vendor", "type", "order_id", "body"],
        filter: ACCOUNT_FILTER,
        order: "id",
    },
    Table {
        name: "deliveries",
        columns: &[
            "id",
            "event_id",
            "endpoint_id",
            "status",
            "retries",
            "due_at",
            "last_sent_at",
            "created_at",
            "deferred_attempt",
        ],
        filter: "event_id IN (SELECT id FROM events WHERE account_id = ?1)",
        order: "id",
    },
    Table {
        name: "attempts",
        columns: &[
            "account_id",
            "account_seq",
            "endpoint_id",
            "delivery_id",
            "event_id",
            "body",
        ],
        filter: ACCOUNT_FILTER,
        order: "id",
    },
    Table {
        name: "jobs",
        columns: &["account_id", "clock_id", "kind", "subject", "due_at"],
        filter: ACCOUNT_FILTER,
        order: "id",
    },
];

/// Database of a snapshot.
#[derive(Debug)]
pub struct Snapshot(SqliteConnection);

impl sealed::Connected for Snapshot {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

impl ReadConn for Snapshot {}

impl Snapshot {
    /// Opens the snapshot in `file` and migrates it. A new file has no rows.
    ///
    /// # Errors
    /// Returns an error if the file cannot be used, or has the tables of another version.
    pub async fn open(file: &Path) -> StoreResult<Self> {
        let mut connection = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(false)
            .disable_statement_logging()
            .connect()
            .await?;
        super::migrate(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Copies the rows of `account`, or of all accounts, as of one instant.
    ///
    /// # Errors
    /// Returns an error if a database fails.
    pub async fn take(&mut self, db: &Db, account: Option<AccountId>) -> StoreResult<()> {
        sqlx::query("ATTACH ? AS live")
            .bind(db.file().to_string_lossy().into_owned())
            .execute(&mut self.0)
            .await?;
        let mut copies = vec![
            copy("accounts", account.map(|_| "id = ?1")),
            copy("rules", account.map(|_| ACCOUNT_FILTER)),
        ];
        if account.is_none() {
            copies.push(copy("default_clock", None));
        }
        copies.extend(TABLES.map(|table| copy(table.name, account.map(|_| table.filter))));
        sqlx::query("BEGIN").execute(&mut self.0).await?;
        for statement in copies {
            let mut query = sqlx::query(AssertSqlSafe(statement));
            if let Some(account) = account {
                query = query.bind(account.0);
            }
            query.execute(&mut self.0).await?;
        }
        sqlx::query("COMMIT").execute(&mut self.0).await?;
        Ok(())
    }

    /// Counts the orders.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn orders(&mut self) -> StoreResult<u64> {
        let row = sqlx::query("SELECT COUNT(*) FROM orders")
            .fetch_one(&mut self.0)
            .await?;
        Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    /// Writes and closes the file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub async fn close(self) -> StoreResult<()> {
        Ok(self.0.close().await?)
    }
}

/// Builds the statement that copies the rows of a table that match `filter`. `None` copies all rows.
fn copy(table: &str, filter: Option<&str>) -> String {
    let filter = filter.unwrap_or("TRUE");
    // A table named in a subquery of `filter` is that of the snapshot, to which its rows were copied
    // before.
    format!("INSERT INTO main.{table} SELECT * FROM live.{table} WHERE {filter}")
}

/// Returns the ids that the next `count` accounts will have. The caller ensures that no account is
/// created before these ids are used.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn next_accounts(from: &mut impl ReadConn, count: usize) -> StoreResult<Vec<AccountId>> {
    let row = sqlx::query("SELECT seq FROM sqlite_sequence WHERE name = 'accounts'")
        .fetch_optional(from.sqlite())
        .await?;
    let last: i64 = row.map_or(0, |row| row.get(0));
    Ok((last + 1..).take(count).map(AccountId).collect())
}

/// Inserts an account of the snapshot under the id `to`, with `clock` and all its rows except rules.
/// Does not schedule the jobs in the index of the worker.
///
/// # Errors
/// Returns an error if a database fails.
pub async fn restore_account(
    tx: &mut Tx,
    snapshot: &mut Snapshot,
    account: &AccountRow,
    to: AccountId,
    clock: Option<Clock>,
) -> StoreResult<()> {
    let row = sqlx::query("SELECT credits_used, created_at FROM accounts WHERE id = ?")
        .bind(account.id.0)
        .fetch_one(&mut snapshot.0)
        .await?;
    let clock = clock.as_ref().map(serde_json::to_string).transpose()?;
    sqlx::query(
        "INSERT INTO accounts (id, key, settings, clock, credits_used, created_at)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(to.0)
    .bind(&account.key)
    .bind(serde_json::to_string(&account.settings)?)
    .bind(clock)
    .bind(row.get::<i64, _>(0))
    .bind(row.get::<i64, _>(1))
    .execute(sealed::Connected::sqlite(tx))
    .await?;
    for table in &TABLES {
        copy_rows(tx, snapshot, table, account.id, to).await?;
    }
    tx.invalidate_jobs();
    Ok(())
}

async fn copy_rows(
    tx: &mut Tx,
    snapshot: &mut Snapshot,
    table: &Table,
    from: AccountId,
    to: AccountId,
) -> StoreResult<()> {
    let Table {
        name,
        filter: scope,
        ..
    } = table;
    let columns = table.columns.join(", ");
    let order = table.order;
    let rows = format!("SELECT json_array({columns}) FROM {name} WHERE {scope} ORDER BY {order}");
    let insert = insert(table);
    let mut rows = sqlx::query(AssertSqlSafe(rows))
        .bind(from.0)
        .fetch(&mut snapshot.0)
        .try_chunks(ROWS_MAX);
    while let Some(chunk) = rows.try_next().await.map_err(|error| error.1)? {
        let values: Vec<&str> = chunk.iter().map(|row| row.get(0)).collect();
        sqlx::query(AssertSqlSafe(insert.clone()))
            .bind(format!("[{}]", values.join(",")))
            .bind(to.0)
            .execute(sealed::Connected::sqlite(tx))
            .await?;
    }
    Ok(())
}

/// Builds the statement that inserts the rows of the JSON array `?1` for account `?2`.
fn insert(table: &Table) -> String {
    let columns = table.columns.join(", ");
    let value = |(place, column): (usize, &&'static str)| match (table.name, *column) {
        (_, "account_id") => "?2".to_owned(),
        ("orders", "body") => format!("json_set(value ->> {place}, '$.account', ?2)"),
        ("jobs", "clock_id") => {
            "COALESCE((SELECT id FROM accounts WHERE id = ?2 AND clock IS NOT NULL), 0)".to_owned()
        }
        _ => format!("value ->> {place}"),
    };
    let values: Vec<String> = table.columns.iter().enumerate().map(value).collect();
    let (name, values) = (table.name, values.join(", "));
    format!("INSERT INTO {name} ({columns}) SELECT {values} FROM json_each(?1)")
}

/// Inserts a rule of a snapshot under its old id.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn insert_rule(tx: &mut Tx, row: &RuleRow) -> StoreResult<()> {
    let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO rules (id, account_id, account_seq, body, matched, applied) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(row.id.0)
    .bind(row.account.map(|account| account.0))
    .bind(number(row.number))
    .bind(serde_json::to_string(&row.rule)?)
    .bind(number(row.counts.matched))
    .bind(number(row.counts.applied))
    .execute(sealed::Connected::sqlite(tx))
    .await?;
    Ok(())
}
