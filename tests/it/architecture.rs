//! Who may import whom, and which words have one home: read off `src/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the top down: a module may use those of later lines, and of its own line where it says so.
const FRONT_DOORS: [&str; 4] = ["bizmori", "control", "storage", "undetectable"];
const VERBS: [&str; 12] = [
    "accounts",
    "blobs",
    "claims",
    "engine",
    "inbox",
    "journal",
    "links",
    "orders",
    "webhooks",
    "worker",
    "rules",
    "snapshots",
];
const LEAVES: [&str; 8] = [
    "clock",
    "config",
    "entropy",
    "memory_limit",
    "metrics",
    "outbound",
    "presign",
    "tls",
];

/// Words with one home each: the word, and the paths (below `src/`) that may say it.
const HOMES: [(&str, &[&str]); 12] = [
    ("sqlx", &["store/"]),
    ("schemars", &["control/", "model/", "undetectable/", "web/"]),
    (
        "axum",
        &[
            "bizmori/",
            "control/",
            "storage/",
            "undetectable/",
            "web/",
            "app.rs",
            "app/",
        ],
    ),
    ("Timestamp::now()", &["clock/real.rs"]),
    ("SystemTime", &["clock/real.rs"]),
    ("rand::", &["entropy.rs"]),
    (
        "time::sleep",
        &["worker.rs", "worker/", "web/", "app.rs", "outbound/"],
    ),
    ("reqwest", &["outbound.rs", "outbound/"]),
    (
        "rustls",
        &[
            "config/tls.rs",
            "outbound.rs",
            "outbound/",
            "tls.rs",
            "tls/",
        ],
    ),
    ("rcgen", &["outbound/tests.rs", "tls/"]),
    ("spawn_blocking", &["engine/"]),
    ("env::var", &["config/environment.rs"]),
];

fn sources(below: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Every source file, by its path below `src/`, without comments.
fn read() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(
        paths.len() > 30,
        "the sources are where they are looked for"
    );
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a source file");
            let code: Vec<&str> = text
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default())
                .collect();
            let name = path
                .strip_prefix(&root)
                .expect("below src")
                .to_string_lossy()
                .into_owned();
            (name, code.join("\n"))
        })
        .collect()
}

fn module(path: &str) -> &str {
    path.split('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".rs")
}

#[expect(clippy::similar_names, reason = "who uses, and what is used")]
fn may_use(user: &str, used: &str) -> bool {
    let any = |modules: &[&str], of: &str| modules.contains(&of);
    let below_verbs = any(&LEAVES, used) || used == "model";
    match user {
        _ if user == used => true,
        "main" | "lib" | "app" => true,
        "client" => any(&["config", "outbound"], used),
        _ if any(&FRONT_DOORS, user) => !any(&FRONT_DOORS, used) && used != "app",
        "web" => any(&VERBS, used) || used == "store" || below_verbs,
        _ if any(&VERBS, user) => any(&VERBS, used) || used == "store" || below_verbs,
        "store" => used == "clock" || used == "model",
        _ if any(&LEAVES, user) => any(&LEAVES, used) || used == "model",
        _ => false,
    }
}

#[test]
fn a_module_uses_only_those_below_it() {
    let mut wrong = BTreeSet::new();
    for (path, code) in read() {
        let user = module(&path);
        for used in code.split("crate::").skip(1) {
            let name: String = used
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() && !may_use(user, &name) {
                wrong.insert(format!("{path} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_front_door_knows_of_the_store_only_that_it_fails() {
    let mut wrong = BTreeSet::new();
    for (path, code) in read() {
        let is_door = FRONT_DOORS.contains(&module(&path));
        for used in code.split("store::").skip(1).filter(|_| is_door) {
            if !used.starts_with("StoreError") {
                wrong.insert(path.clone());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_word_is_said_only_in_its_home() {
    let mut wrong = BTreeSet::new();
    for (path, code) in read() {
        for (word, homes) in HOMES {
            if code.contains(word) && !homes.iter().any(|home| path.starts_with(home)) {
                wrong.insert(format!("{path} says {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches"] {
        sources(&root.join(folder), &mut paths);
    }
    let lines = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .expect("a source file")
            .lines()
            .count()
    };
    let long: Vec<_> = paths.iter().filter(|path| lines(path) > 400).collect();
    assert!(long.is_empty(), "{long:?}");
}
