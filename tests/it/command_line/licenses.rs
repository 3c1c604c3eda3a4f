//! The `licenses` command, with and without the license file of the container image.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;

const OWN: &str = include_str!("../../../LICENSE");

/// Runs the command from a copy of the program whose folder has `third_party` as its license file.
fn licenses_with(third_party: Option<&[u8]>) -> (Output, String) {
    let built = Path::new(env!("CARGO_BIN_EXE_stuntdouble"));
    let folder = tempfile::tempdir_in(built.parent().expect("a folder")).expect("a folder");
    let program = folder.path().join("stuntdouble");
    fs::hard_link(built, &program).expect("a link");
    let file = folder.path().join("licenses/THIRD-PARTY.txt.gz");
    if let Some(bytes) = third_party {
        fs::create_dir(folder.path().join("licenses")).expect("a folder");
        fs::write(&file, bytes).expect("a file");
    }
    let output = Command::new(&program)
        .arg("licenses")
        .env_clear()
        .output()
        .expect("the program runs");
    (output, file.display().to_string())
}

/// Asserts that the command fails with one line and prints nothing on standard output.
fn assert_fails_with(output: &Output, line: &str) {
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!("stuntdouble: {line}\n")
    );
}

#[test]
fn licenses_with_license_file_prints_own_and_third_party_licenses() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed
        .write_all("Þriðji\n".as_bytes())
        .expect("writes to memory");
    let (output, _) = licenses_with(Some(&packed.finish().expect("writes to memory")));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{OWN}\nÞriðji\n")
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn licenses_without_license_file_fails_and_names_the_image() {
    let (output, file) = licenses_with(None);
    let line = format!(
        "cannot read {file}: No such file or directory (os error 2); only the container image has it, \
         and docker/third_party.py prints the same licenses"
    );
    assert_fails_with(&output, &line);
}

#[test]
fn licenses_with_truncated_license_file_fails() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(b"third").expect("writes to memory");
    let packed = packed.finish().expect("writes to memory");
    let (output, file) = licenses_with(Some(&packed[..packed.len() - 9]));
    let line = format!("{file} is broken: incomplete deflate stream");
    assert_fails_with(&output, &line);
}
