//! The data directory: where all state is, for one server at a time, and for its user alone.
//!
//! The directory is 0700 and its files are 0600: [`DataDir::open`] sets the process's umask, which
//! also counts for the files that SQLite makes, and tightens what an older version left.

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

/// File that the server holds locked as long as it runs.
const LOCK: &str = "lock";
/// Begin of the names of temporary data directories.
const PREFIX: &str = "stuntdouble-";
/// Content of the lock file of a temporary data directory, which tells it from one that is kept.
const TEMPORARY: &[u8] = b"temporary\n";
/// Permissions that no file of this process gives to the group or to others.
const UMASK: u32 = 0o077;
/// Time that a server which is ending has to let go of its lock. A process that it was starting in
/// that moment, as tests do, has the lock too until it runs its own program.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// Where all state is: kept, or gone when this is dropped. Locked against other servers.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    temporary: Option<TempDir>,
    _lock: File,
}

impl DataDir {
    /// The directory that is set, or else `mount` if something is mounted there, or else a temporary
    /// one. From here on no file that this process makes can be read by other users. Temporary ones
    /// that killed servers left behind are removed.
    ///
    /// # Errors
    /// One line that says what could not be had, and why.
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
            .map_err(|error| format!("cannot lock the data directory {shown}: {error}"))?;
        let lock = lock.ok_or_else(|| {
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

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes when this is dropped.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// Whether a file system begins there: on another device than the directory above.
fn is_mounted(dir: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|it| it.dev()).ok();
    let (here, above) = (device(dir), device(&dir.join("..")));
    here.is_some() && here != above
}

/// The lock, none if another process has it. It goes with the process, however that ends; one that is
/// just ending is waited for.
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
    // A temporary directory that somebody sets as the data directory is kept from now on.
    if file.metadata()?.len() > 0 {
        file.set_len(0)?;
    }
    Ok(Some(file))
}

/// Returns the lock of a new temporary directory. The file is locked before it has its name: a lock
/// file that nobody holds is that of a server that has ended, never of one that starts.
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
    fn a_directory_is_mounted_if_a_file_system_begins_there() {
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert!(!is_mounted(Path::new("/nowhere")));
    }

    #[test]
    fn where_nothing_is_mounted_the_data_is_temporary() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = DataDir::open(None, Some(dir.path())).expect("a data directory");
        assert!(data.is_temporary());
        assert_ne!(data.path(), dir.path());
    }

    #[test]
    fn what_is_set_outranks_what_is_mounted() {
        let dir = tempfile::tempdir().expect("a directory");
        let data = DataDir::open(Some(dir.path()), Some(Path::new("/proc")));
        assert_eq!(data.expect("a data directory").path(), dir.path());
    }
}
