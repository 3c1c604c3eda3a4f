//! Documents (README files), their sections and their code blocks.

use std::path::{Path, PathBuf};

/// Folders that hold documents, besides the root.
const FOLDERS: [&str; 6] = [
    "benches",
    "docker",
    "fixtures",
    "migrations",
    "src",
    "tests",
];

/// A README file of this repository.
#[derive(Debug)]
pub struct Document {
    /// Path from the root: `docker/README.md`.
    pub path: String,
    pub text: String,
}

/// The text from one heading of level 2 or 3 to the next.
#[derive(Debug)]
pub struct Section {
    /// Heading of level 2, without its marks.
    pub chapter: String,
    /// Heading of level 2 or 3, without its marks.
    pub heading: String,
    pub blocks: Vec<Block>,
}

/// A fenced code block.
#[derive(Debug, Clone)]
pub struct Block {
    /// Info string of the fence: `sh`. Empty for output.
    pub language: String,
    /// Content, with a line break at its end.
    pub text: String,
}

/// Returns the root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_built = name.starts_with('.') || name == "target" || name == "node_modules";
        if path.is_dir() && !is_built {
            collect(&path, paths);
        } else if name == "README.md" {
            paths.push(path);
        }
    }
}

impl Document {
    /// Reads the document at a path from the root.
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(root().join(path));
        Self {
            path: path.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    /// Reads all documents of the repository.
    pub fn all() -> Vec<Self> {
        let mut paths = vec![root().join("README.md")];
        for folder in FOLDERS {
            collect(&root().join(folder), &mut paths);
        }
        paths.sort();
        let read = |path: &PathBuf| {
            let relative = path.strip_prefix(root()).expect("below the root");
            Self::read(&relative.to_string_lossy())
        };
        paths.iter().map(read).collect()
    }

    /// Returns each line with `true` if it is in a code block; fences are in the block.
    pub fn lines(&self) -> impl Iterator<Item = (bool, &str)> {
        let mut is_code = false;
        self.text.lines().map(move |line| {
            let is_fence = line.starts_with("```");
            let was_code = is_code;
            is_code ^= is_fence;
            (was_code || is_fence, line)
        })
    }

    /// Returns the headings of all levels, without their marks.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        let prose = self.lines().filter(|(is_code, _)| !is_code);
        let headings = prose.filter(|(_, line)| line.starts_with('#'));
        headings.map(|(_, line)| line.trim_start_matches('#').trim_start())
    }

    /// Splits the document into its sections. Text before the first heading of level 2 is left out.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        let mut block: Option<Block> = None;
        for line in self.text.lines() {
            match (&mut block, line.strip_prefix("```")) {
                (Some(_), Some(_)) => {
                    let section = sections.last_mut().expect("code follows a heading");
                    section.blocks.extend(block.take());
                }
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, Some(language)) => {
                    let language = language.to_owned();
                    let text = String::new();
                    block = Some(Block { language, text });
                }
                (None, None) => sections.extend(section(line, sections.last())),
            }
        }
        sections
    }

    /// Returns the section of that heading.
    pub fn section(&self, heading: &str) -> Section {
        let mut sections = self.sections().into_iter();
        let found = sections.find(|section| section.heading == heading);
        found.unwrap_or_else(|| panic!("{}: no section {heading:?}", self.path))
    }

    /// Returns the table rows below that heading of level 2: lines outside of code that begin so.
    pub fn rows(&self, chapter: &str, begin: &str) -> Vec<&str> {
        let heading = format!("## {chapter}");
        let rows: Vec<_> = self
            .lines()
            .filter_map(|(is_code, line)| (!is_code).then_some(line))
            .skip_while(|line| *line != heading)
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .filter(|line| line.starts_with(begin))
            .collect();
        assert!(!rows.is_empty(), "{}: no rows in {heading:?}", self.path);
        rows
    }
}

/// Returns the section that `line` begins. `None` if the line is not a heading of level 2 or 3.
fn section(line: &str, previous: Option<&Section>) -> Option<Section> {
    let (chapter, heading) = if let Some(heading) = line.strip_prefix("## ") {
        (heading, heading)
    } else {
        let heading = line.strip_prefix("### ")?;
        (previous.expect("a chapter").chapter.as_str(), heading)
    };
    Some(Section {
        chapter: chapter.to_owned(),
        heading: heading.to_owned(),
        blocks: Vec::new(),
    })
}

impl Section {
    /// Returns the texts of the blocks in that language.
    pub fn blocks<'s>(&'s self, language: &str) -> impl Iterator<Item = &'s str> {
        self.blocks
            .iter()
            .filter(move |block| block.language == language)
            .map(|block| block.text.as_str())
    }

    /// Joins the shell blocks to one script. Empty if there are none.
    pub fn script(&self) -> String {
        self.blocks("sh").collect::<Vec<_>>().join("\n")
    }
}
