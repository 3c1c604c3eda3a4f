//! The `open` command, with programs that stand for a browser.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::run_program;
use crate::support::TestServer;

/// Puts a program into `folder` that writes its arguments to the file `opened` there and exits with
/// `code`.
fn put_program(folder: &Path, name: &str, code: u8) {
    let program = folder.join(name);
    let opened = folder.join("opened");
    let script = format!(
        "#!/bin/sh\necho \"$0 $@\" >> {}\nexit {code}\n",
        opened.display()
    );
    fs::write(&program, script).expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
}

/// Runs `open` with the programs in `folder`. Returns what it printed.
async fn open(server: &TestServer, folder: &Path, arguments: &[&str]) -> String {
    let folder = folder.to_str().expect("UTF-8");
    let variables = [("STUNTDOUBLE_URL", &*server.origin), ("PATH", folder)];
    let arguments = [&["open"], arguments].concat();
    let output = run_program(&variables, &arguments, "").await;
    assert_eq!((output.code, &*output.err), (Some(0), ""), "{output:?}");
    output.out
}

#[tokio::test]
async fn open_starts_the_browser_with_the_url_and_prints_nothing() {
    let server = TestServer::start().await;
    for name in ["xdg-open", "open", "wslview"] {
        let folder = tempfile::tempdir().expect("a folder");
        put_program(folder.path(), name, 0);
        assert_eq!(open(&server, folder.path(), &[]).await, "");
        let opened = fs::read_to_string(folder.path().join("opened")).expect("a file");
        let program = folder.path().join(name);
        let expected = format!("{} {}/_mock/\n", program.display(), server.origin);
        assert_eq!(opened, expected);
    }
}

#[tokio::test]
async fn open_without_a_browser_prints_the_url() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("{}/_mock/\n", server.origin);
    assert_eq!(open(&server, folder.path(), &[]).await, url);
    put_program(folder.path(), "xdg-open", 3);
    assert_eq!(open(&server, folder.path(), &[]).await, url);
    let url = format!("{}/_mock/#token=a%20%2Bb\n", server.origin);
    assert_eq!(
        open(&server, folder.path(), &["--token", "a +b"]).await,
        url
    );
}

#[tokio::test]
async fn open_without_a_server_fails_with_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    put_program(folder.path(), "xdg-open", 0);
    let variables = [
        ("STUNTDOUBLE_URL", "http://127.0.0.1:1"),
        ("PATH", folder.path().to_str().expect("UTF-8")),
    ];
    let output = run_program(&variables, &["open"], "").await;
    assert_eq!((output.code, &*output.out), (Some(1), ""));
    let line = "stuntdouble: cannot connect to http://127.0.0.1:1: ";
    assert!(output.err.starts_with(line), "{output:?}");
    assert!(!folder.path().join("opened").exists());
}
