//! Transactions that share a commit.
//!
//! There is one writing connection, with a queue. The first in the queue begins a transaction. A
//! transaction that ends while others are queued hands the open transaction on to the next, which works
//! in a savepoint of its own. The last in the queue, or the 64th, commits for all. [`Tx::commit`]
//! returns when the shared commit is done. A dropped [`Tx`] rolls back its own writes only.
//!
//! A future may be dropped at any await, when a client disconnects. A task of its own then continues,
//! so that an open transaction never waits for a dropped future.

mod clock;
mod close;
mod effects;
mod shrink;
mod update;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, oneshot};

use super::cache::{CachedOrder, OrderCache};
use super::due_index::DueIndex;
use super::{InternalError, StoreResult, sealed};
use crate::model::ids::{AccountId, ClockId};
use crate::model::order::Order;
use crate::model::time::Timestamp;
use crate::platform::change_log::ChangeLog;
use crate::platform::clock::Clock;
pub(super) use clock::write_clock;
use effects::TxEffects;
pub(super) use shrink::enable as enable_shrinking;
pub(super) use update::OrderUpdate;

/// Maximum number of transactions that share a commit.
const GROUP_MAX: usize = 64;

/// Writing connection, and its queue.
#[derive(Debug)]
pub(super) struct DbWriter {
    connection: Arc<Mutex<WriterConnection>>,
    /// Directory to name in the error of a full disk.
    data_dir: Option<Arc<Path>>,
    queued: AtomicUsize,
    due_index: DueIndex,
    cache: Arc<OrderCache>,
    changes: ChangeLog,
    /// Notified when rows were removed, and on shutdown.
    rows_deleted: Arc<Notify>,
    /// Moved clocks, to be written with the next commit.
    queued_clock_writes: std::sync::Mutex<HashMap<ClockId, Clock>>,
}

#[derive(Debug)]
struct WriterConnection {
    sqlite: SqliteConnection,
    /// Number of transactions in the open group. 0 if no group is open.
    group_len: usize,
    /// Transactions that wait for the commit of the group.
    members: Vec<GroupMember>,
    /// `true` after shutdown: transactions are refused.
    is_closed: bool,
}

#[derive(Debug)]
struct GroupMember {
    reply: oneshot::Sender<StoreResult<()>>,
    effects: TxEffects,
}

/// Place in the queue. If dropped, ensures that the open group is committed although the owner of the
/// place is gone.
struct QueueSlot<'w>(Option<&'w Arc<DbWriter>>);

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.0 {
            writer.queued.fetch_sub(1, Ordering::SeqCst);
            let writer = Arc::clone(writer);
            tokio::spawn(async move {
                let guard = Arc::clone(&writer.connection).lock_owned().await;
                writer.commit_if_last(guard).await;
            });
        }
    }
}

impl DbWriter {
    pub(super) fn new(
        sqlite: SqliteConnection,
        data_dir: Option<Arc<Path>>,
        due_index: DueIndex,
        cache: Arc<OrderCache>,
        changes: ChangeLog,
    ) -> Arc<Self> {
        let connection = Arc::new(Mutex::new(WriterConnection {
            sqlite,
            group_len: 0,
            members: Vec::new(),
            is_closed: false,
        }));
        let rows_deleted = Arc::new(Notify::new());
        let writer = Arc::new(Self {
            connection,
            data_dir,
            queued: AtomicUsize::new(0),
            due_index,
            cache,
            changes,
            rows_deleted: Arc::clone(&rows_deleted),
            queued_clock_writes: std::sync::Mutex::default(),
        });
        let shrinking = Self::shrink_after_deletions(Arc::downgrade(&writer), rows_deleted);
        tokio::spawn(shrinking);
        writer
    }

    pub(super) fn due_index(&self) -> &DueIndex {
        &self.due_index
    }

    /// Commits the open group, together with the moved clocks.
    async fn close_group(&self, sqlite: &mut SqliteConnection) -> StoreResult<()> {
        let moved = std::mem::take(&mut *self.queued_clock_writes());
        let closed = async {
            for (id, clock) in &moved {
                write_clock(sqlite, *id, *clock).await?;
            }
            sqlx::query("COMMIT").execute(sqlite).await?;
            Ok(())
        };
        let closed = closed.await;
        if closed.is_err() {
            // The next commit writes the clocks, unless they have been moved again.
            let mut since = self.queued_clock_writes();
            for (id, clock) in moved {
                since.entry(id).or_insert(clock);
            }
        }
        closed
    }

    pub(super) async fn begin(self: &Arc<Self>) -> StoreResult<Tx> {
        self.queued.fetch_add(1, Ordering::SeqCst);
        let mut place = QueueSlot(Some(self));
        let mut guard = Arc::clone(&self.connection).lock_owned().await;
        place.0 = None;
        self.queued.fetch_sub(1, Ordering::SeqCst);
        if guard.is_closed {
            let closed = std::io::Error::other("the database is closed: the server stops");
            return Err(InternalError::broken(closed));
        }
        guard.group_len += 1;
        let place = guard.group_len;
        let mut tx = Tx {
            guard: Some(guard),
            writer: Arc::clone(self),
            effects: TxEffects::default(),
            update: None,
        };
        let begin = match place {
            1 => "BEGIN IMMEDIATE".to_owned(),
            _ => format!("SAVEPOINT s{place}"),
        };
        let executed = tx.execute(begin).await;
        executed.map_err(|error| error.in_data_dir(self.data_dir.as_ref()))?;
        Ok(tx)
    }

    /// Commits the open group if no other transaction is queued.
    async fn commit_if_last(&self, guard: OwnedMutexGuard<WriterConnection>) {
        if guard.group_len > 0 && self.queued.load(Ordering::SeqCst) == 0 {
            self.commit(guard).await;
        }
    }

    async fn commit(&self, mut guard: OwnedMutexGuard<WriterConnection>) {
        self.commit_group(&mut guard).await;
    }

    /// Commits the open group, and notifies its members.
    async fn commit_group(&self, guard: &mut WriterConnection) {
        let joined = std::mem::take(&mut guard.members);
        let ended: HashSet<AccountId> = joined
            .iter()
            .flat_map(|joined| joined.effects.ended.iter().copied())
            .collect();
        let effects = || joined.iter().map(|joined| &joined.effects);
        let removed: HashSet<String> = effects()
            .flat_map(|effects| effects.removed.iter().cloned())
            .collect();
        let written = effects().flat_map(|effects| &effects.written);
        let written_ids = written.map(|store| store.order.id.as_str());
        let removed_ids = removed.iter().map(String::as_str);
        self.cache
            .committing(written_ids.chain(removed_ids), &ended);
        let frees_pages = !ended.is_empty() || !removed.is_empty();
        let done = self.close_group(&mut guard.sqlite).await;
        if done.is_err() {
            // All members of the group get the error.
            let _ = sqlx::query("ROLLBACK").execute(&mut guard.sqlite).await;
        }
        guard.group_len = 0;
        if frees_pages && done.is_ok() {
            self.rows_deleted.notify_one();
        }
        let (replies, effects): (Vec<_>, Vec<_>) = joined
            .into_iter()
            .map(|joined| (joined.reply, joined.effects))
            .unzip();
        let committed = effects.into_iter().filter(|_| done.is_ok());
        let mut changed = Vec::new();
        let (written, due): (Vec<_>, Vec<_>) = committed
            .inspect(|effects| {
                changed.extend(effects.changes());
                if effects.jobs_changed {
                    self.due_index.invalidate();
                }
            })
            .map(|effects| (effects.written, effects.due))
            .unzip();
        // An account may have ended after one of its orders was written in the same group. An order may
        // have been removed.
        let existing = written.into_iter().flatten().filter(|store| {
            !ended.contains(&store.order.account) && !removed.contains(&store.order.id)
        });
        self.cache.committed(existing);
        for (clock, at) in due.into_iter().flatten() {
            self.due_index.schedule(clock, at);
        }
        self.changes.push_all(changed);
        for reply in replies {
            // A receiver that was dropped changes nothing: the writes are committed.
            let _ = reply.send(done.clone());
        }
    }

    async fn rollback_group(&self, guard: &mut WriterConnection, error: &InternalError) {
        // The statement fails if no transaction is open, which is harmless.
        let _ = sqlx::query("ROLLBACK").execute(&mut guard.sqlite).await;
        guard.group_len = 0;
        for joined in std::mem::take(&mut guard.members) {
            let _ = joined.reply.send(Err(error.clone()));
        }
    }

    /// Rolls back the last transaction of the group.
    async fn rollback_member(&self, mut guard: OwnedMutexGuard<WriterConnection>) {
        let rollback = match guard.group_len {
            1 => "ROLLBACK".to_owned(),
            place => format!("ROLLBACK TO s{place}"),
        };
        let taken_back = sqlx::query(AssertSqlSafe(rollback))
            .execute(&mut guard.sqlite)
            .await;
        if guard.group_len == 1 {
            guard.group_len = 0;
        } else if let Err(error) = taken_back {
            // SQLite rolled back the whole group, as it does when the disk is full. The members must
            // get an error.
            self.rollback_group(&mut guard, &error.into()).await;
        }
        self.commit_if_last(guard).await;
    }
}

/// Transaction, the only way to write.
#[derive(Debug)]
pub struct Tx {
    /// `None` after the connection was handed on.
    guard: Option<OwnedMutexGuard<WriterConnection>>,
    writer: Arc<DbWriter>,
    effects: TxEffects,
    /// Update of an order, written with the next statement. A round trip to the connection's thread
    /// costs more than the statement.
    update: Option<OrderUpdate>,
}

impl Tx {
    async fn execute(&mut self, sql: String) -> StoreResult<()> {
        sqlx::query(AssertSqlSafe(sql))
            .execute(sealed::Connected::sqlite(self))
            .await?;
        Ok(())
    }

    /// Schedules a job that is due at `at` on `clock`, once the transaction is committed.
    pub(super) fn schedule(&mut self, clock: ClockId, at: Timestamp) {
        self.effects.due.push((clock, at));
    }

    /// Invalidates the due index once the transaction is committed, because jobs were removed without a
    /// run, changed their clock, or were added without [`Self::schedule`].
    pub(super) fn invalidate_jobs(&mut self) {
        self.effects.jobs_changed = true;
    }

    /// Discards a queued state of the clock, because this transaction writes the clock.
    pub(super) fn discard_queued_clock_write(&self, id: ClockId) {
        self.writer.queue_clock_write(id, None);
    }

    /// Records a written order, for the cache.
    pub(super) fn record_write(&mut self, order: CachedOrder) {
        self.effects.written.push(order);
    }

    /// Records that the orders with `ids` were removed.
    pub(super) fn removed(&mut self, ids: &[String]) {
        self.effects.removed.extend_from_slice(ids);
    }

    /// Records that an account was deleted, with all rows that refer to it.
    pub(super) fn record_account_end(&mut self, account: AccountId) {
        self.effects.ended.push(account);
    }

    /// Returns the order as this transaction sees it. `None` if it is not in memory.
    pub(super) fn cached_order(&self, id: &str) -> Option<Arc<Order>> {
        let joined = self
            .guard
            .iter()
            .flat_map(|guard| guard.members.iter().map(|joined| &joined.effects));
        let mut written = None;
        let mut ended = false;
        for effects in joined.chain([&self.effects]) {
            ended |= !effects.ended.is_empty() || effects.removed.iter().any(|it| it == id);
            let mut of_id = effects.written.iter().filter(|store| store.order.id == id);
            written = of_id
                .next_back()
                .map(|store| Arc::clone(&store.order))
                .or(written);
        }
        if ended {
            return None;
        }
        written.or_else(|| self.writer.cache.get(id).ok())
    }

    /// Commits the writes.
    ///
    /// # Errors
    /// Returns an error if the commit fails. No write of the transaction then remains.
    pub async fn commit(mut self) -> StoreResult<()> {
        self.flush().await?;
        let Some(mut guard) = self.guard.take() else {
            return Ok(());
        };
        let (sender, answered) = oneshot::channel();
        let effects = std::mem::take(&mut self.effects);
        guard.members.push(GroupMember {
            reply: sender,
            effects,
        });
        let writer = Arc::clone(&self.writer);
        if guard.group_len >= GROUP_MAX || writer.queued.load(Ordering::SeqCst) == 0 {
            tokio::spawn(async move { writer.commit(guard).await });
        } else {
            drop(guard);
        }
        let committed = answered
            .await
            .unwrap_or_else(|removed| Err(InternalError::Broken(Arc::new(removed))));
        committed.map_err(|error| error.in_data_dir(self.writer.data_dir.as_ref()))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            let writer = Arc::clone(&self.writer);
            tokio::spawn(async move { writer.rollback_member(guard).await });
        }
    }
}

impl sealed::Connected for Tx {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self
            .guard
            .as_mut()
            .expect("a Tx holds the writer until it is committed")
            .sqlite
    }
}
