//! Shutdown of the writer.

use sqlx::Connection as _;

use super::DbWriter;

impl DbWriter {
    /// Commits the open group, refuses later transactions, and copies the write-ahead log into the
    /// database file. Waits for no sync of the disk: written data survives the end of the process, and
    /// a shutdown must not depend on a busy disk.
    pub(in crate::storage::db) async fn close(&self) {
        let mut guard = self.connection.lock().await;
        guard.is_closed = true;
        self.rows_deleted.notify_one();
        // A group is still open if its last transaction left the commit to a queued one that was
        // dropped.
        if guard.group_len > 0 {
            self.commit_group(&mut guard).await;
        }
        for pragma in [
            "PRAGMA synchronous = OFF",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ] {
            let _ = sqlx::query(pragma).execute(&mut guard.sqlite).await;
        }
        let _ = guard.sqlite.clear_cached_statements().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use crate::model::ids::ClockId;
    use crate::storage::db::{Db, InternalError, accounts};

    fn is_pending<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        future.poll(&mut context).is_pending()
    }

    #[tokio::test]
    async fn close_with_an_open_group_commits_it_and_refuses_later_begins() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("db");
        let db = Db::open(&file).await.expect("a database");
        let mut first = db.begin().await.expect("a transaction");
        let set = accounts::set_clock(
            &mut first,
            ClockId::DEFAULT,
            crate::platform::clock::Clock::REAL,
        );
        set.await.expect("a write");
        // The first transaction leaves the commit to the second, which is queued and then dropped. The
        // close takes the second's place in the queue.
        let mut second = Box::pin(db.begin());
        assert!(is_pending(second.as_mut()));
        let mut first = pin!(first.commit());
        assert!(is_pending(first.as_mut()));
        let mut close = pin!(db.close());
        assert!(is_pending(close.as_mut()));
        drop(second);
        close.await;
        first.await.expect("the close commits");
        let log = std::fs::metadata(dir.path().join("db-wal"));
        assert_eq!(
            log.expect("a log").len(),
            0,
            "the log was written back to the database"
        );
        let Err(InternalError::Broken(error)) = db.begin().await else {
            panic!("a closed database takes no transaction");
        };
        assert_eq!(
            error.to_string(),
            "the database is closed: the server stops"
        );
        let again = Db::open(&file).await.expect("a database");
        let mut reader = again.read().await.expect("a connection");
        let clock = accounts::default_clock(&mut reader).await.expect("a read");
        assert_eq!(clock, Some(crate::platform::clock::Clock::REAL));
    }
}
