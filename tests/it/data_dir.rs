//! The data directory is for the server's user alone; those that killed servers left are removed.

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

async fn on(dir: &Path) -> TestServer {
    TestServer::with_config(|config| {
        config.data_dir = Some(dir.to_owned());
        config.tls.tls = true;
        config.tls.tls_port = 0;
    })
    .await
}

/// The directory and all paths below it.
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

/// Permissions of the file. `None` if it is gone: SQLite removes its log when its last connection
/// closes, which may be after the server's end.
fn mode(path: &Path) -> Option<u32> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(metadata.permissions().mode() & 0o7777)
}

fn set_mode(path: &Path, mode: u32) {
    let set = std::fs::set_permissions(path, Permissions::from_mode(mode));
    assert!(set.is_ok() || !path.exists(), "{}: {set:?}", path.display());
}

/// Asserts that directories are 0700 and files 0600; returns the names of the files.
fn assert_private(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for path in paths(dir) {
        let Some(mode) = mode(&path) else {
            continue;
        };
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}: {mode:o}", path.display());
        if path.is_file() {
            files.push(path.strip_prefix(dir).expect("below").display().to_string());
        }
    }
    files
}

/// Makes files of every kind: rows, small and large uploads, made pictures, a snapshot.
async fn live(server: &TestServer) {
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
async fn every_file_of_a_whole_life_is_its_owners_alone() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("made/by/the/server");
    let server = on(&data).await;
    live(&server).await;
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
async fn directory_that_others_can_read_is_tightened_at_the_start() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    live(&server).await;
    server.stop().await;
    for path in paths(data.path()) {
        if !path.ends_with("ca.key") {
            set_mode(&path, if path.is_dir() { 0o755 } else { 0o644 });
        }
    }
    let server = on(data.path()).await;
    assert_private(data.path());
    server.freeze("later").await;
    server.assert_healthy("later").await;
    assert_private(data.path());
}

/// The program with the usual umask, whatever this process's is, and a temporary data directory in
/// `parent`.
fn started_in(parent: &Path) -> (Child, PathBuf) {
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
    let stdout = child.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let (_, rest) = line.split_once("data in ").expect("a start line");
    let (data, _) = rest
        .split_once(" (temporary")
        .expect("a temporary directory");
    let data = PathBuf::from(data);
    (child, data)
}

#[test]
fn temporary_directory_of_a_killed_server_is_removed_at_the_next_start() {
    let parent = tempfile::tempdir().expect("a directory");
    let (mut killed, left) = started_in(parent.path());
    assert_private(&left);
    killed.kill().expect("it was running");
    killed.wait().expect("its status");
    assert!(left.exists(), "nobody has removed it");

    let (mut first, of_first) = started_in(parent.path());
    assert!(!left.exists() && of_first.exists());
    let (mut second, of_second) = started_in(parent.path());
    assert!(of_first.exists() && of_second.exists(), "both are in use");
    for child in [&mut first, &mut second] {
        child.kill().expect("it was running");
    }
    let log = |child: Child| {
        let ended = child.wait_with_output().expect("its output");
        String::from_utf8(ended.stderr).expect("text")
    };
    let line = format!(
        "removed temporary data directories that ended servers left in {} count=1\n",
        parent.path().display()
    );
    let (first, second) = (log(first), log(second));
    assert!(first.ends_with(&line), "{first}");
    assert_eq!(second, "");
}

#[test]
fn data_directory_of_another_user_is_refused_with_both_users_and_the_remedy() {
    // A copy, for another user may not get to where this program is.
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
    let refused = |data: &Path| {
        let mut command = Command::new(&program);
        command
            .args(["--port", "0", "--data-dir"])
            .arg(data)
            .env_clear();
        if is_root {
            command.uid(user);
        }
        let ended = command.output().expect("the program runs");
        assert_eq!(ended.status.code(), Some(1));
        String::from_utf8(ended.stderr).expect("text")
    };
    let facts = |path: &str, mode: u32| {
        format!(
            "permission denied; the server runs as uid {user}, the directory {path} belongs to uid 0 (mode {mode:03o}): run the server as that user (docker run --user 0), or "
        )
    };
    let usr_mode = mode(Path::new("/usr")).expect("it is there");
    let within = refused(Path::new("/usr/nothing/here"));
    assert_eq!(
        within,
        format!(
            "stuntdouble: cannot use the data directory /usr/nothing/here: {}make /usr/nothing/here and give it to uid {user}\n",
            facts("/usr", usr_mode)
        )
    );
    let itself = refused(Path::new("/usr"));
    assert_eq!(
        itself,
        format!(
            "stuntdouble: cannot write to /usr: {}run chown -R {user} /usr\n",
            facts("/usr", usr_mode)
        )
    );
}

#[test]
fn files_of_another_user_in_a_shared_volume_are_refused_by_name() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give files to another user; the texts are tested beside the code.
        return;
    }
    let shared = tempfile::tempdir().expect("a directory");
    set_mode(shared.path(), 0o755);
    let program = shared.path().join("stuntdouble");
    std::fs::copy(PROGRAM, &program).expect("a copy");
    set_mode(&program, 0o755);
    // As the image has it: anybody may make files here.
    let volume = shared.path().join("volume");
    std::fs::create_dir(&volume).expect("a directory");
    Process::start(&volume, &[]).kill();
    set_mode(&volume, 0o1777);
    let ended = Command::new(&program)
        .args(["--port", "0", "--data-dir"])
        .arg(&volume)
        .env_clear()
        .uid(65532)
        .output()
        .expect("the program runs");
    let text = String::from_utf8(ended.stderr).expect("text");
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
    on(data.path()).await.stop().await;
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
