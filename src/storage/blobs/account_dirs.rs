//! Directories of accounts: created by the first object, and removed one by one or all at once.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::fs;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Blobs, ignore_not_found};
use crate::model::ids::AccountId;

/// Name prefix of removed directories under `tmp/`.
const REMOVED: &str = "removed-";

/// Accounts that may have directories, and the deletion of removed directories.
#[derive(Debug, Default)]
pub(super) struct AccountDirs {
    open: Mutex<HashSet<AccountId>>,
    deletions: TaskTracker,
    stop: CancellationToken,
}

impl AccountDirs {
    fn open(&self) -> MutexGuard<'_, HashSet<AccountId>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs {
    /// Opens `account` for writes. Writes fail before. Touches no disk, because most accounts of a
    /// large test suite never have an object.
    pub fn create_account_dir(&self, account: AccountId) {
        self.0.account_dirs.open().insert(account);
    }

    /// Moves the file `from` to `to` in the directory of `account`, which is created if needed.
    ///
    /// # Errors
    /// Returns `NotFound` if the account is not open. Returns another error if the disk fails.
    pub(super) async fn publish(
        &self,
        account: AccountId,
        from: &Path,
        to: &Path,
    ) -> io::Result<()> {
        match fs::rename(from, to).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_account_dir(account)?;
                fs::rename(from, to).await
            }
            renamed => renamed,
        }
    }

    /// Creates the directory of an open account. Holds the mutex, so that no account is removed between
    /// check and creation.
    fn make_account_dir(&self, account: AccountId) -> io::Result<()> {
        let open = self.0.account_dirs.open();
        if !open.contains(&account) {
            return Err(ErrorKind::NotFound.into());
        }
        std::fs::create_dir_all(self.account_dir(account))
    }

    /// Removes `account` with all its objects, at once for all readers and writers.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be moved or deleted. A moved directory is deleted at
    /// the next start.
    pub async fn remove_account(&self, account: AccountId) -> io::Result<()> {
        match self.move_away(account).await? {
            Some(away) => fs::remove_dir_all(away).await,
            None => Ok(()),
        }
    }

    /// Removes `account` as [`Blobs::remove_account`] does, and deletes the objects in the background.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be moved.
    pub async fn discard_account(&self, account: AccountId) -> io::Result<()> {
        if let Some(away) = self.move_away(account).await? {
            self.delete(away);
        }
        Ok(())
    }

    /// Moves the directory of `account` to `tmp/`, and returns the new path. `None` if there is no
    /// directory.
    async fn move_away(&self, account: AccountId) -> io::Result<Option<PathBuf>> {
        self.0.account_dirs.open().remove(&account);
        let away = self.trash_path();
        match fs::rename(self.account_dir(account), &away).await {
            Ok(()) => Ok(Some(away)),
            removed => ignore_not_found(removed).map(|()| None),
        }
    }

    /// Removes all accounts with all their objects, at once for all readers and writers. Objects
    /// without an account can still be written. The files are deleted in the background.
    ///
    /// # Errors
    /// Returns an error if the directories cannot be moved.
    pub async fn remove_all(&self) -> io::Result<()> {
        self.0.account_dirs.open().clear();
        let away = self.trash_path();
        fs::rename(&self.0.blobs, &away).await?;
        self.delete(away);
        fs::create_dir_all(&self.0.blobs).await?;
        self.create_account_dir(AccountId::UNOWNED);
        Ok(())
    }

    /// Deletes the contents of `tmp/` that an earlier process left.
    pub(super) async fn remove_unknown_accounts(&self) -> io::Result<()> {
        let mut entries = fs::read_dir(&self.0.tmp).await?;
        let mut directories = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            if !entry.file_type().await?.is_dir() {
                fs::remove_file(entry.path()).await?;
                continue;
            }
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(REMOVED));
            if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
                let next = number.saturating_add(1);
                self.0.count.fetch_max(next, Ordering::Relaxed);
            }
            directories.push(entry.path());
        }
        for directory in directories {
            self.delete(directory);
        }
        Ok(())
    }

    /// Stops the deletion of removed directories. The next start continues it.
    pub async fn close(&self) {
        let account_dirs = &self.0.account_dirs;
        account_dirs.stop.cancel();
        account_dirs.deletions.close();
        account_dirs.deletions.wait().await;
    }

    /// Returns a new path for a removed directory.
    fn trash_path(&self) -> PathBuf {
        self.0.tmp.join(format!("{REMOVED}{}", self.next_temp_id()))
    }

    /// Deletes a directory in the background, entry by entry, so that the deletion can be stopped.
    fn delete(&self, directory: PathBuf) {
        let stop = self.0.account_dirs.stop.clone();
        self.0.account_dirs.deletions.spawn(async move {
            let deleted = stop.run_until_cancelled(delete_entries(&directory)).await;
            if let Some(Err(error)) = deleted {
                let path = directory.display();
                tracing::warn!(%error, %path, "cannot delete removed objects; the next start tries again");
            }
        });
    }

    /// Returns the accounts that have directories, in no order.
    ///
    /// # Errors
    /// Returns an error if the store cannot be listed.
    pub async fn accounts(&self) -> io::Result<Vec<AccountId>> {
        let mut entries = fs::read_dir(&self.0.blobs).await?;
        let mut accounts = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            let id = entry.file_name().to_str().and_then(|id| id.parse().ok());
            accounts.extend(id.map(AccountId));
        }
        Ok(accounts)
    }
}

async fn delete_entries(directory: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(directory).await?;
    while let Some(entry) = entries.next_entry().await? {
        if entry.file_type().await?.is_dir() {
            fs::remove_dir_all(entry.path()).await?;
        } else {
            fs::remove_file(entry.path()).await?;
        }
    }
    fs::remove_dir(directory).await
}
