//! The data directory is private to the server's user. Temporary ones of killed servers are
//! removed.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::json;

use crate::support::{Database, Process, TestServer, picture};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stuntdouble");

async fn start_on(dir: &Path) -> TestServer {
    TestServer::with_config(|config| {
        config.data_dir = Some(dir.to_owned());
        config.tls.tls = true;
        config.tls.tls_port = 0;
    })
    .await
}

/// Returns the directory and all paths below it.
fn paths(dir: &Path) -> Vec<PathBuf> {
    let mut paths = vec![dir.to_owned()];
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            paths.extend(self::paths(&path));
        } else {
            paths.push(path);
        }
    }
    paths
}

/// Returns the permissions of a file. `None` if it no longer exists: SQLite removes its log when
/// the last connection closes, which may be after the server has stopped.
fn mode(path: &Path) -> Option<u32> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(metadata.permissions().mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) {
    let result = std::fs::set_permissions(path, Permissions::from_mode(mode));
    assert!(
        result.is_ok() || !path.exists(),
        "{}: {result:?}",
        path.display()
    );
}

/// Asserts that directories are 0700 and files 0600. Returns the names of the files.
fn assert_private(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for path in paths(dir) {
        let Some(mode) = mode(&path) else {
            continue;
        };
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}: {mode:o}", path.display());
        if path.is_file() {
            files.push(
                path.strip_prefix(dir)
                    .expect("a path below the directory")
                    .display()
                    .to_string(),
            );
        }
    }
    files
}

/// Creates files of every kind: rows, small and large uploads, generated pictures, a snapshot.
async fn create_all_kinds_of_files(server: &TestServer) {
    server.freeze("live").await;
    let options = json!({"generateHeatmap": true});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": options});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let large = json!({"idempotencyKey": "b", "fileName": "b.jpg"});
    server
        .upload_detection("live", &large, vec![0; 600 * 1024])
        .await;
    let snapshots = "/_mock/snapshots/all";
    server.control(Method::PUT, snapshots, &json!({})).await;
    let restore = format!("{snapshots}/restore");
    server.control(Method::POST, &restore, &json!({})).await;
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn create_every_kind_of_file_makes_all_of_them_private() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("created/by/the/server");
    let server = start_on(&data).await;
    create_all_kinds_of_files(&server).await;
    let files = assert_private(&data);
    for name in [
        "lock",
        "stuntdouble.db",
        "stuntdouble.db-wal",
        "stuntdouble.db-shm",
        "tls/ca.key",
        "tls/ca.pem",
    ] {
        assert!(files.iter().any(|file| file == name), "{name}: {files:?}");
    }
    for folder in ["blobs/", "snapshots/"] {
        let count = files.iter().filter(|file| file.starts_with(folder)).count();
        assert!(count > 2, "{folder}: {files:?}");
    }
    server.stop().await;
    assert_private(&data);
}

#[tokio::test]
async fn start_on_readable_directory_makes_all_files_private() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    create_all_kinds_of_files(&server).await;
    server.stop().await;
    for path in paths(data.path()) {
        if !path.ends_with("ca.key") {
            set_mode(&path, if path.is_dir() { 0o755 } else { 0o644 });
        }
    }
    let server = start_on(data.path()).await;
    assert_private(data.path());
    server.freeze("later").await;
    server.assert_healthy("later").await;
    assert_private(data.path());
}

/// Starts the program with umask 022 and a temporary data directory below `parent`. Returns the
/// process and the data directory.
fn spawn_in(parent: &Path) -> (Child, PathBuf) {
    let mut child = Command::new("sh")
        .args(["-c", "umask 022; exec \"$0\" --port 0", PROGRAM])
        .env_clear()
        .env("TMPDIR", parent)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a piped standard output");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let (_, rest) = line.split_once("data in ").expect("a start line");
    let (data, _) = rest
        .split_once(" (temporary")
        .expect("a temporary directory");
    let data = PathBuf::from(data);
    (child, data)
}

#[test]
fn start_after_kill_removes_the_old_temporary_directory() {
    let parent = tempfile::tempdir().expect("a directory");
    let (mut killed, abandoned) = spawn_in(parent.path());
    assert_private(&abandoned);
    killed.kill().expect("a running process");
    killed.wait().expect("an exit status");
    assert!(
        abandoned.exists(),
        "the directory of the killed server remains"
    );

    let (mut first, first_dir) = spawn_in(parent.path());
    assert!(!abandoned.exists() && first_dir.exists());
    let (mut second, second_dir) = spawn_in(parent.path());
    assert!(first_dir.exists() && second_dir.exists(), "both are in use");
    for child in [&mut first, &mut second] {
        child.kill().expect("a running process");
    }
    let log = |child: Child| {
        let output = child.wait_with_output().expect("an output");
        String::from_utf8(output.stderr).expect("text")
    };
    let line = format!(
        "removed temporary data directories that ended servers left in {} count=1\n",
        parent.path().display()
    );
    let first_log = log(first);
    assert!(first_log.ends_with(&line), "{first_log}");
    assert_eq!(log(second), "");
}

#[test]
fn start_on_directory_of_another_user_names_both_users_and_the_remedy() {
    // Another user may not be able to reach the directory of the original program.
    let shared = tempfile::tempdir().expect("a directory");
    set_mode(shared.path(), 0o755);
    let program = shared.path().join("stuntdouble");
    std::fs::copy(PROGRAM, &program).expect("a copy");
    set_mode(&program, 0o755);
    let is_root = rustix::process::geteuid().is_root();
    let user = if is_root {
        65532
    } else {
        rustix::process::geteuid().as_raw()
    };
    let error_on = |data: &Path| {
        let mut command = Command::new(&program);
        command
            .args(["--port", "0", "--data-dir"])
            .arg(data)
            .env_clear();
        if is_root {
            command.uid(user);
        }
        let output = command.output().expect("the program runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    };
    let facts = |path: &str, mode: u32| {
        format!(
            "permission denied; the server runs as uid {user}, the directory {path} belongs to uid 0 (mode {mode:03o}): run the server as that user (docker run --user 0), or "
        )
    };
    let usr_mode = mode(Path::new("/usr")).expect("a directory");
    let error_below = error_on(Path::new("/usr/nothing/here"));
    assert_eq!(
        error_below,
        format!(
            "stuntdouble: cannot use the data directory /usr/nothing/here: {}make /usr/nothing/here and give it to uid {user}\n",
            facts("/usr", usr_mode)
        )
    );
    let error = error_on(Path::new("/usr"));
    assert_eq!(
        error,
        format!(
            "stuntdouble: cannot write to /usr: {}run chown -R {user} /usr\n",
            facts("/usr", usr_mode)
        )
    );
}

#[test]
fn start_on_files_of_another_user_names_the_file() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give files to another user. Unit tests cover the texts.
        return;
    }
    let shared = tempfile::tempdir().expect("a directory");
    set_mode(shared.path(), 0o755);
    let program = shared.path().join("stuntdouble");
    std::fs::copy(PROGRAM, &program).expect("a copy");
    set_mode(&program, 0o755);
    // As in the image: every user may create files here.
    let volume = shared.path().join("volume");
    std::fs::create_dir(&volume).expect("a directory");
    Process::start(&volume, &[]).kill();
    set_mode(&volume, 0o1777);
    let output = Command::new(&program)
        .args(["--port", "0", "--data-dir"])
        .arg(&volume)
        .env_clear()
        .uid(65532)
        .output()
        .expect("the program runs");
    let text = String::from_utf8(output.stderr).expect("text");
    let blobs = volume.join("blobs");
    let expected = [
        format!("stuntdouble: cannot write to {}", blobs.display()),
        format!(
            "{} belongs to uid 0 (mode 700): run the server as that user (docker run --user 0), or run chown -R 65532 {}\n",
            blobs.display(),
            volume.display()
        ),
    ];
    assert!(
        text.starts_with(&expected[0]) && text.ends_with(&expected[1]),
        "{text}"
    );
}

#[tokio::test]
async fn start_on_a_database_with_other_tables_ends_with_the_remedy() {
    let data = tempfile::tempdir().expect("a directory");
    start_on(data.path()).await.stop().await;
    let mut database = Database::open(data.path()).await;
    for change in [
        "UPDATE _sqlx_migrations SET checksum = x'00'",
        "UPDATE _sqlx_migrations SET version = 8",
    ] {
        database.execute(change).await;
        let ended = Command::new(PROGRAM)
            .args(["--port", "0", "--data-dir"])
            .arg(data.path())
            .env_clear()
            .output()
            .expect("the program runs");
        assert_eq!(ended.status.code(), Some(1), "{change}");
        assert_eq!(
            String::from_utf8(ended.stderr).expect("text"),
            "stuntdouble: cannot open the database: it was written by a version of stuntdouble with other tables; \
             use an empty data directory, or that version\n",
            "{change}"
        );
    }
}
