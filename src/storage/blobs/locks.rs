//! Locks of objects: while one is held, nobody else replaces or removes the object.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use tokio::sync::{Mutex, MutexGuard};

/// Number of locks. Objects share them by the hash of their path.
const LOCKS: u64 = 128;

/// Locks of all objects. One is held at a time, and nothing else is waited for under it but the disk.
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
