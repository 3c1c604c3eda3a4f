//! Permissions of existing data directories.

use std::fs::{Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// Directories that the server creates.
const DIRECTORIES: [&str; 4] = ["blobs", "snapshots", "tls", "tmp"];
const LOCK: &str = super::LOCK;
/// Prefix of the names of the database files.
const DATABASE: &str = "stuntdouble.db";
/// Key of the certificate authority. Wrong permissions are an error: others may have read it.
const KEY: &str = "ca.key";

/// Permission bits of the group and of others.
const NOT_OWNER: u32 = 0o077;
const OWNER: u32 = 0o700;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Removes the permissions of the group and of others from the data directory and the files of the
/// server.
///
/// Files of other users are left alone. The directory is left alone too if it belongs to another user,
/// like a mounted volume, or contains other files, like `/tmp` or a home directory. New files are
/// private in any case.
pub(super) fn tighten(root: &Path) {
    let tightened = entries(root).and_then(|entries| {
        for (path, metadata) in own_entries(root) {
            tighten_all(&path, &metadata)?;
        }
        let metadata = std::fs::metadata(root)?;
        let is_ours_alone = entries.iter().all(|name| is_known(name));
        if is_own(&metadata) && is_ours_alone {
            return restrict(root, &metadata);
        }
        let mode = metadata.mode();
        if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
            let path = root.display();
            tracing::warn!(
                "every user can replace files in the data directory {path} (mode {:03o})",
                mode & 0o777
            );
        }
        Ok(())
    });
    if let Err(error) = tightened {
        let path = root.display();
        tracing::warn!(%error, "cannot keep other users out of the data directory {path}");
    }
}

/// Returns the files and directories of the server in `root`.
pub(super) fn own_entries(root: &Path) -> Vec<(PathBuf, Metadata)> {
    let names = entries(root).unwrap_or_default();
    let paths = names
        .iter()
        .filter(|name| is_known(name))
        .map(|name| root.join(name));
    paths
        .filter_map(|path| {
            let metadata = std::fs::symlink_metadata(&path).ok()?;
            Some((path, metadata))
        })
        .collect()
}

/// Returns the names in the directory, sorted.
fn entries(dir: &Path) -> io::Result<Vec<String>> {
    let names =
        std::fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<io::Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}

fn is_known(name: &str) -> bool {
    name == LOCK || DIRECTORIES.contains(&name) || name.starts_with(DATABASE)
}

fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw()
}

/// Restricts a file, or a directory with its contents. A directory is restricted after its contents: a
/// restricted directory is complete, and is not walked at each start.
fn tighten_all(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let is_key = path.ends_with(KEY);
    if metadata.is_symlink() || !is_own(metadata) || is_key || metadata.mode() & NOT_OWNER == 0 {
        return Ok(());
    }
    if metadata.is_dir() {
        for name in entries(path)? {
            let path = path.join(name);
            tighten_all(&path, &std::fs::symlink_metadata(&path)?)?;
        }
    }
    restrict(path, metadata)
}

fn restrict(path: &Path, metadata: &Metadata) -> io::Result<()> {
    let mode = metadata.mode();
    if mode & NOT_OWNER == 0 {
        return Ok(());
    }
    match std::fs::set_permissions(path, Permissions::from_mode(mode & OWNER)) {
        // The last SQLite connection of an earlier server deletes the log when it closes.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        let metadata = std::fs::metadata(path).expect("a file");
        metadata.mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of this user");
    }

    #[test]
    fn restrict_directory_with_other_files_restricts_only_own_files() {
        let dir = tempfile::tempdir().expect("a directory");
        let (blob, other) = (dir.path().join("blobs/1/a"), dir.path().join("notes.txt"));
        std::fs::create_dir_all(dir.path().join("blobs/1")).expect("directories");
        // Another test of this process may have changed the umask.
        for path in [".", "blobs", "blobs/1"] {
            set_mode(&dir.path().join(path), 0o755);
        }
        for path in [&blob, &other] {
            std::fs::write(path, "a").expect("a file");
            set_mode(path, 0o644);
        }
        tighten(dir.path());
        assert_eq!((mode(dir.path()), mode(&other)), (0o755, 0o644));
        assert_eq!(mode(&dir.path().join("blobs")), 0o700);
        assert_eq!(mode(&blob), 0o600);

        std::fs::remove_file(&other).expect("a file");
        tighten(dir.path());
        assert_eq!(mode(dir.path()), 0o700);
    }

    #[test]
    fn restrict_leaves_the_key_of_the_authority() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = dir.path().join("tls");
        std::fs::create_dir(&folder).expect("a directory");
        let (key, certificate) = (folder.join("ca.key"), folder.join("ca.pem"));
        for path in [&key, &certificate] {
            std::fs::write(path, "a").expect("a file");
            set_mode(path, 0o644);
        }
        set_mode(&folder, 0o755);
        tighten(dir.path());
        assert_eq!((mode(&key), mode(&certificate)), (0o644, 0o600));
        assert_eq!(mode(&folder), 0o700);
    }
}
