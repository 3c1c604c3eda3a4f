//! Imports between rooms and modules, and words with one home, read from `src/`.
//!
//! Imports lead downwards only and close no cycle: DESIGN's "Layout", and the crate docs.

mod breaches;
mod graph;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use graph::{Edge, Graph, cycles, shown};

/// Rooms from the top down. A room may import those of lower layers, not those beside it.
const LAYERS: [&[&str]; 9] = [
    &["main"],
    &["app", "cli"],
    &["api"],
    &["http"],
    &["services"],
    &["engine", "storage"],
    &["platform"],
    &["settings"],
    &["model"],
];

/// Modules that may import less than what lies below them: the module, and the rooms it may import.
const NARROWER: [(&str, &[&str]); 2] = [
    // A command is a call to a running server, which judges it.
    ("cli", &["platform", "settings", "model"]),
    ("storage", &["platform", "model"]),
];

/// Items of the database that a room may name: an API knows only that it fails.
const DATABASE_ITEMS: [(&str, &[&str]); 2] =
    [("api", &["StoreError"]), ("http", &["Db", "StoreError"])];

/// Words with one home each: a name, or the end of a path to another crate, and the paths below
/// `src/` that may have it.
const HOMES: [(&str, &[&str]); 18] = [
    ("sqlx", &["storage/db/"]),
    ("schemars", &["api/", "http/", "model/"]),
    ("axum", &["api/", "app/", "http/"]),
    ("Timestamp::now", &["platform/clock/"]),
    ("SystemTime", &["platform/clock/"]),
    ("rand", &["platform/rng"]),
    (
        "time::sleep",
        &["app/", "http/", "platform/outbound", "services/worker"],
    ),
    (
        "time::sleep_until",
        &["app/", "http/", "platform/outbound", "services/worker"],
    ),
    ("reqwest", &["platform/outbound"]),
    (
        "rustls",
        &["http/tls", "platform/outbound", "settings/tls.rs"],
    ),
    ("rcgen", &["http/tls/", "platform/outbound/tests.rs"]),
    ("spawn_blocking", &["engine/"]),
    ("env::args", &["cli/load.rs"]),
    ("env::args_os", &["cli/load.rs"]),
    ("env::var", &["settings/environment.rs"]),
    ("env::var_os", &["settings/environment.rs"]),
    ("env::vars", &["settings/environment.rs"]),
    ("env::vars_os", &["settings/environment.rs"]),
];

/// Cycles that are still there. One that is no longer there fails the test until its line is removed.
const KNOWN_CYCLES: [&str; 0] = [];

/// Returns the imports that lead upwards, or sideways between rooms.
fn upward_imports(edges: &[Edge]) -> BTreeSet<String> {
    let layer = |room: &str| LAYERS.iter().position(|layer| layer.contains(&room));
    let mut wrong = BTreeSet::new();
    for edge in edges {
        let (Some(from), Some(to)) = (edge.from.first(), edge.to.first()) else {
            continue;
        };
        let narrower = NARROWER.iter().find(|(module, _)| module == from);
        let is_allowed = narrower.is_none_or(|(_, rooms)| rooms.contains(&to.as_str()));
        let is_down = match (layer(from), layer(to)) {
            (Some(from), Some(to)) => from < to,
            _ => false,
        };
        if from != to && !(is_down && is_allowed) {
            wrong.insert(shown(edge));
        }
    }
    wrong
}

/// Returns the imports of one API by another.
fn imports_between_apis(edges: &[Edge]) -> BTreeSet<String> {
    let api = |path: &[String]| match path {
        [room, api, ..] if room == "api" => Some(api.clone()),
        _ => None,
    };
    let wrong = edges.iter().filter(|edge| {
        let (from, to) = (api(&edge.from), api(&edge.to));
        from.is_some() && to.is_some() && from != to
    });
    wrong.map(shown).collect()
}

/// Returns the imports of the database that [`DATABASE_ITEMS`] does not list. What services re-export
/// is theirs.
fn imports_of_database(edges: &[Edge]) -> BTreeSet<String> {
    let wrong = edges.iter().filter(|edge| {
        let is_database = edge.to.iter().take(2).eq(["storage", "db"]);
        let room = edge.from.first().map(String::as_str);
        let items = DATABASE_ITEMS.iter().find(|(it, _)| room == Some(*it));
        is_database
            && !edge.is_reexported
            && items.is_some_and(|(_, items)| {
                let item = edge.item.as_deref();
                item.is_none_or(|item| !items.contains(&item))
            })
    });
    wrong.map(shown).collect()
}

/// Returns the files that have a word outside its home.
fn words_away_from_home(graph: &Graph) -> BTreeSet<String> {
    let foreign = graph.foreign_paths();
    let mut wrong = BTreeSet::new();
    for (word, homes) in HOMES {
        let mut check = |file: &str| {
            if !homes.iter().any(|home| file.starts_with(home)) {
                wrong.insert(format!("{file} has {word}"));
            }
        };
        let segments: Vec<&str> = word.split("::").collect();
        if let [name] = segments[..] {
            let modules = graph.modules();
            let having = modules.filter(|module| module.identifiers.contains(name));
            having.for_each(|module| check(&module.file));
        } else {
            let having = foreign.iter().filter(|foreign| {
                let mut windows = foreign.path.windows(segments.len());
                windows.any(|window| window == segments)
            });
            having.for_each(|foreign| check(&foreign.file));
        }
    }
    wrong
}

/// Returns the cycles that are not in `known`, and the lines of `known` that are no cycle.
fn unexpected_cycles(edges: &[Edge], known: &[&str]) -> Vec<String> {
    let found = cycles(edges);
    let known: BTreeSet<&str> = known.iter().copied().collect();
    let fresh = found.iter().filter(|(name, _)| !known.contains(&***name));
    let fresh = fresh.map(|(name, imports)| format!("cycle {name}\n  {}", imports.join("\n  ")));
    let gone = known.iter().filter(|name| !found.contains_key(**name));
    let gone = gone.map(|name| format!("{name}: no cycle any more; remove it from the list"));
    fresh.chain(gone).collect()
}

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

/// The graph of the crate itself.
static CRATE: LazyLock<Graph> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(
        paths.len() > 30,
        "sources are missing below {}",
        root.display()
    );
    let files: Vec<(String, String)> = paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a source file");
            let name = path.strip_prefix(&root).expect("a path below src");
            (name.to_string_lossy().into_owned(), text)
        })
        .collect();
    Graph::of_files(files.iter().map(|(file, text)| (&**file, &**text)))
});

#[test]
fn imports_lead_downwards_only() {
    let wrong = upward_imports(&CRATE.edges());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn apis_do_not_import_each_other() {
    let wrong = imports_between_apis(&CRATE.edges());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn apis_know_of_the_database_only_that_it_fails() {
    let wrong = imports_of_database(&CRATE.edges());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn imports_close_no_cycle() {
    let wrong = unexpected_cycles(&CRATE.edges(), &KNOWN_CYCLES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_stay_in_their_homes() {
    let wrong = words_away_from_home(&CRATE);
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
