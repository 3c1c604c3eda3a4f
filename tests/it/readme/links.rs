//! Length of the documents, and targets of their links.

use std::path::{Component, Path, PathBuf};

use super::document::{Document, root};

/// Lines of the main README.
const README_LINES_MAX: usize = 300;
/// Lines of the chapter for contributors.
const CONTRIBUTING_LINES_MAX: usize = 60;

/// Returns the anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter => letter.is_alphanumeric().then_some(letter),
    });
    letters.collect::<String>().to_lowercase()
}

/// Resolves `..` without access to the disk.
fn normalized(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(parts.pop(), "{} leaves the root", path.display()),
            other => parts.push(other),
        }
    }
    parts
}

#[test]
fn readme_has_fewer_lines_than_the_limit() {
    let lines = Document::read("README.md").text.lines().count();
    assert!(lines <= README_LINES_MAX, "{lines} lines");
}

#[test]
fn contributing_has_fewer_lines_than_the_limit() {
    let document = Document::read("tests/README.md");
    let (_, chapter) = (document.text.split_once("\n## Contributing\n")).expect("the chapter");
    let text = chapter.split("\n## ").next().unwrap_or_default();
    let lines = text.lines().count() + 1;
    assert!(lines <= CONTRIBUTING_LINES_MAX, "{lines} lines");
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    for document in Document::all() {
        let folder = Path::new(&document.path).parent().expect("a folder");
        let prose: Vec<&str> = (document.lines())
            .filter_map(|(is_code, line)| (!is_code).then_some(line))
            .collect();
        let prose = prose.join("\n");
        let links = prose.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => PathBuf::from(&document.path),
                path => normalized(&folder.join(path)),
            };
            let is_there = root().join(&target).exists();
            let leads = is_there
                && (heading.is_empty() || {
                    let target = Document::read(&target.to_string_lossy());
                    target.headings().any(|it| anchor(it) == heading)
                });
            if !leads {
                broken.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn readme_links_to_every_document() {
    let readme = Document::read("README.md").text;
    let documents = Document::all().into_iter().map(|document| document.path);
    // The pages about vendored files are not about this project.
    let vendored = [
        "src/http/docs/README.md",
        "src/api/control/dashboard/ui/vendor/README.md",
    ];
    let others = documents.filter(|path| path != "README.md" && !vendored.contains(&&**path));
    for path in others {
        assert!(readme.contains(&format!("]({path})")), "{path}");
    }
}
