//! Errors of the database and of the disk.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

/// Primary result code of SQLite for a full disk.
const SQLITE_FULL: i32 = 13;
/// Extended result code of SQLite if the shared memory beside the log cannot grow: the disk is full.
const SQLITE_IOERR_SHMSIZE: i32 = 4874;

/// Error of the database.
#[derive(Debug, Clone)]
pub enum InternalError {
    /// The account was removed during the operation. Nothing was written.
    AccountGone,
    /// The disk of the data directory has no space left.
    DiskFull(DiskFull),
    /// A fault of the server or of the disk.
    Broken(Arc<dyn Error + Send + Sync>),
}

impl InternalError {
    /// Wraps an error from any source: [`Self::DiskFull`] if it or one of its sources is a full disk,
    /// else [`Self::Broken`].
    #[must_use]
    pub fn broken(error: impl Error + Send + Sync + 'static) -> Self {
        match DiskFull::find(&error) {
            Some(full) => Self::DiskFull(full),
            None => Self::Broken(Arc::new(error)),
        }
    }

    /// Returns the error with the path of the data directory, if the error is [`Self::DiskFull`].
    pub(super) fn in_data_dir(self, data_dir: Option<&Arc<Path>>) -> Self {
        match self {
            Self::DiskFull(_) => Self::DiskFull(DiskFull(data_dir.cloned())),
            other => other,
        }
    }
}

impl fmt::Display for InternalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountGone => formatter.write_str("the account was reset during the operation"),
            Self::DiskFull(full) => write!(formatter, "{full}"),
            Self::Broken(error) => write!(formatter, "{error}"),
        }
    }
}

impl Error for InternalError {}

impl From<sqlx::Error> for InternalError {
    fn from(error: sqlx::Error) -> Self {
        let Some(inner) = error.as_database_error() else {
            return Self::broken(error);
        };
        if inner.is_foreign_key_violation() {
            return Self::AccountGone;
        }
        let code = inner.code().and_then(|code| code.parse::<i32>().ok());
        match code {
            Some(code) if code & 0xff == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE => {
                Self::DiskFull(DiskFull(None))
            }
            _ => Self::Broken(Arc::new(error)),
        }
    }
}

impl From<serde_json::Error> for InternalError {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(Arc::new(error))
    }
}

/// The disk of the data directory is full, with the directory's path if it is known.
#[derive(Debug, Clone)]
pub struct DiskFull(Option<Arc<Path>>);

impl DiskFull {
    /// Returns `error` with `DiskFull` as its inner error if the error means a full disk or an
    /// exceeded quota. Returns any other error unchanged.
    #[must_use]
    pub fn explain(error: io::Error, data_dir: Option<&Path>) -> io::Error {
        match error.kind() {
            kind @ (ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                io::Error::new(kind, Self(data_dir.map(Arc::from)))
            }
            _ => error,
        }
    }

    /// Returns the full disk among `error` and its sources. `None` if there is none.
    fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(InternalError::DiskFull(full)) = error.downcast_ref() {
                return Some(full.clone());
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                let inner = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<Self>());
                let is_full = matches!(
                    error.kind(),
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded
                );
                if inner.is_some() || is_full {
                    return Some(inner.cloned().unwrap_or(Self(None)));
                }
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for DiskFull {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(data_dir) => write!(
                formatter,
                "the disk of the data directory {} is full",
                data_dir.display()
            ),
            None => formatter.write_str("the disk of the data directory is full"),
        }
    }
}

impl Error for DiskFull {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_with_a_full_disk_among_its_sources_is_disk_full() {
        let full = || io::Error::from(ErrorKind::StorageFull);
        let explained = DiskFull::explain(full(), Some(Path::new("/data")));
        for (error, expected) in [
            (
                InternalError::broken(full()),
                "the disk of the data directory is full",
            ),
            (
                InternalError::broken(explained),
                "the disk of the data directory /data is full",
            ),
            (
                InternalError::broken(sqlx::Error::Io(full())),
                "the disk of the data directory is full",
            ),
        ] {
            assert!(matches!(error, InternalError::DiskFull(_)), "{error:?}");
            assert_eq!(error.to_string(), expected);
        }
        let explained = DiskFull::explain(ErrorKind::NotFound.into(), Some(Path::new("/data")));
        let other = InternalError::broken(explained);
        assert!(matches!(other, InternalError::Broken(_)), "{other:?}");
    }
}
