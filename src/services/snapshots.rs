//! Snapshots: the whole state, or one account's, kept aside under a name, and brought back.
//!
//! Names belong to accounts: a snapshot of an account and another of the same name, of another account
//! or of everything, are two. A snapshot is a directory, `snapshots/{n}`: `about.json` with its name and what it holds,
//! `state.db` with the rows, `blobs/{account}` with the objects as second names of their files.
//! It is made under a name that is swept at start and appears by rename; of two of one name and account
//! the greater number counts. Nobody waits while one is taken: the rows are those of one instant,
//! and the objects all that were there before and after it.
//!
//! A restore is a reset, and then what the snapshot holds: the accounts begin new lives, in one
//! transaction with the end of the old ones. What was observed is no part of a snapshot: the
//! journal and the inbox.

mod restore;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::fs;

use crate::model::ids::AccountId;
use crate::model::time::Timestamp;
use crate::platform::clock;
use crate::services::accounts::Accounts;
use crate::services::rules::Rules;
use crate::storage::blobs::Blobs;
use crate::storage::db::snapshots::Snapshot;
use crate::storage::db::{self, Db, InternalError, run_to_completion};

/// So many are kept.
pub const SNAPSHOTS_MAX: usize = 100;
/// What directories are called as long as they are not whole: in the making, or being removed.
const TMP_PREFIX: &str = "new-";
const MANIFEST_FILE: &str = "about.json";
const STATE: &str = "state.db";
const BLOBS: &str = "blobs";

/// What a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotManifest {
    pub name: String,
    /// The key of the account that it is of; none: of everything.
    pub account: Option<String>,
    /// When it was taken, by the real time.
    pub taken_at: Timestamp,
    pub accounts: usize,
    pub orders: u64,
    /// Of all objects.
    pub bytes: u64,
}

/// Why a snapshot was not taken, restored or removed.
#[derive(Debug)]
pub enum SnapshotError {
    /// There is none of that name.
    Unknown,
    /// There is no account of that key: here, or in the snapshot.
    UnknownAccount,
    /// There are too many.
    Full,
    Store(InternalError),
}

impl SnapshotManifest {
    fn key(&self) -> SnapshotKey {
        (self.name.clone(), self.account.clone())
    }
}

impl From<InternalError> for SnapshotError {
    fn from(error: InternalError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::Store(InternalError::broken(error))
    }
}

/// All snapshots.
#[derive(Debug)]
pub struct Snapshots {
    dir: PathBuf,
    db: Db,
    blobs: Blobs,
    accounts: Arc<Accounts>,
    rules: Arc<Rules>,
    index: Mutex<SnapshotIndex>,
    /// Held while one is taken, restored or removed.
    lock: tokio::sync::Mutex<()>,
}

/// Name of a snapshot, and key of the account that it is of. `None` for one of everything.
type SnapshotKey = (String, Option<String>);

#[derive(Debug, Default)]
struct SnapshotIndex {
    /// With the numbers of their directories.
    snapshots: BTreeMap<SnapshotKey, (u64, SnapshotManifest)>,
    last: u64,
}

impl Snapshots {
    /// Brings to mind the snapshots below `root`, which no other process uses, and removes what is
    /// left there of those that were never whole or are replaced.
    ///
    /// # Errors
    /// If the directory cannot be read or swept.
    pub async fn open(
        root: &Path,
        db: Db,
        blobs: Blobs,
        accounts: Arc<Accounts>,
        rules: Arc<Rules>,
    ) -> io::Result<Self> {
        let dir = root.join("snapshots");
        let index = Mutex::new(read(&dir).await?);
        Ok(Self {
            dir,
            db,
            blobs,
            accounts,
            rules,
            index,
            lock: tokio::sync::Mutex::default(),
        })
    }

    fn index(&self) -> MutexGuard<'_, SnapshotIndex> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the snapshots of the account of that key, or all, by name.
    #[must_use]
    pub fn list(&self, account: Option<&str>) -> Vec<SnapshotManifest> {
        let index = self.index();
        let all = index.snapshots.values().map(|(_, about)| about);
        let listed = all.filter(|it| account.is_none() || it.account.as_deref() == account);
        listed.cloned().collect()
    }

    /// Returns the snapshot of that name of the account, or else that of everything.
    fn find(
        &self,
        name: &str,
        account: Option<&str>,
    ) -> Result<(PathBuf, SnapshotManifest), SnapshotError> {
        let index = self.index();
        let own = (name.to_owned(), account.map(str::to_owned));
        let everything = || index.snapshots.get(&(name.to_owned(), None));
        let found = index.snapshots.get(&own).or_else(everything);
        let (number, about) = found.ok_or(SnapshotError::Unknown)?;
        Ok((self.dir.join(number.to_string()), about.clone()))
    }

    /// Takes a snapshot of the account of that key, or of everything, in place of an earlier one
    /// of the same name and account.
    ///
    /// # Errors
    /// If there is no such account, there are too many snapshots, or it cannot be written.
    pub async fn take(
        self: &Arc<Self>,
        name: &str,
        key: Option<&str>,
    ) -> Result<SnapshotManifest, SnapshotError> {
        let (this, name, key) = (Arc::clone(self), name.to_owned(), key.map(str::to_owned));
        run_to_completion(async move { this.take_inner(name, key).await }).await
    }

    async fn take_inner(
        &self,
        name: String,
        key: Option<String>,
    ) -> Result<SnapshotManifest, SnapshotError> {
        let _turn = self.lock.lock().await;
        let number = {
            let index = self.index();
            let is_new = !index.snapshots.contains_key(&(name.clone(), key.clone()));
            if index.snapshots.len() >= SNAPSHOTS_MAX && is_new {
                return Err(SnapshotError::Full);
            }
            index.last + 1
        };
        let fresh = self.dir.join(format!("{TMP_PREFIX}{number}"));
        ignore_not_found(fs::remove_dir_all(&fresh).await)?;
        let about = self.write(&fresh, name, key).await?;
        fs::rename(&fresh, self.dir.join(number.to_string())).await?;
        let replaced = {
            let mut index = self.index();
            index.last = number;
            let stored = (number, about.clone());
            index.snapshots.insert(about.key(), stored)
        };
        if let Some((number, _)) = replaced {
            self.discard(number).await?;
        }
        Ok(about)
    }

    /// Removes a snapshot's directory, of which nobody takes a part for the whole meanwhile, nor
    /// where the process ends before all of it has gone.
    async fn discard(&self, number: u64) -> io::Result<()> {
        let going = self.dir.join(format!("{TMP_PREFIX}{number}"));
        fs::rename(self.dir.join(number.to_string()), &going).await?;
        fs::remove_dir_all(going).await
    }

    async fn write(
        &self,
        to: &Path,
        name: String,
        key: Option<String>,
    ) -> Result<SnapshotManifest, SnapshotError> {
        // No account begins or ends meanwhile, nor do its objects go all at once.
        let _turn = self.accounts.lock_lifecycle().await;
        let of = match &key {
            None => None,
            Some(key) => {
                let account = self.accounts.by_key(key);
                Some(account.ok_or(SnapshotError::UnknownAccount)?.id)
            }
        };
        let ids: Vec<AccountId> = if let Some(id) = of {
            vec![id]
        } else {
            let all = self.accounts.all();
            let ids = all.iter().map(|account| account.id);
            ids.chain([AccountId::UNOWNED]).collect()
        };
        fs::create_dir_all(to).await?;
        let blobs = to.join(BLOBS);
        self.share(&ids, &blobs).await?;
        let taken_at = clock::real_now();
        let mut rows = Snapshot::open(&to.join(STATE)).await?;
        rows.take(&self.db, of).await?;
        let orders = rows.orders().await?;
        let accounts = db::accounts::all(&mut rows).await?.len();
        rows.close().await?;
        let bytes = self.share(&ids, &blobs).await?;
        let about = SnapshotManifest {
            name,
            account: key,
            taken_at,
            accounts,
            orders,
            bytes,
        };
        let json = serde_json::to_vec(&about).map_err(InternalError::from)?;
        fs::write(to.join(MANIFEST_FILE), json).await?;
        Ok(about)
    }

    /// Has the objects of these accounts in `to` as well: how many bytes are there.
    async fn share(&self, ids: &[AccountId], to: &Path) -> io::Result<u64> {
        let mut bytes = 0;
        for id in ids {
            let to = to.join(id.0.to_string());
            self.blobs.link_into(*id, &to).await?;
            let mut files = fs::read_dir(&to).await?;
            while let Some(file) = files.next_entry().await? {
                bytes += file.metadata().await?.len();
            }
        }
        Ok(bytes)
    }

    /// Removes the snapshot of that name of the account, or that of everything.
    ///
    /// # Errors
    /// If there is none, or it cannot be removed.
    pub async fn remove(
        self: &Arc<Self>,
        name: &str,
        account: Option<&str>,
    ) -> Result<(), SnapshotError> {
        let this = Arc::clone(self);
        let key = (name.to_owned(), account.map(str::to_owned));
        run_to_completion(async move {
            let _turn = this.lock.lock().await;
            let removed = this.index().snapshots.remove(&key);
            let (number, _) = removed.ok_or(SnapshotError::Unknown)?;
            Ok(this.discard(number).await?)
        })
        .await
    }
}

/// What is kept in the directory, which is swept of what was never whole or is replaced.
async fn read(dir: &Path) -> io::Result<SnapshotIndex> {
    fs::create_dir_all(dir).await?;
    let mut index = SnapshotIndex::default();
    let mut entries = fs::read_dir(dir).await?;
    let mut swept = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let file_name = entry.file_name();
        let host = file_name.to_string_lossy();
        if host.starts_with(TMP_PREFIX) {
            swept.push(entry.path());
        }
        let Ok(number) = host.parse() else {
            continue;
        };
        index.last = index.last.max(number);
        let json = fs::read(entry.path().join(MANIFEST_FILE)).await;
        let about = json.and_then(|json| Ok(serde_json::from_slice::<SnapshotManifest>(&json)?));
        let about = match about {
            Ok(about) => about,
            Err(error) => {
                let path = entry.path();
                tracing::warn!(%error, path = %path.display(), "left a snapshot alone that cannot be read");
                continue;
            }
        };
        let key = about.key();
        let known = index.snapshots.get(&key).map(|(known, _)| *known);
        if known.is_none_or(|known| known < number) {
            index.snapshots.insert(key, (number, about));
        }
        let replaced = known.map(|known| known.min(number));
        swept.extend(replaced.map(|number| dir.join(number.to_string())));
    }
    for path in swept {
        fs::remove_dir_all(path).await?;
    }
    Ok(index)
}

fn ignore_not_found(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
