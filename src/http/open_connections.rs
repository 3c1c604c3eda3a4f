//! Open connections, and the limit on their number.
//!
//! Each connection needs a file descriptor, and its requests often need another. At the limit, the
//! connection that has been idle for longest is closed to make room: HTTP/1.1 lets a server close idle
//! connections at any time (RFC 9112 §9.6). A connection whose request is incomplete is closed only
//! after [`INCOMPLETE_MIN`], because the rest may be on its way. If no connection can be closed, new
//! connections wait to be accepted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::progress::{Phase, Progress};

/// Age from which on a connection with an incomplete request may be closed to make room.
const INCOMPLETE_MIN: Duration = Duration::from_secs(1);
/// Time that a closing connection has before another one is closed as well.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// All open connections.
#[derive(Debug)]
pub struct OpenConnections {
    connections_max: usize,
    state: Mutex<ConnectionTable>,
    closed: Notify,
}

#[derive(Debug, Default)]
struct ConnectionTable {
    by_id: HashMap<u64, OpenEntry>,
    next_id: u64,
}

#[derive(Debug)]
struct OpenEntry {
    progress: Arc<Progress>,
    close: CancellationToken,
}

impl OpenConnections {
    /// Creates an empty set that takes at most `connections_max` connections.
    #[must_use]
    pub fn new(connections_max: usize) -> Self {
        Self {
            connections_max,
            state: Mutex::default(),
            closed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionTable> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Adds a connection, which counts as open until the guard is dropped. The connection must close
    /// soon after `close` is cancelled.
    pub(super) fn add(
        self: &Arc<Self>,
        progress: Arc<Progress>,
        close: CancellationToken,
    ) -> OpenGuard {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.by_id.insert(id, OpenEntry { progress, close });
        drop(state);
        let connections = Arc::clone(self);
        OpenGuard { connections, id }
    }

    /// Waits until there is room for one more connection. Closes idle connections to make room.
    pub(super) async fn make_room(&self) {
        while self.is_full() {
            self.close_one_idle();
            let closed = async {
                while self.is_full() {
                    self.closed.notified().await;
                }
            };
            let _ = tokio::time::timeout(RETRY_PAUSE, closed).await;
        }
    }

    fn is_full(&self) -> bool {
        self.count() >= self.connections_max
    }

    /// Asks the connection that has been idle for longest to close. Prefers idle connections to
    /// incomplete ones. Returns `false` if no connection can be closed.
    pub(super) fn close_one_idle(&self) -> bool {
        let (state, now) = (self.lock(), Instant::now());
        let rank = |open: &OpenEntry| match open.progress.phase() {
            (Phase::Idle, since) => Some((false, since)),
            (Phase::InFlight, _) => None,
            (_, since) => (now.duration_since(since) >= INCOMPLETE_MIN).then_some((true, since)),
        };
        let first_ranked = state
            .by_id
            .values()
            .filter(|open| !open.close.is_cancelled())
            .filter_map(|open| Some((rank(open)?, open)))
            .min_by_key(|(rank, _)| *rank);
        if let Some((_, open)) = &first_ranked {
            open.close.cancel();
        }
        first_ranked.is_some()
    }
}

/// Guard of an open connection.
#[derive(Debug)]
pub(super) struct OpenGuard {
    connections: Arc<OpenConnections>,
    id: u64,
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.connections.lock().by_id.remove(&self.id);
        self.connections.closed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    struct OpenConnection {
        progress: Arc<Progress>,
        close: CancellationToken,
        guard: OpenGuard,
    }

    fn connect(connections: &Arc<OpenConnections>) -> OpenConnection {
        let (progress, close) = (Arc::new(Progress::new()), CancellationToken::new());
        let guard = connections.add(Arc::clone(&progress), close.clone());
        OpenConnection {
            progress,
            close,
            guard,
        }
    }

    #[test]
    fn close_one_idle_closes_the_longest_idle_connection() {
        let connections = Arc::new(OpenConnections::new(9));
        let _silent = connect(&connections);
        let working = connect(&connections);
        let _request = working.progress.begin_request();
        assert!(!connections.close_one_idle());
        let (first, second) = (connect(&connections), connect(&connections));
        for idle in [&second, &first] {
            drop(idle.progress.begin_request());
        }
        assert!(connections.close_one_idle());
        assert!(second.close.is_cancelled() && !first.close.is_cancelled());
        assert!(connections.close_one_idle());
        assert!(first.close.is_cancelled());
        assert!(!connections.close_one_idle(), "all idle ones are closing");
        assert_eq!(connections.count(), 4);
    }

    #[tokio::test]
    async fn make_room_after_an_earlier_close_closes_only_one_connection() {
        let connections = Arc::new(OpenConnections::new(2));
        drop(connect(&connections));
        let (first, second) = (connect(&connections), connect(&connections));
        for idle in [&first, &second] {
            drop(idle.progress.begin_request());
        }
        assert!(connections.make_room().now_or_never().is_none());
        assert!(first.close.is_cancelled() && !second.close.is_cancelled());
    }

    #[tokio::test]
    async fn make_room_at_the_limit_waits_for_a_connection_to_close() {
        let connections = Arc::new(OpenConnections::new(1));
        connections.make_room().await;
        let open = connect(&connections);
        let _request = open.progress.begin_request();
        assert!(connections.make_room().now_or_never().is_none());
        drop(open.guard);
        connections.make_room().await;
        assert!(!open.close.is_cancelled(), "a request was in flight");
    }
}
