//! Objects shared with a directory elsewhere: no file is ever written again, so that a second
//! name for it is a copy.

use std::io::{self, ErrorKind};
use std::path::Path;

use tokio::fs::{self, DirEntry};

use super::Blobs;
use crate::model::ids::AccountId;

impl Blobs {
    /// Has all the account's objects in `to` as well, which is made where it is not there; those
    /// there in place of others of their name. Answers how many bytes they are.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn share(&self, account: AccountId, to: &Path) -> io::Result<u64> {
        link_all(&self.account_dir(account), to).await
    }

    /// Makes room for the account, with the objects that are in `from`.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn adopt(&self, account: AccountId, from: &Path) -> io::Result<()> {
        self.open_account(account).await?;
        link_all(from, &self.account_dir(account)).await.map(drop)
    }
}

async fn link_all(from: &Path, to: &Path) -> io::Result<u64> {
    fs::create_dir_all(to).await?;
    let mut entries = match fs::read_dir(from).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut bytes = 0;
    while let Some(entry) = entries.next_entry().await? {
        match link(&entry, &to.join(entry.file_name())).await {
            // It has been removed since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            linked => bytes += linked?,
        }
    }
    Ok(bytes)
}

/// A second name for the file, or a copy where the disk has no second names.
async fn link(entry: &DirEntry, to: &Path) -> io::Result<u64> {
    let from = entry.path();
    match fs::hard_link(&from, to).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if is_same(&from, to).await? {
                return Ok(0);
            }
            fs::remove_file(to).await?;
            fs::hard_link(&from, to).await?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(error),
        Err(_) => return fs::copy(&from, to).await,
    }
    Ok(entry.metadata().await?.len())
}

async fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (one, other) = (fs::metadata(one).await?, fs::metadata(other).await?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
