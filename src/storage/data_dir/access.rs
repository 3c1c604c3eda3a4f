//! Check of the access to the data directory, before any file is opened. Its error names the user, the
//! owner of the file and the remedy.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::Access;
use rustix::io::Errno;
use rustix::process::geteuid;

use super::private;

/// Creates the directory if needed.
pub(super) fn create(dir: &Path) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|error| {
        let shown = dir.display();
        if let ErrorKind::AlreadyExists | ErrorKind::NotADirectory = error.kind() {
            let file = nearest(dir).display();
            return format!(
                "cannot use the data directory {shown}: {file} is not a directory; name a directory with --data-dir"
            );
        }
        let why = explain_refusal(nearest(dir), &error, |user| {
            format!("make {shown} and give it to uid {user}")
        });
        format!("cannot use the data directory {shown}: {why}")
    })
}

/// Checks that the directory, and each file that an earlier server created in it, can be read and
/// written. A file that disappears during the check is no error: the last SQLite connection of an earlier
/// server deletes the log when it closes.
///
/// # Errors
/// Returns an error if the directory or a file cannot be read or written.
pub(super) fn check(dir: &Path) -> Result<(), String> {
    let file = Access::READ_OK | Access::WRITE_OK;
    let directory = file | Access::EXEC_OK;
    let entries = private::own_entries(dir).into_iter();
    let own = entries.map(|(path, metadata)| {
        let access = if metadata.is_dir() { directory } else { file };
        (path, access)
    });
    for (path, access) in std::iter::once((dir.to_owned(), directory)).chain(own) {
        match rustix::fs::access(&path, access) {
            Ok(()) => {}
            Err(Errno::NOENT) if path != dir => {}
            Err(error) => {
                let why = explain_refusal(&path, &error.into(), |user| {
                    format!("run chown -R {user} {}", dir.display())
                });
                return Err(format!("cannot write to {}: {why}", path.display()));
            }
        }
    }
    Ok(())
}

/// Returns the error as text. For a permission error the text names the user of the server, the owner
/// and mode of `path`, and the remedies: to run as the owner, or the remedy that `other` returns for
/// the user.
pub(super) fn explain_refusal(
    path: &Path,
    error: &io::Error,
    other: impl Fn(u32) -> String,
) -> String {
    match std::fs::metadata(path) {
        Ok(metadata) if error.kind() == ErrorKind::PermissionDenied => explanation(
            geteuid().as_raw(),
            path,
            &PathOwnership::of(&metadata),
            other,
        ),
        _ => error.to_string(),
    }
}

/// Owner and mode of a file or directory.
struct PathOwnership {
    is_dir: bool,
    uid: u32,
    mode: u32,
}

impl PathOwnership {
    fn of(metadata: &Metadata) -> Self {
        Self {
            is_dir: metadata.is_dir(),
            uid: metadata.uid(),
            mode: metadata.mode() & 0o7777,
        }
    }
}

fn explanation(
    user: u32,
    path: &Path,
    owned: &PathOwnership,
    other: impl Fn(u32) -> String,
) -> String {
    let PathOwnership { is_dir, uid, mode } = *owned;
    let path = path.display();
    let kind = if is_dir { "directory" } else { "file" };
    let remedy = if uid == user {
        format!("run chmod u+rwX {path}")
    } else {
        let other = other(user);
        format!("run the server as that user (docker run --user {uid}), or {other}")
    };
    format!(
        "permission denied; the server runs as uid {user}, the {kind} {path} belongs to uid {uid} (mode {mode:03o}): {remedy}"
    )
}

/// Returns the nearest existing directory at or above `path`.
fn nearest(path: &Path) -> &Path {
    let mut above = path.ancestors();
    let found = above.find(|path| path.symlink_metadata().is_ok());
    found.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_while_a_file_is_deleted_succeeds() {
        let dir = tempfile::tempdir().expect("a directory");
        // Like a file that was deleted after the directory was listed.
        let log = dir.path().join("stuntdouble.db-shm");
        std::os::unix::fs::symlink("missing", log).expect("a link");
        assert_eq!(check(dir.path()), Ok(()));
        assert!(check(&dir.path().join("missing")).is_err());
    }

    #[test]
    fn explain_permission_error_names_user_owner_and_remedy() {
        let owned = |is_dir, uid, mode| PathOwnership { is_dir, uid, mode };
        let chown = |user| format!("run chown -R {user} /data");
        assert_eq!(
            explanation(65532, Path::new("/data"), &owned(true, 0, 0o755), chown),
            "permission denied; the server runs as uid 65532, the directory /data belongs to uid 0 (mode 755): run the server as that user (docker run --user 0), or run chown -R 65532 /data"
        );
        assert_eq!(
            explanation(
                1000,
                Path::new("/data/lock"),
                &owned(false, 1000, 0o400),
                chown
            ),
            "permission denied; the server runs as uid 1000, the file /data/lock belongs to uid 1000 (mode 400): run chmod u+rwX /data/lock"
        );
    }

    #[test]
    fn explain_other_error_keeps_the_text_of_the_system() {
        let error = io::Error::from(ErrorKind::StorageFull);
        assert_eq!(
            explain_refusal(Path::new("/"), &error, |_| String::new()),
            error.to_string()
        );
    }

    #[test]
    fn nearest_directory_returns_the_first_existing_one() {
        assert_eq!(
            nearest(Path::new("/proc/nothing/at/all")),
            Path::new("/proc")
        );
        assert_eq!(nearest(Path::new("nothing/at/all")), Path::new("."));
    }
}
