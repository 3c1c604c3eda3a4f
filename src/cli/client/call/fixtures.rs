//! Fixtures documents with files. The client reads the files, since the server may run in a
//! container or on another machine.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Parts of a document that can name files.
#[derive(Deserialize)]
struct LocalFixture<'d> {
    #[serde(borrow, default)]
    orders: Vec<LocalFixtureOrder<'d>>,
}

#[derive(Deserialize)]
struct LocalFixtureOrder<'d> {
    #[serde(borrow, default)]
    files: Vec<&'d RawValue>,
}

/// Replaces each `path` in the document by the file's content as `base64`. Paths are relative to
/// `folder`. All other bytes and all line numbers stay the same, so that the server's messages fit
/// the document. A malformed document is returned unchanged, for the server to report.
///
/// # Errors
/// Returns one line with the JSON path if a file cannot be read.
pub fn embed_files(document: Vec<u8>, folder: &Path) -> Result<Vec<u8>, String> {
    let Ok(text) = str::from_utf8(&document) else {
        return Ok(document);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(parsed) = serde_json::from_str::<LocalFixture<'_>>(text) else {
        return Ok(document);
    };
    let mut embedded = String::with_capacity(text.len());
    let mut copied = 0;
    for (order, LocalFixtureOrder { files }) in parsed.orders.iter().enumerate() {
        for (index, file) in files.iter().enumerate() {
            let json_path = format!("orders[{order}].files[{index}].path");
            let Some(file_with_bytes) = embed_file(file.get(), folder, &json_path)? else {
                continue;
            };
            let start = offset_in(text, file.get());
            embedded.push_str(&text[copied..start]);
            embedded.push_str(&file_with_bytes);
            copied = start + file.get().len();
        }
    }
    embedded.push_str(&text[copied..]);
    Ok(embedded.into_bytes())
}

/// Returns the object with `base64` in place of `path`, on the same number of lines. `None` if the
/// object has no path or is malformed.
fn embed_file(object: &str, folder: &Path, json_path: &str) -> Result<Option<String>, String> {
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(object) else {
        return Ok(None);
    };
    let Some(Value::String(path)) = fields.remove("path") else {
        return Ok(None);
    };
    if fields.contains_key("base64") {
        return Ok(None);
    }
    let path = folder.join(path);
    let bytes = std::fs::read(&path)
        .map_err(|error| format!("cannot read {} ({json_path}): {error}", path.display()))?;
    fields.insert("base64".to_owned(), BASE64_STANDARD.encode(bytes).into());
    let lines = object.matches('\n').count();
    Ok(Some(
        Value::Object(fields).to_string() + &"\n".repeat(lines),
    ))
}

/// Returns the byte offset of `part`, which must be a slice of `whole`.
fn offset_in(whole: &str, part: &str) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedded(document: &str, folder: &Path) -> Result<String, String> {
        let embedded = embed_files(document.as_bytes().to_vec(), folder)?;
        Ok(String::from_utf8(embedded).expect("text"))
    }

    #[test]
    fn embed_files_puts_the_bytes_in_place_of_paths_and_keeps_the_lines() {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::write(folder.path().join("a.jpg"), b"\xff\xd8").expect("a file");
        let document = r#"{"n": 12345678901234567890123,
"orders": [{"files": [{"fileName": "a", "path": "a.jpg"}, {"fileName": "b", "base64": "QQ=="}]},
 {"files": [{
   "path": "a.jpg",
   "fileName": "c"
 }], "name": "ü"}], "x": 1e400}"#;
        let with_mark = format!("\u{feff}{document}");
        let expected = r#"{"n": 12345678901234567890123,
"orders": [{"files": [{"base64":"/9g=","fileName":"a"}, {"fileName": "b", "base64": "QQ=="}]},
 {"files": [{"base64":"/9g=","fileName":"c"}


], "name": "ü"}], "x": 1e400}"#;
        for document in [document, &with_mark] {
            assert_eq!(embedded(document, folder.path()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn embed_files_of_a_missing_file_names_the_file_and_its_json_path() {
        let folder = tempfile::tempdir().expect("a directory");
        let document = r#"{"orders": [{}, {"files": [{"path": "nothing.jpg"}]}]}"#;
        let path = folder.path().join("nothing.jpg");
        assert_eq!(
            embedded(document, folder.path()),
            Err(format!(
                "cannot read {} (orders[1].files[0].path): No such file or directory (os error 2)",
                path.display()
            ))
        );
    }

    #[test]
    fn embed_files_leaves_malformed_documents_unchanged() {
        for document in [
            "",
            "[]",
            "{",
            r#"{"orders": 1}"#,
            r#"{"orders": [{"files": ["a.jpg"]}]}"#,
            r#"{"orders": [{"files": [{"path": 1}]}]}"#,
            r#"{"orders": [{"files": [{"path": "a.jpg", "base64": ""}]}]}"#,
        ] {
            let result = embedded(document, Path::new("/nowhere"));
            assert_eq!(result.as_deref(), Ok(document));
        }
    }
}
