//! Deletion of temporary data directories that killed servers left.
//!
//! A directory is deleted if it has the name of a temporary data directory, belongs to the user of this
//! process, and has an unlocked lock file with the mark of a temporary one. A starting server has no
//! such file before it holds it (see [`super::lock_temporary`]). A directory without a lock file is
//! left alone. The lock file is deleted last, so that the next start continues an interrupted deletion.
//! No symbolic link is followed.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;

use super::{LOCK, PREFIX, TEMPORARY};

/// Deletes the directories of ended servers in `parent`, and logs their number.
pub(super) fn remove(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    let mut count = 0;
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        match remove_stale(&path) {
            Ok(true) => count += 1,
            Ok(false) => {}
            // Another starting server was faster.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let path = path.display();
                tracing::warn!(%error, %path, "cannot remove a temporary data directory that an ended server left");
            }
        }
    }
    if count > 0 {
        tracing::info!(
            count,
            "removed temporary data directories that ended servers left in {}",
            parent.display()
        );
    }
}

/// Deletes the directory if its server has ended. Returns `false` if the directory is left alone.
fn remove_stale(dir: &Path) -> io::Result<bool> {
    let metadata = std::fs::symlink_metadata(dir)?;
    let user = geteuid().as_raw();
    if !metadata.is_dir() || metadata.uid() != user {
        return Ok(false);
    }
    let name = dir.join(LOCK);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(opened) = rustix::fs::open(&name, flags, Mode::empty()) else {
        return Ok(false);
    };
    let mut lock = File::from(opened);
    let mut mark = Vec::new();
    let length = TEMPORARY.len() as u64;
    let metadata = lock.metadata()?;
    if !metadata.is_file() || metadata.uid() != user || metadata.len() != length {
        return Ok(false);
    }
    (&mut lock).take(length).read_to_end(&mut mark)?;
    if mark != TEMPORARY || lock.try_lock().is_err() {
        return Ok(false);
    }
    // Another starting server may have deleted the file between opening and locking.
    let named = std::fs::symlink_metadata(&name)?;
    if (named.dev(), named.ino()) != (metadata.dev(), metadata.ino()) {
        return Ok(false);
    }
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    std::fs::remove_file(name)?;
    std::fs::remove_dir(dir)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::super::{DataDir, lock, lock_temporary};
    use super::*;

    /// Creates a directory like that of a killed server in `parent`.
    fn left_behind(parent: &Path, name: &str) -> PathBuf {
        let dir = parent.join(name);
        std::fs::create_dir_all(dir.join("blobs/1")).expect("directories");
        std::fs::write(dir.join("blobs/1/a"), "a").expect("a file");
        std::fs::write(dir.join("stuntdouble.db"), "").expect("a file");
        drop(lock_temporary(&dir).expect("a lock"));
        dir
    }

    #[test]
    fn remove_stale_leaves_locked_and_permanent_directories() {
        let parent_dir = tempfile::tempdir().expect("a directory");
        let parent = parent_dir.path();
        let stale = left_behind(parent, "stuntdouble-stale");
        let running = parent.join("stuntdouble-runs");
        std::fs::create_dir(&running).expect("a directory");
        let held = lock_temporary(&running).expect("a lock");
        // Directory of a starting server that holds no lock yet.
        let starting = parent.join("stuntdouble-starts");
        std::fs::create_dir(&starting).expect("a directory");
        // Data directory of a user, and a temporary one that a user has set since.
        let set_path = parent.join("stuntdouble-set");
        std::fs::create_dir(&set_path).expect("a directory");
        drop(lock(&set_path).expect("a lock"));
        let adopted = left_behind(parent, "stuntdouble-adopted");
        drop(lock(&adopted).expect("a lock"));
        let other = left_behind(parent, "other-a");
        let elsewhere = left_behind(parent, "elsewhere");
        let link = parent.join("stuntdouble-link");
        symlink(&elsewhere, &link).expect("a link");
        let linked_lock = parent.join("stuntdouble-linked");
        std::fs::create_dir(&linked_lock).expect("a directory");
        symlink(elsewhere.join(LOCK), linked_lock.join(LOCK)).expect("a link");

        remove(parent);
        assert!(!stale.exists());
        for path in [
            &running,
            &starting,
            &set_path,
            &adopted,
            &other,
            &elsewhere,
            &link,
            &linked_lock,
        ] {
            assert!(path.exists(), "{}", path.display());
        }
        assert!(elsewhere.join("blobs/1/a").exists());
        drop(held);
        remove(parent);
        assert!(!running.exists(), "its server has ended");
    }

    #[test]
    fn remove_stale_deletes_symbolic_links_without_following_them() {
        let parent = tempfile::tempdir().expect("a directory");
        let outside = parent.path().join("outside");
        std::fs::create_dir(&outside).expect("a directory");
        std::fs::write(outside.join("a"), "a").expect("a file");
        let stale = left_behind(parent.path(), "stuntdouble-stale");
        symlink(&outside, stale.join("link")).expect("a link");
        symlink(&outside, stale.join("blobs/link")).expect("a link");
        remove(parent.path());
        assert!(!stale.exists() && outside.join("a").exists());
    }

    #[test]
    fn lock_temporary_locks_the_file_before_it_is_visible() {
        let data = DataDir::open(None, None).expect("a data directory");
        assert!(data.is_temporary());
        assert!(!remove_stale(data.path()).expect("a readable directory"));
        assert!(data.path().join(LOCK).exists());
    }
}
