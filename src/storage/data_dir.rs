//! Data directory: all state of one server, readable by its user only.
//!
//! The directory has mode 0700 and its files 0600. [`DataDir::open`] sets the umask of the process,
//! which also applies to the files of SQLite, and restricts existing files.

mod access;
mod private;
mod stale;

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::Mode;
use tempfile::TempDir;

/// Lock file of the running server.
const LOCK: &str = "lock";
/// Name prefix of temporary data directories.
const PREFIX: &str = "stuntdouble-";
/// Content of the lock file of a temporary data directory.
const TEMPORARY: &[u8] = b"temporary\n";
/// Umask: no permissions for the group and for others.
const UMASK: u32 = 0o077;
/// Time that an ending server has to release its lock. A process that it was starting at that moment,
/// as tests do, holds the lock until it runs its own program.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// Data directory, locked against other servers. A temporary one is deleted on drop.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    temporary: Option<TempDir>,
    _lock: File,
}

impl DataDir {
    /// Opens `data_dir`, or else `mount` if a file system is mounted there, or else a new temporary
    /// directory. No file that this process creates afterwards is readable by other users. Deletes the
    /// temporary directories of killed servers.
    ///
    /// # Errors
    /// Returns one line with the failed step and its cause.
    pub fn open(set: Option<&Path>, mount: Option<&Path>) -> Result<Self, String> {
        rustix::process::umask(Mode::from_raw_mode(UMASK));
        stale::remove(&std::env::temp_dir());
        match set.or_else(|| mount.filter(|dir| is_mounted(dir))) {
            Some(path) => Self::persistent(path),
            None => Self::temporary(),
        }
    }

    fn persistent(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        access::create(path)?;
        private::tighten(path);
        access::check(path)?;
        let lock = lock(path)
            .map_err(|error| format!("cannot lock the data directory {shown}: {error}"))?
            .ok_or_else(|| {
                format!("the data directory {shown} is in use by another stuntdouble")
            })?;
        Ok(Self {
            path: path.to_owned(),
            temporary: None,
            _lock: lock,
        })
    }

    fn temporary() -> Result<Self, String> {
        let created_dir = tempfile::Builder::new().prefix(PREFIX).tempdir();
        let dir = created_dir.map_err(|error| {
            let other = "set --data-dir, or TMPDIR".to_owned();
            let why = match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    access::explain_refusal(&std::env::temp_dir(), &error, |_| other.clone())
                }
                _ => format!("{error}; {other}"),
            };
            format!("cannot make a temporary directory: {why}")
        })?;
        let lock = lock_temporary(dir.path()).map_err(|error| {
            let shown = dir.path().display();
            format!("cannot lock the data directory {shown}: {error}")
        })?;
        Ok(Self {
            path: dir.path().to_owned(),
            temporary: Some(dir),
            _lock: lock,
        })
    }

    /// Path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `true` if the directory is deleted on drop.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// Returns `true` if a file system is mounted at `path`: its device differs from its parent's.
fn is_mounted(dir: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|it| it.dev()).ok();
    let (here, above) = (device(dir), device(&dir.join("..")));
    here.is_some() && here != above
}

/// Takes the lock. `None` if another process holds it. The lock ends with the process. Waits for a
/// process that is ending.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(path.join(LOCK))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(LOCK_RETRY);
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    // A temporary directory becomes a permanent one when a user sets it as the data directory.
    if file.metadata()?.len() > 0 {
        file.set_len(0)?;
    }
    Ok(Some(file))
}

/// Takes the lock of a new temporary directory. The file is locked before it has its name. An unlocked
/// lock file therefore belongs to a server that has ended, never to one that starts.
fn lock_temporary(path: &Path) -> io::Result<File> {
    let new_path = path.join("lock.new");
    let mut file = File::create_new(&new_path)?;
    file.try_lock()?;
    file.write_all(TEMPORARY)?;
    std::fs::rename(new_path, path.join(LOCK))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_mounted_compares_the_device_with_the_parent() {
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert!(!is_mounted(Path::new("/nowhere")));
    }

    #[test]
    fn open_without_directory_or_mount_is_temporary() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = DataDir::open(None, Some(dir.path())).expect("a data directory");
        assert!(data.is_temporary());
        assert_ne!(data.path(), dir.path());
    }

    #[test]
    fn open_prefers_the_set_directory_to_the_mount() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = DataDir::open(Some(dir.path()), Some(Path::new("/proc")));
        assert_eq!(data.expect("a data directory").path(), dir.path());
    }
}
