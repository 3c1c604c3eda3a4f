//! Imports and paths of source files, read from their tokens. Comments and strings are ignored, the
//! arguments of macros are read.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Segments of a path: `["crate", "model", "order"]`.
pub type Path = Vec<String>;

/// A path in code, or one of the paths of a `use`.
#[derive(Debug)]
pub struct Mention {
    pub path: Path,
    /// `true` below `#[cfg(test)]`.
    pub is_test: bool,
}

/// A module: a file, or a `mod name { … }` within one.
#[derive(Debug)]
pub struct Module {
    pub path: Path,
    /// Path of the file below `src/`.
    pub file: String,
    /// Module of the file. For an inline module, the one that contains it.
    pub owner: Path,
    /// `true` if the declaration of an inline module has `#[cfg(test)]`.
    pub is_test: bool,
    /// Names that `use` binds, and their paths.
    pub names: BTreeMap<String, Path>,
    /// Paths of `use path::*`.
    pub globs: Vec<Path>,
    pub mentions: Vec<Mention>,
    pub identifiers: BTreeSet<String>,
    /// Child modules in files of their own that are declared below `#[cfg(test)]`.
    pub test_children: BTreeSet<String>,
}

/// Returns the modules of the file at `file` below `src/`, the file's own module first.
pub fn parse(file: &str, text: &str) -> Vec<Module> {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| {
        panic!("cannot parse {file}: {error}");
    });
    let path = module_of(file);
    let mut modules = vec![Module::new(path.clone(), file, path, false)];
    walk(tokens, 0, false, &mut modules);
    modules
}

/// Returns the module of a file below `src/`: `lib.rs` is the root, `main.rs` is `main`.
fn module_of(file: &str) -> Path {
    let stem = file.trim_end_matches(".rs");
    let mut path: Path = stem.split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| last == "mod") || stem == "lib" {
        path.pop();
    }
    path
}

impl Module {
    fn new(path: Path, file: &str, owner: Path, is_test: bool) -> Self {
        Self {
            path,
            file: file.to_owned(),
            owner,
            is_test,
            names: BTreeMap::new(),
            globs: Vec::new(),
            mentions: Vec::new(),
            identifiers: BTreeSet::new(),
            test_children: BTreeSet::new(),
        }
    }

    /// Records the tree of one `use` below `prefix`.
    fn import(&mut self, tree: &[TokenTree], prefix: &Path, is_test: bool) {
        let mut path = prefix.clone();
        let mut at = 0;
        while at < tree.len() {
            match &tree[at] {
                TokenTree::Ident(word) if *word == "as" => {
                    let name = tree[at + 1].to_string();
                    return self.bind(name, path, is_test);
                }
                // `{self, …}` is the module before the brace, `self::…` this module.
                TokenTree::Ident(word) if *word != "self" || path.is_empty() => {
                    path.push(word.to_string());
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in inner.split(|token| is_punct(Some(token), ',')) {
                        if !branch.is_empty() {
                            self.import(branch, &path, is_test);
                        }
                    }
                    return;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    self.globs.push(path.clone());
                    self.mentions.push(Mention { path, is_test });
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        let name = path.last().cloned().unwrap_or_default();
        self.bind(name, path, is_test);
    }

    fn bind(&mut self, name: String, path: Path, is_test: bool) {
        self.mentions.push(Mention {
            path: path.clone(),
            is_test,
        });
        self.names.insert(name, path);
    }
}

fn is_punct(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// Reads the tokens of the module at `index` and adds its inline modules.
fn walk(stream: TokenStream, index: usize, is_test: bool, modules: &mut Vec<Module>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    // `true` from `#[cfg(test)]` to the end of its item.
    let mut is_test_item = false;
    let mut at = 0;
    while at < tokens.len() {
        let is_test_here = is_test || is_test_item;
        match &tokens[at] {
            TokenTree::Group(group) => {
                let attribute = group.stream().to_string().replace(' ', "");
                if is_punct(at.checked_sub(1).and_then(|it| tokens.get(it)), '#')
                    && attribute == "cfg(test)"
                {
                    is_test_item = true;
                } else {
                    walk(group.stream(), index, is_test_here, modules);
                    is_test_item &= group.delimiter() != Delimiter::Brace;
                }
            }
            TokenTree::Punct(punct) => is_test_item &= !matches!(punct.as_char(), ';' | ','),
            TokenTree::Ident(word) if *word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                let tree = &tokens[at + 1..];
                let end = tree.iter().position(|token| is_punct(Some(token), ';'));
                let end = end.unwrap_or(tree.len());
                modules[index].import(&tree[..end], &Path::new(), is_test_here);
                collect_identifiers(&tree[..end], &mut modules[index].identifiers);
                at += end;
            }
            TokenTree::Ident(word) if *word == "mod" => {
                let name = tokens.get(at + 1).map(ToString::to_string);
                let name = name.unwrap_or_default();
                if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                    let inner = inline_module(&modules[index], name, is_test_here);
                    modules.push(inner);
                    walk(body.stream(), modules.len() - 1, is_test_here, modules);
                    is_test_item = false;
                    at += 2;
                } else {
                    if is_test_here {
                        modules[index].test_children.insert(name);
                    }
                    at += 1;
                }
            }
            TokenTree::Ident(_) => {
                let end = end_of_path(&tokens, at);
                let path: Path = tokens[at..=end].iter().filter_map(ident).collect();
                let module = &mut modules[index];
                module.identifiers.extend(path.iter().cloned());
                // The rest of `<T as Trait>::name` is not a path.
                let continues = at >= 2 && is_path_separator(&tokens, at - 2);
                if !continues && path.len() > 1 {
                    module.mentions.push(Mention {
                        path,
                        is_test: is_test_here,
                    });
                }
                at = end;
            }
            TokenTree::Literal(_) => {}
        }
        at += 1;
    }
}

fn inline_module(around: &Module, name: String, is_test: bool) -> Module {
    let mut path = around.path.clone();
    path.push(name);
    Module::new(path, &around.file, around.owner.clone(), is_test)
}

/// Returns the index of the last identifier of the path that starts at `at`.
fn end_of_path(tokens: &[TokenTree], at: usize) -> usize {
    let mut end = at;
    while is_path_separator(tokens, end + 1)
        && matches!(tokens.get(end + 3), Some(TokenTree::Ident(_)))
    {
        end += 3;
    }
    end
}

fn ident(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

fn collect_identifiers(tokens: &[TokenTree], into: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                into.insert(word.to_string());
            }
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                collect_identifiers(&inner, into);
            }
            _ => {}
        }
    }
}
