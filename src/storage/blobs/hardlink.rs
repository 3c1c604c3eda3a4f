//! Copies of objects as hard links. Files of objects are never written again, so a hard link is a copy.

use std::io::{self, ErrorKind};
use std::path::Path;

use tokio::fs;

use super::Blobs;
use crate::model::ids::AccountId;

impl Blobs {
    /// Links all objects of `account` into the directory `to`, which is created if needed. Replaces
    /// files of the same name.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn link_into(&self, account: AccountId, to: &Path) -> io::Result<()> {
        let linked = link_all(&self.account_dir(account), to).await;
        linked.map_err(|error| self.explain(error))
    }

    /// Opens `account` for writes, with the objects of the directory `from`.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn link_from(&self, account: AccountId, from: &Path) -> io::Result<()> {
        self.create_account_dir(account);
        let linked = link_all(from, &self.account_dir(account)).await;
        linked.map_err(|error| self.explain(error))
    }
}

async fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to).await?;
    let mut entries = match fs::read_dir(from).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    while let Some(entry) = entries.next_entry().await? {
        match link(&entry.path(), &to.join(entry.file_name())).await {
            // The object was removed after the directory was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            linked => linked?,
        }
    }
    Ok(())
}

/// Creates a hard link, or a copy on a file system without hard links.
async fn link(from: &Path, to: &Path) -> io::Result<()> {
    let mut linked = fs::hard_link(from, to).await;
    if is(&linked, ErrorKind::AlreadyExists) {
        if is_same(from, to).await? {
            return Ok(());
        }
        fs::remove_file(to).await?;
        linked = fs::hard_link(from, to).await;
    }
    if linked.is_ok() || is(&linked, ErrorKind::NotFound) {
        return linked;
    }
    fs::copy(from, to).await.map(drop)
}

fn is(done: &io::Result<()>, kind: ErrorKind) -> bool {
    done.as_ref().is_err_and(|error| error.kind() == kind)
}

async fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (one, other) = (fs::metadata(one).await?, fs::metadata(other).await?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}
