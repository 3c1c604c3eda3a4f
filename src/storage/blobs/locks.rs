//! Locks of objects. The holder of a lock alone may replace or remove the object.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use tokio::sync::{Mutex, MutexGuard};

/// Number of locks. The hash of an object's path chooses its lock.
const LOCKS: u64 = 128;

/// Locks of all objects. A task holds one at a time, and waits for the disk only while it does.
#[derive(Debug)]
pub(super) struct ObjectLocks(Vec<Mutex<()>>);

impl Default for ObjectLocks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }
}

impl ObjectLocks {
    /// Locks the object whose file is at `path`.
    pub(super) async fn lock(&self, path: &Path) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LOCKS).unwrap_or_default();
        self.0[index].lock().await
    }
}
