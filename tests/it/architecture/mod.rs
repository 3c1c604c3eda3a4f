//! Checks of DESIGN's "Layout" against `src/`: imports lead downwards, form no cycle, and some
//! words appear in one place only.

mod breaches;
mod graph;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use graph::{Edge, Graph, cycles, describe_edge};

/// Modules from the top down. A module may import modules of lower layers, but not of its own layer.
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

/// Modules that may import only some of the lower layers: the module, and its allowed imports.
const RESTRICTED_IMPORTS: [(&str, &[&str]); 2] = [
    // Commands call a running server, which validates them.
    ("cli", &["platform", "settings", "model"]),
    ("storage", &["platform", "model"]),
];

/// Items of the database that a module may import. An API may import the error type only.
const DATABASE_ITEMS: [(&str, &[&str]); 2] = [
    ("api", &["InternalError"]),
    ("http", &["Db", "InternalError"]),
];

/// Words and their allowed paths: an identifier, or the end of a path to another crate, and the paths
/// below `src/` in which the word may appear.
const ALLOWED_PATHS: [(&str, &[&str]); 18] = [
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
        &[
            "api/control/events.rs",
            "app/",
            "http/",
            "platform/outbound",
            "services/worker",
        ],
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

/// Cycles that are allowed for now. The test fails if a listed cycle no longer exists.
const KNOWN_CYCLES: [&str; 0] = [];

/// Returns the imports that lead upwards or between modules of one layer.
fn upward_imports(edges: &[Edge]) -> BTreeSet<String> {
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut wrong = BTreeSet::new();
    for edge in edges {
        let (Some(from), Some(to)) = (edge.from.first(), edge.to.first()) else {
            continue;
        };
        let restricted = RESTRICTED_IMPORTS.iter().find(|(module, _)| module == from);
        let is_allowed = restricted.is_none_or(|(_, imports)| imports.contains(&to.as_str()));
        let is_down = match (layer(from), layer(to)) {
            (Some(from), Some(to)) => from < to,
            _ => false,
        };
        if from != to && !(is_down && is_allowed) {
            wrong.insert(describe_edge(edge));
        }
    }
    wrong
}

/// Returns the imports of one API by another.
fn imports_between_apis(edges: &[Edge]) -> BTreeSet<String> {
    let api = |path: &[String]| match path {
        [module, api, ..] if module == "api" => Some(api.clone()),
        _ => None,
    };
    let wrong = edges.iter().filter(|edge| {
        let (from, to) = (api(&edge.from), api(&edge.to));
        from.is_some() && to.is_some() && from != to
    });
    wrong.map(describe_edge).collect()
}

/// Returns the places outside a vendor's own folder that name the vendor: a variant of `Vendor`, or all
/// variants by a glob. Tests may name any vendor.
fn misplaced_vendors(graph: &Graph) -> BTreeSet<String> {
    let is_allowed = |file: &str, vendor: &str| {
        let folder = format!("api/{}/", vendor.to_ascii_lowercase());
        file == "model/vendor.rs" || file.starts_with("app/") || file.starts_with(&folder)
    };
    let variants = graph.edges().into_iter().filter_map(|edge| {
        let is_vendor = edge.to == ["model", "vendor"] && edge.item.as_deref() == Some("Vendor");
        let name = edge.member.filter(|name| {
            let is_constant = name.chars().skip(1).any(|it| it.is_ascii_uppercase());
            name.starts_with(|it: char| it.is_ascii_uppercase()) && !is_constant
        })?;
        let is_wrong = is_vendor && !edge.is_test && !is_allowed(&edge.file, &name);
        is_wrong.then(|| format!("{} names the vendor {name}", edge.file))
    });
    let globs = graph.modules().filter_map(|module| {
        let mut globs = module.globs.iter();
        let is_glob = globs.any(|glob| glob.last().is_some_and(|last| last == "Vendor"));
        is_glob.then(|| format!("{} imports all vendors", module.file))
    });
    variants.chain(globs).collect()
}

/// Returns the imports of the database that [`DATABASE_ITEMS`] does not list. An item that a
/// service re-exports counts as an item of that service.
fn imports_of_database(edges: &[Edge]) -> BTreeSet<String> {
    let wrong = edges.iter().filter(|edge| {
        let is_database = edge.to.iter().take(2).eq(["storage", "db"]);
        let module = edge.from.first().map(String::as_str);
        let items = DATABASE_ITEMS.iter().find(|(it, _)| module == Some(*it));
        is_database
            && !edge.is_reexported
            && items.is_some_and(|(_, items)| {
                let item = edge.item.as_deref();
                item.is_none_or(|item| !items.contains(&item))
            })
    });
    wrong.map(describe_edge).collect()
}

/// Returns the files in which a word appears outside its allowed paths.
fn misplaced_words(graph: &Graph) -> BTreeSet<String> {
    let foreign = graph.foreign_paths();
    let mut wrong = BTreeSet::new();
    for (word, paths) in ALLOWED_PATHS {
        let mut check = |file: &str| {
            if !paths.iter().any(|path| file.starts_with(path)) {
                wrong.insert(format!("{file} uses {word}"));
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

/// Returns the cycles that are not in `known`, and the entries of `known` that do not exist.
fn unexpected_cycles(edges: &[Edge], known: &[&str]) -> Vec<String> {
    let found = cycles(edges);
    let known: BTreeSet<&str> = known.iter().copied().collect();
    let unknown = found
        .iter()
        .filter(|(name, _)| !known.contains(&***name))
        .map(|(name, imports)| format!("cycle {name}\n  {}", imports.join("\n  ")));
    let stale = known
        .iter()
        .filter(|name| !found.contains_key(**name))
        .map(|name| format!("{name} does not exist; remove it from KNOWN_CYCLES"));
    unknown.chain(stale).collect()
}

fn collect_sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Import graph of this crate.
static CRATE: LazyLock<Graph> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect_sources(&root, &mut paths);
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
    Graph::from_files(files.iter().map(|(file, text)| (&**file, &**text)))
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
fn apis_import_only_error_types_of_the_database() {
    let wrong = imports_of_database(&CRATE.edges());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn imports_form_no_cycle() {
    let wrong = unexpected_cycles(&CRATE.edges(), &KNOWN_CYCLES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_appear_only_in_their_allowed_paths() {
    let wrong = misplaced_words(&CRATE);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn vendors_are_named_only_in_their_folders() {
    let wrong = misplaced_vendors(&CRATE);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches"] {
        collect_sources(&root.join(folder), &mut paths);
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
