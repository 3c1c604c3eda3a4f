//! Orders that are told in a document, fixtures say, rather than asked for by a client: what a
//! vendor's front door makes of them. They are checked as if a client had asked.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::model::account::Revision;
use crate::model::time::Timestamp;
use crate::services::orders::NewOrder;
use crate::settings::Config;

/// Makes of an order what its client would have wanted.
pub type FixtureBuilder = fn(&FixtureOrder<'_>) -> Result<NewOrder, FieldError>;

/// An order as it is told.
#[derive(Debug, Clone, Copy)]
pub struct FixtureOrder<'t> {
    /// The one that makes such orders.
    pub operation: &'static str,
    pub name: Option<&'t str>,
    /// Those that come to be looked at first, then their originals.
    pub files: &'t [FixtureFile],
    /// In the vendor's words.
    pub options: Option<&'t Map<String, Value>>,
    /// When it is made.
    pub at: Timestamp,
    /// The vendor's API as its account has it.
    pub revision: Revision,
    /// `scheme://host[:port]` of the URLs that are made for it.
    pub origin: &'t str,
    pub config: &'t Config,
}

/// A file of it.
#[derive(Debug, Clone)]
pub struct FixtureFile {
    pub name: String,
    /// The texts that go into it.
    pub watermarks: Vec<String>,
}

/// What is amiss with such an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// `files[0].fileName`.
    pub field: String,
    /// What is wrong there.
    pub message: String,
}

impl FieldError {
    /// What is wrong with that field.
    pub fn new(field: impl Into<String>, line: impl Into<String>) -> Self {
        let (field, line) = (field.into(), line.into());
        Self {
            field,
            message: line,
        }
    }
}

impl FixtureOrder<'_> {
    /// Checks that it has no options but these.
    ///
    /// # Errors
    /// Names the first that is none, and those there are.
    pub fn reject_unknown_options(&self, known: &[&str]) -> Result<(), FieldError> {
        let mut names = self.options.into_iter().flat_map(Map::keys);
        let Some(other) = names.find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let there_is = match known {
            [] => "there are none".to_owned(),
            known => format!("there is: {}", known.join(", ")),
        };
        let line = format!("no option of {}; {there_is}", self.operation);
        Err(FieldError::new(format!("options.{other}"), line))
    }

    /// Checks that it is given no name.
    ///
    /// # Errors
    /// If it is.
    pub fn reject_name(&self) -> Result<(), FieldError> {
        if self.name.is_none() {
            return Ok(());
        }
        let line = format!("orders of {} are given none", self.operation);
        Err(FieldError::new("name", line))
    }

    /// Checks that no texts go into its files.
    ///
    /// # Errors
    /// If any do.
    pub fn reject_watermarks(&self) -> Result<(), FieldError> {
        let mut files = self.files.iter();
        let Some(marked) = files.position(|file| !file.watermarks.is_empty()) else {
            return Ok(());
        };
        let line = format!("{} puts none into files", self.operation);
        Err(FieldError::new(format!("files[{marked}].watermarks"), line))
    }

    /// Checks that it has so many files.
    ///
    /// # Errors
    /// If it has not.
    pub fn check_file_count(&self, count: RangeInclusive<usize>) -> Result<(), FieldError> {
        if count.contains(&self.files.len()) {
            return Ok(());
        }
        let (least, most) = count.into_inner();
        let wanted = if least == most {
            least.to_string()
        } else {
            format!("{least} to {most}")
        };
        let line = format!(
            "{} of them, {} takes {wanted}",
            self.files.len(),
            self.operation
        );
        Err(FieldError::new("files", line))
    }
}
