//! Return of free pages of the database file to the file system.
//!
//! SQLite keeps the pages of removed rows for new rows. After a large removal (a reset, an account,
//! expired orders) most free pages are returned, a slice at a time, so that no transaction waits long.

use std::sync::{Arc, Weak};

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Notify;

use super::DbWriter;
use crate::storage::db::StoreResult;

/// Free pages to keep for new rows: 4 MiB, in pages of 4 KiB.
const FREE_PAGES_KEPT: i64 = 1_024;
/// Pages to return at a time, which takes about a millisecond.
const SLICE_PAGES: i64 = 256;
/// Value of `auto_vacuum` of a file that returns pages by `incremental_vacuum`.
const INCREMENTAL: i64 = 2;

impl DbWriter {
    /// Returns free pages whenever rows were removed. Ends when the writer is closed.
    pub(super) async fn shrink_after_deletions(writer: Weak<Self>, rows_deleted: Arc<Notify>) {
        loop {
            rows_deleted.notified().await;
            let Some(writer) = writer.upgrade() else {
                return;
            };
            match writer.shrink().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "the database file cannot give space back"),
            }
        }
    }

    /// Returns free pages until few are left. Returns `false` if the writer is closed.
    async fn shrink(&self) -> StoreResult<bool> {
        let mut has_shrunk = false;
        loop {
            // The lock is fair: waiting transactions run between two slices.
            let mut guard = self.connection.lock().await;
            if guard.is_closed {
                return Ok(false);
            }
            if guard.group_len == 0 && !return_slice(&mut guard.sqlite).await? {
                if has_shrunk {
                    // Truncates the file, unless a reader still needs an earlier state.
                    let checkpoint = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)");
                    checkpoint.execute(&mut guard.sqlite).await?;
                }
                return Ok(true);
            }
            has_shrunk = true;
            drop(guard);
            tokio::task::yield_now().await;
        }
    }
}

/// Returns a slice of the free pages. Returns `false` if few are left, or if the file returns none.
async fn return_slice(sqlite: &mut SqliteConnection) -> StoreResult<bool> {
    let free_pages = count_free_pages(sqlite).await?;
    if free_pages <= FREE_PAGES_KEPT {
        return Ok(false);
    }
    let sql = format!("PRAGMA incremental_vacuum({SLICE_PAGES})");
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(&mut *sqlite)
        .await?;
    Ok(count_free_pages(sqlite).await? < free_pages)
}

async fn count_free_pages(sqlite: &mut SqliteConnection) -> StoreResult<i64> {
    let row = sqlx::query("PRAGMA freelist_count")
        .fetch_one(sqlite)
        .await?;
    Ok(row.get(0))
}

/// Converts a file that was created without `auto_vacuum`. Rewrites the file once. `sqlite` is a
/// connection with `auto_vacuum` set, outside a transaction.
///
/// <https://www.sqlite.org/pragma.html#pragma_auto_vacuum>
pub(in crate::storage::db) async fn enable(sqlite: &mut SqliteConnection) -> StoreResult<()> {
    let row = sqlx::query("PRAGMA auto_vacuum")
        .fetch_one(&mut *sqlite)
        .await?;
    if row.get::<i64, _>(0) == INCREMENTAL {
        return Ok(());
    }
    tracing::info!("rewriting the database file once, so that it gives space back");
    // The setting of the connection is ignored if the file has another one.
    for sql in ["PRAGMA auto_vacuum = INCREMENTAL", "VACUUM"] {
        sqlx::query(sql).execute(&mut *sqlite).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, Connection};

    use super::{FREE_PAGES_KEPT, count_free_pages, return_slice};
    use crate::model::account::AccountSettings;
    use crate::model::time::Timestamp;
    use crate::storage::db::sealed::Connected;
    use crate::storage::db::tx::Tx;
    use crate::storage::db::{Db, accounts, migrate};

    const LARGE_BYTES: u64 = 32 * 1024 * 1024;

    /// Adds an account with rows of 32 MiB in all.
    async fn add_large_account(db: &Db) -> crate::model::ids::AccountId {
        let mut tx: Tx = db.begin().await.expect("a transaction");
        let at = Timestamp::from_ms(0);
        let added = accounts::insert(&mut tx, "large", &AccountSettings::default(), at).await;
        let id = added.expect("an account");
        let query = sqlx::query(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1024)
             INSERT INTO events (id, account_id, vendor, type, order_id, body)
             SELECT i, ?, 'bizmori', 'type', i, hex(zeroblob(16384)) FROM n",
        );
        let inserted = query.bind(id.0).execute(tx.sqlite()).await;
        assert_eq!(inserted.expect("rows").rows_affected(), 1_024);
        tx.commit().await.expect("a commit");
        id
    }

    #[tokio::test]
    async fn delete_account_of_many_rows_shrinks_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("db");
        let db = Db::open(&file).await.expect("a database");
        assert_shrinks(&file, &db).await;
    }

    #[tokio::test]
    async fn open_of_a_file_without_auto_vacuum_lets_it_shrink() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("db");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true);
        let mut sqlite = options.connect().await.expect("a database");
        migrate(&mut sqlite).await.expect("the tables");
        sqlite.close().await.expect("a close");
        let db = Db::open(&file).await.expect("a database");
        assert_shrinks(&file, &db).await;
    }

    #[tokio::test]
    async fn return_slice_of_a_file_that_cannot_shrink_returns_false() {
        let mut sqlite = SqliteConnectOptions::new()
            .connect()
            .await
            .expect("a database");
        for sql in [
            "CREATE TABLE large (bytes BLOB)",
            "INSERT INTO large VALUES (zeroblob(8388608))",
            "DELETE FROM large",
        ] {
            sqlx::query(sql).execute(&mut sqlite).await.expect(sql);
        }
        let free_pages = count_free_pages(&mut sqlite).await.expect("a count");
        assert!(free_pages > FREE_PAGES_KEPT, "{free_pages}");
        assert!(!return_slice(&mut sqlite).await.expect("a slice"));
    }

    /// Asserts that the removal of a large account makes the file small, and that the database works
    /// afterwards.
    async fn assert_shrinks(file: &Path, db: &Db) {
        let id = add_large_account(db).await;
        let bytes = || std::fs::metadata(file).expect("a file").len();
        assert!(bytes() > LARGE_BYTES, "{}", bytes());
        let mut tx = db.begin().await.expect("a transaction");
        accounts::delete(&mut tx, id).await.expect("a deletion");
        tx.commit().await.expect("a commit");
        let shrunk = async {
            while bytes() > LARGE_BYTES / 4 {
                tokio::task::yield_now().await;
            }
        };
        // A watchdog: without it a failure would hang.
        let shrunk = tokio::time::timeout(Duration::from_mins(1), shrunk).await;
        assert!(shrunk.is_ok(), "{} bytes are left", bytes());
        // The account's rows are gone, and the database works.
        add_large_account(db).await;
        db.close().await;
        assert!(bytes() > LARGE_BYTES);
    }
}
