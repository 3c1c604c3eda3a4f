//! The data directory: where all state is, for one server at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const LOCK: &str = "lock";

/// Where all state is: kept, or gone when this is dropped. Locked against other servers.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    temporary: Option<TempDir>,
    _lock: File,
}

impl DataDir {
    /// The directory that is set, or else `mount` if something is mounted there, or else a temporary
    /// one.
    ///
    /// # Errors
    /// One line that says what could not be had, and why.
    pub fn open(set: Option<&Path>, mount: Option<&Path>) -> Result<Self, String> {
        let set = set.or_else(|| mount.filter(|dir| is_mounted(dir)));
        let temporary = match set {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("stuntdouble-")
                    .tempdir()
                    .map_err(|error| {
                        format!(
                            "cannot make a temporary directory: {error}; set --data-dir, or TMPDIR"
                        )
                    })?,
            ),
        };
        let path = set.map_or_else(
            || temporary.as_ref().map(|dir| dir.path().to_owned()),
            |dir| Some(dir.to_owned()),
        );
        let path = path.unwrap_or_default();
        let shown = path.display();
        std::fs::create_dir_all(&path)
            .map_err(|error| format!("cannot use the data directory {shown}: {error}"))?;
        let lock = lock(&path)
            .map_err(|error| format!("cannot lock the data directory {shown}: {error}"))?;
        let lock = lock.ok_or_else(|| {
            format!("the data directory {shown} is in use by another stuntdouble")
        })?;
        Ok(Self {
            path,
            temporary,
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

/// The lock, none if another process has it. It goes with the process, however that ends.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(path.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
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
