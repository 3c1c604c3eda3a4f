//! The code blocks of the documents. Every shell block is run: by these tests, or by
//! `tests/container/stage-own.sh`. A new block in any document is run without further ado.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::StreamExt;
use futures_util::stream;

use super::document::{Document, Section, root};
use crate::support::{TestServer, fixture};

/// Address of the server in the examples, which the tests replace.
const ORIGIN: &str = "http://localhost:8080";
const TLS_ADDRESS: &str = "localhost:8443";
/// Document and section whose block sets the variables that other sections use.
const SETUP: (&str, &str) = ("tests/README.md", "Set up the shell");
/// Document and section with the command that starts the server.
const START: (&str, &str) = ("README.md", "Start it");
/// Document and chapter whose shell blocks `tests/container/stage-own.sh` runs.
const IN_CONTAINERS: (&str, &str) = ("docker/README.md", "The image");
/// Documents and chapters whose programs `tests/clients/recipes.py` runs.
const PROGRAMS: [(&str, &str); 2] = [("README.md", "Two tests"), ("tests/README.md", "Clients")];
/// Documents and sections with programs of which other tests know.
const OTHER_PROGRAMS: [(&str, &str); 2] = [
    ("docker/README.md", "Testcontainers"),
    // A fragment: boto3 is not a dependency of any test.
    ("src/api/s3/README.md", "S3 clients"),
];
/// Sections whose scripts run at the same time.
const CONCURRENCY: usize = 4;

/// File headers of PNG, JPEG and PDF.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
const PDF: &[u8] = b"%PDF-";

/// Panics if a section's output, or a file that it names, is wrong.
type Check = fn(&str);

/// Checks of sections, besides the output that they show, by heading.
const CHECKS: [(&str, Check); 6] = [
    ("An AI detection and its webhook", |output| {
        assert!(file(output, "heatmap: ").starts_with(PNG));
    }),
    ("Protect a photograph", |output| {
        let protected = file(output, "protected: ");
        assert!(protected.starts_with(JPEG) && protected != fixture("photo.jpg"));
    }),
    ("Undetectable AI", |output| {
        assert!(file(output, "activation map: ").starts_with(PNG));
    }),
    ("Embed and extract a watermark", |output| {
        let marked = file(output, "marked: ");
        assert!(marked.starts_with(JPEG) && marked != fixture("photo.jpg"));
    }),
    ("Anti-AI by URL", |output| {
        assert!(file(output, "poster: ").starts_with(PNG));
    }),
    ("A report as a PDF", |output| {
        assert!(output.contains(r#""status":"queued""#), "{output}");
        assert!(file(output, "the report is completed: ").starts_with(PDF));
    }),
];

/// Reads the file whose path follows `begin` in the last line that starts with it.
fn file(output: &str, begin: &str) -> Vec<u8> {
    let mut lines = output.lines().rev();
    let path = lines
        .find_map(|line| line.strip_prefix(begin))
        .unwrap_or_else(|| panic!("no line begins with {begin:?}:\n{output}"));
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `true` if `line` matches `shown`, in which `…` matches any text.
fn is_shown(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last.is_some_and(|part| part.is_empty() || line.ends_with(part))
}

/// Asserts that the section's script printed each line that the section shows.
fn assert_shown(section: &Section, output: &str) {
    for shown in section.blocks("").flat_map(str::lines) {
        let is_printed = output.lines().any(|line| is_shown(shown, line));
        assert!(is_printed, "{}: {shown}\nnot in\n{output}", section.heading);
    }
}

/// Runs a script in bash, in the root of the repository. Returns its standard output.
async fn run(script: String, work: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_stuntdouble"));
    let folder = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(root())
        .env("TMPDIR", work)
        .env("PATH", format!("{folder}:{path}"))
        .env("no_proxy", "*");
    let result = tokio::task::spawn_blocking(move || shell.output())
        .await
        .expect("no panic")
        .expect("bash runs");
    let output = String::from_utf8(result.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&result.stderr);
    assert!(
        result.status.success(),
        "{}\n{script}\n{output}\n{errors}",
        result.status
    );
    output
}

/// Runs the section's shell blocks with a server of their own, after the setup block if the
/// section does not set the server's address itself.
async fn run_section(section: &Section, setup: &str) {
    let mut script = section.script();
    if !script.contains(ORIGIN) {
        script = format!("{setup}\n{script}");
    }
    let has_tls = script.contains(TLS_ADDRESS);
    let server = TestServer::with_config(|config| {
        config.tls.tls = has_tls;
        config.tls.tls_port = 0;
    })
    .await;
    let addresses = script.matches(ORIGIN).count();
    assert_eq!(
        addresses, 1,
        "{}: the address is in one place",
        section.heading
    );
    script = script.replace(ORIGIN, &server.origin);
    if let Some(address) = server.tls {
        script = script.replace(TLS_ADDRESS, &address.to_string());
    }
    let work = tempfile::tempdir().expect("a directory");
    let output = run(script, work.path())
        .await
        .replace(&server.origin, ORIGIN);
    assert!(
        !output.contains(r#"{"error":{"#) && !output.contains(r#"{"code":"VALIDATION"#),
        "{}: {output}",
        section.heading
    );
    assert_shown(section, &output);
    for (heading, check) in CHECKS {
        if heading == section.heading {
            check(&output);
        }
    }
}

fn sections_of(documents: &[Document]) -> impl Iterator<Item = (&str, Section)> {
    documents.iter().flat_map(|document| {
        let sections = document.sections().into_iter();
        sections.map(|section| (document.path.as_str(), section))
    })
}

#[tokio::test]
async fn shell_examples_print_what_they_show() {
    let setup = Document::read(SETUP.0).section(SETUP.1).script();
    let documents = Document::all();
    let sections = sections_of(&documents).filter(|(path, section)| {
        let is_run = (*path, section.chapter.as_str()) != IN_CONTAINERS
            && (*path, section.heading.as_str()) != START;
        is_run && !section.script().is_empty()
    });
    let sections: Vec<Section> = sections.map(|(_, section)| section).collect();
    let headings: BTreeSet<&str> = sections.iter().map(|it| it.heading.as_str()).collect();
    for (heading, _) in CHECKS {
        assert!(headings.contains(heading), "no section {heading:?}");
    }
    let runs = stream::iter(sections.iter().map(|section| run_section(section, &setup)));
    runs.buffer_unordered(CONCURRENCY).collect::<()>().await;
}

#[test]
fn shell_examples_for_containers_are_run_by_the_container_test() {
    let (path, chapter) = IN_CONTAINERS;
    let script = std::fs::read_to_string(root().join("tests/container/stage-own.sh"));
    let call = format!("blocks.py\" {path} \"## {chapter}\"");
    assert!(script.expect("a script").contains(&call), "{call}");
    let sections = Document::read(path).sections();
    assert!(sections.iter().any(|it| it.chapter == chapter));
}

#[test]
fn shell_blocks_have_the_language_that_these_tests_run() {
    for (path, section) in sections_of(&Document::all()) {
        for block in &section.blocks {
            let language = block.language.as_str();
            let is_known = ["", "sh", "text", "python", "js", "rust", "yaml", "json"];
            assert!(is_known.contains(&language), "{path}: {language}");
        }
    }
}

#[test]
fn start_prints_the_line_that_the_readme_shows() {
    let section = Document::read(START.0).section(START.1);
    assert_eq!(section.script(), "cargo run --release\n");
    let shown: Vec<&str> = section.blocks("").collect();
    let mut server = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
        .args(["--port", "0"])
        .env("TMPDIR", "/tmp")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(server.stdout.take().expect("a piped output"));
    stdout.read_line(&mut line).expect("a line");
    // SIGTERM first: a failed assertion must not leave the server running.
    let pid = server.id().to_string();
    let kill = Command::new("kill").args(["-TERM", &pid]).status();
    let status = server.wait().expect("an exit status");
    assert!(kill.expect("kill runs").success());
    assert_eq!(status.code(), Some(0));
    let (_, rest) = line.split_once("127.0.0.1:").expect("an address");
    let (port, _) = rest.split_once(',').expect("a port");
    let line = line.trim_end().replace(&format!(":{port}"), ":8080");
    assert!(is_shown(shown[0].trim_end(), &line), "{line}");
}

#[test]
fn programs_are_those_that_other_tests_run() {
    let recipes =
        std::fs::read_to_string(root().join("tests/clients/recipes.py")).expect("a program");
    for (path, chapter) in PROGRAMS {
        assert!(recipes.contains(&format!("\"{path}\"")), "{path}");
        assert!(recipes.contains(&format!("\"{chapter}\"")), "{chapter}");
    }
    for (path, section) in sections_of(&Document::all()) {
        let languages = ["python", "js", "rust"];
        let mut blocks = section.blocks.iter();
        if blocks.any(|block| languages.contains(&block.language.as_str())) {
            let is_known = PROGRAMS.contains(&(path, &section.chapter))
                || OTHER_PROGRAMS.contains(&(path, &section.heading));
            assert!(is_known, "{path}: nothing runs {}", section.heading);
        }
    }
}

#[test]
fn testcontainers_examples_are_the_files_of_the_suites() {
    let section = Document::read("docker/README.md").section("Testcontainers");
    let suites = root().join("tests/clients/testcontainers");
    for (language, file) in [
        ("rust", "rust/tests/pictures/stuntdouble.rs"),
        ("python", "python/conftest.py"),
        ("js", "node/stuntdouble.js"),
    ] {
        let file = std::fs::read_to_string(suites.join(file)).expect("a file of a suite");
        let shown: Vec<&str> = section.blocks(language).collect();
        assert_eq!(shown, [file], "{language}");
    }
}

#[test]
fn shown_lines_match_with_any_text_for_an_ellipsis() {
    assert!(is_shown("a…c", "abbc") && is_shown("a…", "a") && is_shown("…c…", "bcd"));
    assert!(is_shown("a…b", "abab"));
    assert!(!is_shown("a…c", "abcd") && !is_shown("a", "ab") && !is_shown("a…b…c", "acb"));
}
