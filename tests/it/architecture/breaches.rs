//! Tests of the architecture checks: each check fails on small sources that violate it.

use std::collections::BTreeSet;

use super::graph::{Edge, Graph};
use super::{
    imports_between_apis, imports_of_database, misplaced_vendors, misplaced_words,
    unexpected_cycles, upward_imports,
};

/// Modules that the sources in these tests import.
const SURROUNDING_MODULES: [(&str, &str); 14] = [
    (
        "model/mod.rs",
        "pub mod vendor; pub mod order; pub struct Id;",
    ),
    ("model/vendor.rs", "pub enum Vendor { Acme }"),
    ("model/order.rs", "pub use super::vendor::Vendor;"),
    ("settings/mod.rs", "pub struct Config;"),
    ("platform/mod.rs", "pub mod clock;"),
    ("platform/clock.rs", "pub struct Clock;"),
    ("engine/mod.rs", "pub struct Engine;"),
    ("storage/mod.rs", "pub mod db;"),
    (
        "storage/db/mod.rs",
        "pub mod orders; pub struct Db; pub enum InternalError {}",
    ),
    ("storage/db/orders.rs", "pub fn find() {}"),
    ("services/mod.rs", "pub mod orders;"),
    (
        "services/orders.rs",
        "pub use crate::storage::db::orders::find; pub struct Orders;",
    ),
    ("api/mod.rs", "pub mod s3;"),
    ("api/s3.rs", "pub struct Bucket;"),
];

fn graph_with(file: &str, text: &str) -> Graph {
    Graph::from_files(SURROUNDING_MODULES.into_iter().chain([(file, text)]))
}

fn edges_with(file: &str, text: &str) -> Vec<Edge> {
    graph_with(file, text).edges()
}

fn edges_of(files: &[(&str, &str)]) -> Vec<Edge> {
    Graph::from_files(files.iter().copied()).edges()
}

#[test]
fn upward_import_in_every_spelling_is_reported() {
    for text in [
        "use crate::services::orders::Orders;",
        "use crate::{model::Id, services::orders::Orders};",
        "use crate::{model::Id, services::{self as s, orders::{Orders as O}}};",
        "use super::super::services::orders::Orders;",
        "use crate::services::orders::*;",
        "pub use crate::services::orders::Orders;",
        "use crate::services; fn f(_: services::orders::Orders) {}",
        "use crate::services as s; fn f(_: s::orders::Orders) {}",
        "fn f(_: &crate::services::orders::Orders) {}",
        "fn f() -> Vec<crate::services::orders::Orders> { Vec::new() }",
        "fn f() { let _ = json!({\"a\": [crate::services::orders::Orders]}); }",
        "mod inner { use super::super::super::services::orders::Orders; }",
        "mod inner { fn f() { crate::services::orders::Orders::new::<u8>(); } }",
        "#[cfg(test)] mod tests { use crate::services::orders::Orders; }",
    ] {
        let wrong = upward_imports(&edges_with("platform/outbound.rs", text));
        let expected = "platform/outbound.rs imports services";
        assert!(!wrong.is_empty(), "{text}");
        for line in wrong {
            assert!(line.starts_with(expected), "{text}: {line}");
        }
    }
}

#[test]
fn comments_strings_and_downward_imports_are_allowed() {
    for text in [
        "// use crate::services::orders::Orders;",
        "/// See [`crate::services::orders::Orders`].\nstruct A;",
        "const A: &str = \"crate::services::orders::Orders\";",
        "use crate::model::Id; use crate::settings::Config; use super::clock::Clock;",
        "fn services() {} fn f() { services(); }",
        "use tokio::services::orders; fn f() { orders::Orders; }",
    ] {
        let wrong = upward_imports(&edges_with("platform/outbound.rs", text));
        assert_eq!(wrong, BTreeSet::new(), "{text}");
    }
}

#[test]
fn import_sideways_or_of_unknown_room_is_reported() {
    for (file, text) in [
        ("engine/page.rs", "use crate::storage::db::Db;"),
        ("storage/blobs.rs", "use crate::engine::Engine;"),
        ("settings/tls.rs", "use crate::platform::clock::Clock;"),
        ("model/order.rs", "use crate::settings::Config;"),
        ("cli/client.rs", "use crate::services::orders::Orders;"),
        ("attic/mod.rs", "use crate::model::Id;"),
        ("services/rules.rs", "use crate::main::serve;"),
    ] {
        let main = ("main.rs", "fn serve() {}");
        let files = SURROUNDING_MODULES.into_iter().chain([main, (file, text)]);
        let wrong = upward_imports(&Graph::from_files(files).edges());
        assert_eq!(wrong.len(), 1, "{file}: {text}: {wrong:?}");
    }
}

#[test]
fn import_between_apis_is_reported() {
    for text in ["use crate::api::s3::Bucket;", "use super::s3::Bucket;"] {
        let edges = edges_with("api/control.rs", text);
        let expected = "api/control.rs imports api::s3::Bucket".to_owned();
        assert_eq!(imports_between_apis(&edges), BTreeSet::from([expected]));
    }
    let edges = edges_with("api/s3/put.rs", "use super::Bucket;");
    assert_eq!(imports_between_apis(&edges), BTreeSet::new());
}

#[test]
fn import_of_database_by_an_api_is_reported() {
    for (file, text, count) in [
        ("api/s3/put.rs", "use crate::storage::db::InternalError;", 0),
        (
            "api/s3/put.rs",
            "use crate::storage::db::{Db, InternalError};",
            1,
        ),
        ("api/s3/put.rs", "use crate::storage::db;", 1),
        ("http/mod.rs", "use crate::storage::db::Db;", 0),
        ("http/mod.rs", "use crate::storage::db::orders::find;", 1),
        ("services/a.rs", "use crate::storage::db::orders;", 0),
        // An item that a service re-exports counts as the service's.
        ("api/s3/put.rs", "use crate::services::orders::find;", 0),
    ] {
        let wrong = imports_of_database(&edges_with(file, text));
        assert_eq!(wrong.len(), count, "{file}: {text}: {wrong:?}");
    }
}

#[test]
fn word_outside_its_allowed_paths_is_reported() {
    for (allowed_path, text, word) in [
        ("storage/db/tx.rs", "use sqlx::Row;", "sqlx"),
        (
            "storage/db/tx.rs",
            "#[derive(sqlx::FromRow)] struct A;",
            "sqlx",
        ),
        ("http/body.rs", "use axum::{body::Body, http};", "axum"),
        (
            "platform/clock/real.rs",
            "use std::time::{Duration, SystemTime};",
            "SystemTime",
        ),
        (
            "platform/clock/real.rs",
            "use jiff::Timestamp; fn f() { Timestamp::now(); }",
            "Timestamp::now",
        ),
        ("platform/rng.rs", "fn f() { rand::random() }", "rand"),
        (
            "services/worker/run.rs",
            "use tokio::{sync, time::{self, sleep}};",
            "time::sleep",
        ),
        (
            "services/worker.rs",
            "use tokio::time; fn f() { select! { _ = time::sleep(a) => {} } }",
            "time::sleep",
        ),
        (
            "platform/outbound/put.rs",
            "fn f(_: reqwest::Client) {}",
            "reqwest",
        ),
        (
            "engine/page.rs",
            "fn f() { runtime.spawn_blocking(g); }",
            "spawn_blocking",
        ),
        (
            "settings/environment.rs",
            "use std::env; fn f() { env::var_os(\"A\"); }",
            "env::var_os",
        ),
        (
            "cli/load.rs",
            "fn f() { std::env::args_os(); }",
            "env::args_os",
        ),
    ] {
        let allowed = misplaced_words(&graph_with(allowed_path, text));
        assert_eq!(allowed, BTreeSet::new(), "{text}");
        let misplaced = misplaced_words(&graph_with("services/inbox.rs", text));
        let expected = format!("services/inbox.rs uses {word}");
        assert_eq!(misplaced, BTreeSet::from([expected]), "{text}");
    }
    let text = "// sqlx\nconst A: &str = \"axum::Router\";";
    let wrong = misplaced_words(&graph_with("services/inbox.rs", text));
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn cycle_between_rooms_or_siblings_is_reported() {
    let parent = ("a/mod.rs", "mod b; mod c; pub use c::C;");
    let c = ("a/c.rs", "use super::b::B; pub struct C;");
    for (name, files) in [
        (
            ": a, d",
            &[("a.rs", "use crate::d::D;"), ("d.rs", "use crate::a::A;")][..],
        ),
        ("a: b, c", &[parent, c, ("a/b.rs", "use super::c::C;")]),
        // The import goes through a re-export of the parent.
        ("a: b, c", &[parent, c, ("a/b.rs", "use super::C;")]),
        (
            "a: b, c",
            &[parent, c, ("a/b.rs", "fn f(_: crate::a::C) {}")],
        ),
        // The import is in, or names, a module below the sibling.
        (
            "a: b, c",
            &[
                parent,
                c,
                ("a/b.rs", "mod e;"),
                ("a/b/e.rs", "use super::super::c::C;"),
            ],
        ),
        (
            "a: b, c",
            &[
                parent,
                ("a/c.rs", "use super::b::e::E; pub struct C;"),
                ("a/b/mod.rs", "mod e;"),
                ("a/b/e.rs", "use crate::a::c;"),
            ],
        ),
        (
            "a: b, c, e",
            &[
                parent,
                c,
                ("a/b.rs", "use super::e;"),
                ("a/e.rs", "fn f() { super::c::C; }"),
            ],
        ),
    ] {
        let wrong = unexpected_cycles(&edges_of(files), &[]);
        assert_eq!(wrong.len(), 1, "{name}: {wrong:?}");
        assert!(
            wrong[0].starts_with(&format!("cycle {name}\n")),
            "{wrong:?}"
        );
    }
}

#[test]
fn imports_of_parents_children_and_tests_form_no_cycle() {
    let parent = ("a/mod.rs", "mod b; mod c; use b::B; struct A;");
    let c = ("a/c.rs", "use super::b::B; pub struct C;");
    for b in [
        "use super::A;",
        "#[cfg(test)] mod tests { use super::super::c::C; }",
        "#[cfg(test)] use super::c::C;",
        "#[cfg(test)] fn f(a: super::A, c: super::c::C) {}",
    ] {
        let edges = edges_of(&[parent, c, ("a/b.rs", b)]);
        assert_eq!(unexpected_cycles(&edges, &[]), Vec::<String>::new(), "{b}");
    }
    let tests = ("a/b/tests.rs", "use crate::a::c::C;");
    let edges = edges_of(&[parent, c, ("a/b.rs", "#[cfg(test)]\nmod tests;"), tests]);
    assert_eq!(unexpected_cycles(&edges, &[]), Vec::<String>::new());
}

#[test]
fn known_cycle_is_allowed_until_it_disappears() {
    let known = ["a: b, c"];
    let c = ("a/c.rs", "use super::b::B; pub struct C;");
    let cyclic = edges_of(&[c, ("a/b.rs", "use super::c::C;")]);
    assert_eq!(unexpected_cycles(&cyclic, &known), Vec::<String>::new());
    let acyclic = edges_of(&[c, ("a/b.rs", "struct B;")]);
    let wrong = unexpected_cycles(&acyclic, &known);
    assert_eq!(
        wrong,
        ["a: b, c does not exist; remove it from KNOWN_CYCLES"]
    );
}

#[test]
fn vendor_outside_its_folder_is_found() {
    for (file, text, count) in [
        (
            "services/a.rs",
            "use crate::model::vendor::Vendor; fn f() { Vendor::Acme; }",
            1,
        ),
        (
            "services/a.rs",
            "use crate::model::order::Vendor as V; fn f(v: V) { matches!(v, V::Acme); }",
            1,
        ),
        ("http/a.rs", "use crate::model::vendor::Vendor::{Acme};", 1),
        ("http/a.rs", "use crate::model::vendor::Vendor::*;", 1),
        (
            "api/other/a.rs",
            "fn f() { crate::model::vendor::Vendor::Acme.bucket(); }",
            1,
        ),
        (
            "api/acme/a.rs",
            "fn f() { crate::model::vendor::Vendor::Acme; }",
            0,
        ),
        (
            "app/router.rs",
            "fn f() { crate::model::vendor::Vendor::Acme; }",
            0,
        ),
        (
            "services/a.rs",
            "use crate::model::vendor::Vendor; fn f(v: Vendor) { Vendor::ALL; Vendor::from_name(v.name()); }",
            0,
        ),
        (
            "services/a.rs",
            "#[cfg(test)] mod tests { fn f() { crate::model::vendor::Vendor::Acme; } }",
            0,
        ),
    ] {
        let wrong = misplaced_vendors(&graph_with(file, text));
        assert_eq!(wrong.len(), count, "{file}: {text}: {wrong:?}");
    }
}
