//! State in SQLite. No other module names sqlx.
//!
//! One connection writes and up to `READERS` connections read. A write needs a [`Tx`], so a write
//! outside a transaction does not compile. Concurrent writes share a commit (see [`tx`]). Times are
//! parameters: no SQL calls `now()`. Committed rows survive a crash of the process.
//!
//! Each file has the functions of one family of tables. Functions that write take a [`Tx`]. Functions
//! that read take any [`ReadConn`]. All functions find rows by account, except functions that
//! find the account of a row.

pub mod accounts;
pub mod attempts;
mod cache;
pub mod counts;
pub mod due_index;
pub mod endpoints;
mod error;
pub mod job_listing;
pub mod jobs;
pub mod listing;
pub mod open_orders;
pub mod orders;
pub mod retention;
pub mod rules;
mod run_to_completion;
pub mod snapshots;
pub mod starts;
#[cfg(test)]
mod tests;
pub mod tx;
pub mod uploads;
pub mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Sqlite, SqlitePool};

use crate::model::ids::ClockId;
use crate::model::order::Order;
use crate::platform::change_log::ChangeLog;
use crate::platform::clock::{self, Clock};
use cache::{CachedOrder, OrderCache};
use due_index::DueIndex;
pub use error::{DiskFull, InternalError};
pub use run_to_completion::run_to_completion;
use tx::DbWriter;
pub use tx::Tx;

/// Maximum number of reading connections. A read takes microseconds, so more connections do not help on
/// a few cores.
const READERS: u32 = 4;
/// Capacity of the statement cache. All statements of this module fit.
const STATEMENTS_CACHED: usize = 128;
/// Size in bytes to which the write-ahead log is cut after a large transaction.
const LOG_BYTES_MAX: &str = "16777216";
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Result of every function of this module.
pub type StoreResult<T> = std::result::Result<T, InternalError>;

/// Connection that rows are read from: a [`DbReader`], or a [`Tx`], which sees its own writes.
pub trait ReadConn: sealed::Connected + Send {}

impl ReadConn for DbReader {}
impl ReadConn for Tx {}

mod sealed {
    /// Access to the SQLite connection, visible to this module only.
    pub trait Connected {
        fn sqlite(&mut self) -> &mut sqlx::sqlite::SqliteConnection;
    }
}

/// Connection that only reads.
#[derive(Debug)]
pub struct DbReader(PoolConnection<Sqlite>);

impl sealed::Connected for DbReader {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// Creates the tables, or migrates the tables of an older version. Takes no lock: no other connection
/// writes to the file.
async fn migrate(connection: &mut SqliteConnection) -> StoreResult<()> {
    let migrated = sqlx::migrate!().run_direct(None, connection, false).await;
    migrated.map_err(|error| match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => {
            InternalError::broken(std::io::Error::other(
                "it was written by a version of stuntdouble with other tables; \
                 use an empty data directory, or that version",
            ))
        }
        other => InternalError::broken(other),
    })
}

/// The database. Clones share it.
#[derive(Debug, Clone)]
pub struct Db {
    file: PathBuf,
    writer: Arc<DbWriter>,
    readers: SqlitePool,
    cache: Arc<OrderCache>,
    changes: ChangeLog,
}

impl Db {
    /// Opens the database in `file`. Creates or migrates its tables.
    ///
    /// # Errors
    /// Returns an error if the file cannot be used, or has the tables of another version.
    pub async fn open(file: &Path) -> StoreResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENTS_CACHED)
            .pragma("temp_store", "memory")
            .pragma("journal_size_limit", LOG_BYTES_MAX)
            .disable_statement_logging();
        // Takes effect on new files only. `tx::shrink` converts older files.
        let writing = options.clone().auto_vacuum(SqliteAutoVacuum::Incremental);
        let mut connection = writing.connect().await?;
        migrate(&mut connection).await?;
        if let Err(error) = tx::enable_shrinking(&mut connection).await {
            tracing::warn!(%error, "the database file cannot be rewritten: it gives no space back");
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .test_before_acquire(false)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        let cache = Arc::new(OrderCache::default());
        let data_dir = file.parent().map(Arc::from);
        let changes = ChangeLog::new(clock::real_now());
        let writer = DbWriter::new(
            connection,
            data_dir,
            DueIndex::default(),
            Arc::clone(&cache),
            changes.clone(),
        );
        Ok(Self {
            file: file.to_owned(),
            writer,
            readers,
            cache,
            changes,
        })
    }

    /// Path of the database file.
    fn file(&self) -> &Path {
        &self.file
    }

    /// Size of the database file and its write-ahead log, in bytes.
    ///
    /// # Errors
    /// Returns an error if a file cannot be inspected.
    pub async fn bytes(&self) -> StoreResult<u64> {
        let mut bytes = 0;
        for end in ["", "-wal"] {
            let mut file = self.file.clone().into_os_string();
            file.push(end);
            match tokio::fs::metadata(file).await {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(InternalError::broken(error)),
            }
        }
        Ok(bytes)
    }

    /// Returns a connection for reading.
    ///
    /// # Errors
    /// Returns an error if no connection can be opened.
    pub async fn read(&self) -> StoreResult<DbReader> {
        Ok(DbReader(self.readers.acquire().await?))
    }

    /// Returns the order with `id`, of any account. `None` if there is no such order.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn order(&self, id: &str) -> StoreResult<Option<Arc<Order>>> {
        let commits = match self.cache.get(id) {
            Ok(order) => return Ok(Some(order)),
            Err(commits) => commits,
        };
        let found = orders::read(&mut self.read().await?, id).await?;
        Ok(found.map(|store| {
            self.cache
                .insert_if_unchanged(CachedOrder::clone(&store), commits);
            store.order
        }))
    }

    /// Begins a transaction, which is rolled back unless [`Tx::commit`] is called.
    ///
    /// # Errors
    /// Returns an error if the database refuses the transaction.
    pub async fn begin(&self) -> StoreResult<Tx> {
        self.writer.begin().await
    }

    /// Queues the state of an account's clock, to be written with the next commit.
    pub fn queue_clock_write(&self, id: ClockId, clock: Clock) {
        self.writer.queue_clock_write(id, Some(clock));
    }

    /// Index of the next due time of each clock.
    #[must_use]
    pub fn due_index(&self) -> &DueIndex {
        self.writer.due_index()
    }

    /// Log of changes of the whole server.
    #[must_use]
    pub fn changes(&self) -> &ChangeLog {
        &self.changes
    }

    /// Commits open transactions. Later reads and transactions are refused.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
