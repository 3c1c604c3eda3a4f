//! State, in SQLite. The only module that names sqlx.
//!
//! One connection writes and a few read; a write needs a [`Tx`], so that one outside a
//! transaction does not compile. Writes that come together share a commit (see [`tx`]). All
//! times are parameters: there is no `now()` in SQL. The process may die at any moment: what
//! was committed is there afterwards.
//!
//! Functions stand by table family, take a [`Tx`] to write and any [`ReadConn`] to read, and
//! find by account, but for the few that must find an account.

pub mod accounts;
pub mod attempts;
mod cache;
pub mod due_index;
pub mod endpoints;
mod error;
pub mod jobs;
pub mod listing;
pub mod open_orders;
pub mod orders;
pub mod retention;
pub mod rules;
mod run_to_completion;
pub mod snapshots;
pub mod starts;
pub mod tx;
pub mod uploads;
pub mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Sqlite, SqlitePool};

use crate::model::ids::ClockId;
use crate::model::order::Order;
use crate::platform::clock::Clock;
use cache::{CachedOrder, OrderCache};
use due_index::DueIndex;
pub use error::{DiskFull, StoreError, StoreError as InternalError};
pub use run_to_completion::run_to_completion;
use tx::DbWriter;
pub use tx::Tx;

/// Connections that read. More do not help on a few cores: a read is microseconds long.
const READERS: u32 = 4;
/// Every statement of this module fits.
const STATEMENTS_CACHED: usize = 128;
/// Size to which the write-ahead log is cut after a large transaction, in bytes.
const LOG_BYTES_MAX: &str = "16777216";
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// What every function here answers.
pub type StoreResult<T> = std::result::Result<T, StoreError>;

/// Where rows can be read: a [`DbReader`], or a [`Tx`], which sees its own writes.
pub trait ReadConn: sealed::Connected + Send {}

impl ReadConn for DbReader {}
impl ReadConn for Tx {}

mod sealed {
    /// A connection, for this module's eyes.
    pub trait Connected {
        fn sqlite(&mut self) -> &mut sqlx::sqlite::SqliteConnection;
    }
}

/// A connection that only reads.
#[derive(Debug)]
pub struct DbReader(PoolConnection<Sqlite>);

impl sealed::Connected for DbReader {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Db {
    file: PathBuf,
    writer: Arc<DbWriter>,
    readers: SqlitePool,
    cache: Arc<OrderCache>,
}

impl Db {
    /// Opens the database in `file`, making or migrating it.
    ///
    /// # Errors
    /// If the file cannot be used, or was written by a newer version.
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
        // Takes effect where the file is new. See `tx::shrink`.
        let writing = options.clone().auto_vacuum(SqliteAutoVacuum::Incremental);
        let mut connection = writing.connect().await?;
        sqlx::migrate!()
            .run(&mut connection)
            .await
            .map_err(StoreError::broken)?;
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
        let writer = DbWriter::new(
            connection,
            data_dir,
            DueIndex::default(),
            Arc::clone(&cache),
        );
        Ok(Self {
            file: file.to_owned(),
            writer,
            readers,
            cache,
        })
    }

    /// Where it is.
    fn file(&self) -> &Path {
        &self.file
    }

    /// How many bytes it and its log have on the disk.
    ///
    /// # Errors
    /// If that cannot be told.
    pub async fn bytes(&self) -> StoreResult<u64> {
        let mut bytes = 0;
        for end in ["", "-wal"] {
            let mut file = self.file.clone().into_os_string();
            file.push(end);
            match tokio::fs::metadata(file).await {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::broken(error)),
            }
        }
        Ok(bytes)
    }

    /// A connection to read from.
    ///
    /// # Errors
    /// If none can be had.
    pub async fn read(&self) -> StoreResult<DbReader> {
        Ok(DbReader(self.readers.acquire().await?))
    }

    /// The order of that id, whosever it is.
    ///
    /// # Errors
    /// If it cannot be read.
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

    /// Begins a transaction; without [`Tx::commit`] nothing of it remains.
    ///
    /// # Errors
    /// If the database does not let us.
    pub async fn begin(&self) -> StoreResult<Tx> {
        self.writer.begin().await
    }

    /// A clock that an account has already is to be written with the next commit.
    pub fn queue_clock_write(&self, id: ClockId, clock: Clock) {
        self.writer.queue_clock_write(id, Some(clock));
    }

    /// Which clock has work due when.
    #[must_use]
    pub fn agenda(&self) -> &DueIndex {
        self.writer.agenda()
    }

    /// Commits what is open, and refuses reads and transactions from then on.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
