//! Import graph of modules. Paths are resolved through `use`, `super::` and re-exports.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Mention, Module, Path, parse};

/// Maximum of re-exports followed for one path. A longer chain counts as a path to another crate.
const HOPS_MAX: usize = 16;

/// An import, or a path in code, that leads from one file's module to another's.
#[derive(Debug)]
pub struct Edge {
    /// File below `src/` that contains the path.
    pub file: String,
    pub from: Path,
    pub to: Path,
    /// Name within `to`. `None` if the path names the module itself.
    pub item: Option<String>,
    /// Name within `item`, such as a variant. `None` if the path ends at `item`.
    pub member: Option<String>,
    /// `true` if the path is compiled for tests only.
    pub is_test: bool,
    /// `true` if the path names a re-export of another module.
    pub is_reexported: bool,
}

/// A path to another crate, with imported names expanded.
#[derive(Debug)]
pub struct ForeignPath {
    pub file: String,
    pub path: Path,
}

/// All modules of a crate.
#[derive(Debug, Default)]
pub struct Graph {
    modules: BTreeMap<Path, Module>,
}

enum Target {
    Module {
        path: Path,
        item: Option<String>,
        member: Option<String>,
        is_reexported: bool,
    },
    Foreign(Path),
}

impl Graph {
    /// Builds the graph from paths below `src/` and the texts of the files.
    pub fn from_files<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut modules = BTreeMap::new();
        for (file, text) in files {
            for module in parse(file, text) {
                modules.insert(module.path.clone(), module);
            }
        }
        Self { modules }
    }

    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.values()
    }

    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (module, mention) in self.mentions() {
            let resolved = self.resolve(&module.path, &mention.path, 0);
            let Target::Module {
                path: to,
                item,
                member,
                is_reexported,
            } = resolved
            else {
                continue;
            };
            let to = self.modules.get(&to).map_or(to, |it| it.owner.clone());
            if to != module.owner {
                edges.push(Edge {
                    file: module.file.clone(),
                    from: module.owner.clone(),
                    to,
                    item,
                    member,
                    is_test: mention.is_test || self.is_test(&module.path),
                    is_reexported,
                });
            }
        }
        edges
    }

    pub fn foreign_paths(&self) -> Vec<ForeignPath> {
        let resolved = self.mentions().filter_map(|(module, mention)| {
            match self.resolve(&module.path, &mention.path, 0) {
                Target::Module { .. } => None,
                Target::Foreign(path) => Some(ForeignPath {
                    file: module.file.clone(),
                    path,
                }),
            }
        });
        resolved.collect()
    }

    fn mentions(&self) -> impl Iterator<Item = (&Module, &Mention)> {
        let modules = self.modules.values();
        modules.flat_map(|module| module.mentions.iter().map(move |it| (module, it)))
    }

    /// Returns `true` if the module or one of its ancestors is compiled for tests only.
    fn is_test(&self, path: &[String]) -> bool {
        (1..=path.len()).any(|end| {
            let declared = self.modules.get(&path[..end - 1]);
            declared.is_some_and(|it| it.test_children.contains(&path[end - 1]))
                || self.modules.get(&path[..end]).is_some_and(|it| it.is_test)
        })
    }

    fn child(&self, parent: &[String], name: &str) -> Option<Path> {
        let mut path = parent.to_vec();
        path.push(name.to_owned());
        self.modules.contains_key(&path).then_some(path)
    }

    /// Resolves `path` as written in `module`.
    fn resolve(&self, module: &[String], path: &[String], hops: usize) -> Target {
        let Some((first, rest)) = path.split_first() else {
            return Target::module(module, None, None);
        };
        match first.as_str() {
            "crate" | "stuntdouble" => return self.descend(&[], rest, hops),
            "self" => return self.descend(module, rest, hops),
            "super" => {
                let parent = &module[..module.len().saturating_sub(1)];
                return match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(parent, rest, hops),
                    _ => self.descend(parent, rest, hops),
                };
            }
            _ => {}
        }
        self.resolve_name(module, path, hops)
            .unwrap_or_else(|| Target::Foreign(path.to_vec()))
    }

    /// Resolves a path whose first segment is a name in `module`. `None` if there is no such name.
    fn resolve_name(&self, module: &[String], path: &[String], hops: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let found_module = self.modules.get(module)?;
        if hops == HOPS_MAX {
            return None;
        }
        if let Some(target) = found_module.names.get(first)
            && target != path
            && target.first() != Some(first)
        {
            let whole: Path = target.iter().chain(rest).cloned().collect();
            return Some(self.resolve(module, &whole, hops + 1));
        }
        if let Some(child) = self.child(module, first) {
            return Some(self.descend(&child, rest, hops));
        }
        found_module.globs.iter().find_map(|glob| {
            let Target::Module { path: from, .. } = self.resolve(module, glob, hops + 1) else {
                return None;
            };
            (from != module).then(|| self.resolve_name(&from, path, hops + 1))?
        })
    }

    /// Resolves `rest` relative to `module`.
    fn descend(&self, module: &[String], rest: &[String], hops: usize) -> Target {
        let Some((first, below)) = rest.split_first() else {
            return Target::module(module, None, None);
        };
        if let Some(child) = self.child(module, first) {
            return self.descend(&child, below, hops);
        }
        match self.resolve_name(module, rest, hops) {
            Some(Target::Module {
                path, item, member, ..
            }) => Target::Module {
                path,
                item,
                member,
                is_reexported: true,
            },
            Some(foreign) => foreign,
            None => Target::module(module, Some(first), below.first()),
        }
    }
}

impl Target {
    fn module(path: &[String], item: Option<&String>, member: Option<&String>) -> Self {
        Self::Module {
            path: path.to_vec(),
            item: item.cloned(),
            member: member.cloned(),
            is_reexported: false,
        }
    }
}

/// Returns the cycles among sibling modules: a name with its members, and the imports that form it.
pub fn cycles(edges: &[Edge]) -> BTreeMap<String, Vec<String>> {
    let mut siblings: BTreeMap<&[String], BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| !edge.is_test) {
        if let Some((parent, from, to)) = split(edge) {
            let below = siblings.entry(parent).or_default();
            below.entry(from).or_default().insert(to);
        }
    }
    let mut found = BTreeMap::new();
    for (parent, below) in &siblings {
        for &start in below.keys() {
            let reached = reachable(below, start);
            if !reached.contains(start) {
                continue;
            }
            let members: BTreeSet<&str> = reached
                .into_iter()
                .filter(|it| reachable(below, it).contains(start))
                .collect();
            let listed: Vec<&str> = members.iter().copied().collect();
            let name = format!("{}: {}", parent.join("/"), listed.join(", "));
            let forming = edges.iter().filter(|edge| {
                !edge.is_test
                    && split(edge).is_some_and(|(common, from, to)| {
                        common == *parent && members.contains(from) && members.contains(to)
                    })
            });
            found.insert(name, forming.map(describe_edge).collect());
        }
    }
    found
}

/// Describes an edge in an assertion message.
pub fn describe_edge(edge: &Edge) -> String {
    let item = edge.item.iter().map(|item| format!("::{item}"));
    format!(
        "{} imports {}{}",
        edge.file,
        edge.to.join("::"),
        item.collect::<String>()
    )
}

/// Returns the closest common ancestor of both ends of an edge, and its two children that the edge
/// connects. `None` if one end contains the other.
fn split(edge: &Edge) -> Option<(&[String], &str, &str)> {
    let pairs = edge.from.iter().zip(&edge.to);
    let common = pairs.take_while(|(from, to)| from == to).count();
    let from = edge.from.get(common)?;
    let to = edge.to.get(common)?;
    Some((&edge.from[..common], from, to))
}

fn reachable<'e>(below: &BTreeMap<&'e str, BTreeSet<&'e str>>, start: &str) -> BTreeSet<&'e str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(from) = waiting.pop() {
        for &to in below.get(from).into_iter().flatten() {
            if reached.insert(to) {
                waiting.push(to);
            }
        }
    }
    reached
}
