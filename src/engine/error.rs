//! Errors of the engine.

use std::fmt;
use std::io;

use crate::model::picture::FileDefect;

/// Failure of an operation of the [`Engine`](super::Engine).
#[derive(Debug)]
pub enum EngineError {
    /// The input file is defective: an outcome, not an internal error.
    Defect(FileDefect),
    /// Reading, writing or encoding failed: an internal error.
    Io(io::Error),
}

/// Returns a message of one line for a file of the format `title` that a decoder rejects.
pub(super) fn unreadable_message(title: &str, reason: &dyn fmt::Display) -> String {
    let reason = reason.to_string();
    let words: Vec<&str> = reason.split_whitespace().collect();
    format!("the {title} cannot be read: {}", words.join(" "))
}

impl From<FileDefect> for EngineError {
    fn from(defect: FileDefect) -> Self {
        Self::Defect(defect)
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defect(defect) => out.write_str(defect.message()),
            Self::Io(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Defect(_) => None,
            Self::Io(error) => Some(error),
        }
    }
}
