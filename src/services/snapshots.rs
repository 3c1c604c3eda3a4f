//! Snapshots: copies of the whole state, or of one account's, that can be restored by name.
//!
//! Names are scoped to accounts: an account's snapshot is another than the snapshot of everything
//! with the same name. A snapshot is a directory `snapshots/{n}`: `manifest.json` with its name and
//! content, `state.db` with the rows, and `blobs/{account}` with hard links to the objects. The
//! directory is written under a temporary name and then renamed. The next start removes directories
//! with temporary names. Of two
//! directories with the same name and account, the one with the higher number counts. While a
//! snapshot is taken, only the creation and deletion of accounts wait. The rows are those of one
//! instant. The objects are linked both before and after that instant.
//!
//! A restore is a reset followed by the content of the snapshot: in one transaction, the old
//! accounts end and the accounts of the snapshot are created. The journal and the inbox are not
//! part of a snapshot.

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

/// Maximum number of snapshots.
pub const SNAPSHOTS_MAX: usize = 100;
/// Name prefix of incomplete directories: being written or being removed.
const TMP_PREFIX: &str = "new-";
const MANIFEST_FILE: &str = "manifest.json";
const STATE: &str = "state.db";
const BLOBS: &str = "blobs";

/// Name and content of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotManifest {
    pub name: String,
    /// API key of the account. `None` for a snapshot of everything.
    pub account: Option<String>,
    /// Real time at which the snapshot was taken.
    pub taken_at: Timestamp,
    pub accounts: usize,
    pub orders: u64,
    /// Total size of the objects.
    pub bytes: u64,
}

/// Reason why a snapshot was not taken, restored or removed.
#[derive(Debug)]
pub enum SnapshotError {
    /// There is no snapshot of that name.
    Unknown,
    /// The account does not exist, on the server or in the snapshot.
    UnknownAccount,
    /// The maximum number of snapshots is reached.
    Full,
    Internal(InternalError),
}

impl SnapshotManifest {
    fn key(&self) -> SnapshotKey {
        (self.name.clone(), self.account.clone())
    }
}

impl From<InternalError> for SnapshotError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::Internal(InternalError::broken(error))
    }
}

/// Registry of all snapshots.
#[derive(Debug)]
pub struct Snapshots {
    dir: PathBuf,
    db: Db,
    blobs: Blobs,
    accounts: Arc<Accounts>,
    rules: Arc<Rules>,
    index: Mutex<SnapshotIndex>,
    /// Held while a snapshot is taken, restored or removed.
    lock: tokio::sync::Mutex<()>,
}

/// Name of a snapshot, and API key of its account. `None` for a snapshot of everything.
type SnapshotKey = (String, Option<String>);

#[derive(Debug, Default)]
struct SnapshotIndex {
    /// Manifests with the numbers of their directories.
    snapshots: BTreeMap<SnapshotKey, (u64, SnapshotManifest)>,
    last: u64,
}

impl Snapshots {
    /// Loads the snapshots below `root`, and removes directories that are incomplete or replaced.
    /// No other process uses `root`.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn open(
        root: &Path,
        db: Db,
        blobs: Blobs,
        accounts: Arc<Accounts>,
        rules: Arc<Rules>,
    ) -> io::Result<Self> {
        let dir = root.join("snapshots");
        let index = Mutex::new(load_index(&dir).await?);
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

    /// Returns the snapshots of an account, or all, ordered by name.
    #[must_use]
    pub fn list(&self, account: Option<&str>) -> Vec<SnapshotManifest> {
        let index = self.index();
        let manifests = index.snapshots.values().map(|(_, manifest)| manifest);
        let listed = manifests
            .filter(|manifest| account.is_none() || manifest.account.as_deref() == account);
        listed.cloned().collect()
    }

    /// Returns the account's snapshot of that name, else the snapshot of everything.
    fn find(
        &self,
        name: &str,
        account: Option<&str>,
    ) -> Result<(PathBuf, SnapshotManifest), SnapshotError> {
        let index = self.index();
        let key = (name.to_owned(), account.map(str::to_owned));
        let everything = || index.snapshots.get(&(name.to_owned(), None));
        let entry = index.snapshots.get(&key).or_else(everything);
        let (number, manifest) = entry.ok_or(SnapshotError::Unknown)?;
        Ok((self.dir.join(number.to_string()), manifest.clone()))
    }

    /// Takes a snapshot of the account, or of everything. Replaces an earlier snapshot of the same
    /// name and account.
    ///
    /// # Errors
    /// Returns the reason why no snapshot was taken.
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
        let _guard = self.lock.lock().await;
        let number = {
            let index = self.index();
            let is_new = !index.snapshots.contains_key(&(name.clone(), key.clone()));
            if index.snapshots.len() >= SNAPSHOTS_MAX && is_new {
                return Err(SnapshotError::Full);
            }
            index.last + 1
        };
        let temporary = self.dir.join(format!("{TMP_PREFIX}{number}"));
        ignore_not_found(fs::remove_dir_all(&temporary).await)?;
        let manifest = self.write(&temporary, name, key).await?;
        fs::rename(&temporary, self.dir.join(number.to_string())).await?;
        let replaced = {
            let mut index = self.index();
            index.last = number;
            let entry = (number, manifest.clone());
            index.snapshots.insert(manifest.key(), entry)
        };
        if let Some((number, _)) = replaced {
            self.discard(number).await?;
        }
        Ok(manifest)
    }

    /// Removes a snapshot's directory. The rename comes first, so that a partly removed directory
    /// is never read as a snapshot, even after a crash.
    async fn discard(&self, number: u64) -> io::Result<()> {
        let temporary = self.dir.join(format!("{TMP_PREFIX}{number}"));
        fs::rename(self.dir.join(number.to_string()), &temporary).await?;
        fs::remove_dir_all(temporary).await
    }

    async fn write(
        &self,
        to: &Path,
        name: String,
        key: Option<String>,
    ) -> Result<SnapshotManifest, SnapshotError> {
        // The lock keeps accounts from being created or deleted, so the objects stay.
        let _guard = self.accounts.lock_lifecycle().await;
        let account_id = match &key {
            None => None,
            Some(key) => {
                let account = self.accounts.by_key(key);
                Some(account.ok_or(SnapshotError::UnknownAccount)?.id)
            }
        };
        let ids: Vec<AccountId> = if let Some(id) = account_id {
            vec![id]
        } else {
            let all = self.accounts.all();
            let ids = all.iter().map(|account| account.id);
            ids.chain([AccountId::UNOWNED]).collect()
        };
        fs::create_dir_all(to).await?;
        let blobs = to.join(BLOBS);
        self.link_blobs(&ids, &blobs).await?;
        let taken_at = clock::real_now();
        let mut rows = Snapshot::open(&to.join(STATE)).await?;
        rows.take(&self.db, account_id).await?;
        let orders = rows.orders().await?;
        let accounts = db::accounts::all(&mut rows).await?.len();
        rows.close().await?;
        let bytes = self.link_blobs(&ids, &blobs).await?;
        let manifest = SnapshotManifest {
            name,
            account: key,
            taken_at,
            accounts,
            orders,
            bytes,
        };
        let json = serde_json::to_vec(&manifest).map_err(InternalError::from)?;
        fs::write(to.join(MANIFEST_FILE), json).await?;
        Ok(manifest)
    }

    /// Hard-links the objects of the accounts into `to`. Returns the size of all files there.
    async fn link_blobs(&self, ids: &[AccountId], to: &Path) -> io::Result<u64> {
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

    /// Removes the account's snapshot of that name, or the snapshot of everything if `account` is
    /// `None`.
    ///
    /// # Errors
    /// Returns [`SnapshotError::Unknown`] if there is no such snapshot, or an error if the disk
    /// fails.
    pub async fn remove(
        self: &Arc<Self>,
        name: &str,
        account: Option<&str>,
    ) -> Result<(), SnapshotError> {
        let this = Arc::clone(self);
        let key = (name.to_owned(), account.map(str::to_owned));
        run_to_completion(async move {
            let _guard = this.lock.lock().await;
            let removed = this.index().snapshots.remove(&key);
            let (number, _) = removed.ok_or(SnapshotError::Unknown)?;
            Ok(this.discard(number).await?)
        })
        .await
    }
}

/// Reads the manifests in a directory. Removes directories that are incomplete or replaced.
async fn load_index(dir: &Path) -> io::Result<SnapshotIndex> {
    fs::create_dir_all(dir).await?;
    let mut index = SnapshotIndex::default();
    let mut entries = fs::read_dir(dir).await?;
    let mut removed = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let file_name = entry.file_name();
        let name = file_name.to_string_lossy();
        if name.starts_with(TMP_PREFIX) {
            removed.push(entry.path());
        }
        let Ok(number) = name.parse() else {
            continue;
        };
        index.last = index.last.max(number);
        let json = fs::read(entry.path().join(MANIFEST_FILE)).await;
        let parsed = json.and_then(|json| Ok(serde_json::from_slice::<SnapshotManifest>(&json)?));
        let manifest = match parsed {
            Ok(manifest) => manifest,
            Err(error) => {
                let path = entry.path();
                tracing::warn!(%error, path = %path.display(), "ignoring an unreadable snapshot");
                continue;
            }
        };
        let key = manifest.key();
        let known = index.snapshots.get(&key).map(|(known, _)| *known);
        if known.is_none_or(|known| known < number) {
            index.snapshots.insert(key, (number, manifest));
        }
        let replaced = known.map(|known| known.min(number));
        removed.extend(replaced.map(|number| dir.join(number.to_string())));
    }
    for path in removed {
        fs::remove_dir_all(path).await?;
    }
    Ok(index)
}

fn ignore_not_found(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
