//! Orders described in a fixtures document. Each vendor's API checks them as it checks the requests
//! of clients.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::model::account::Revision;
use crate::model::time::Timestamp;
use crate::services::orders::NewOrder;
use crate::settings::Config;

/// Builds the order that a client would have requested.
pub type FixtureBuilder = fn(&FixtureOrder<'_>) -> Result<NewOrder, FieldError>;

/// Order in a fixtures document.
#[derive(Debug, Clone, Copy)]
pub struct FixtureOrder<'t> {
    /// Operation that creates orders of this type.
    pub operation: &'static str,
    pub name: Option<&'t str>,
    /// Input files first, then their originals.
    pub files: &'t [FixtureFile],
    /// Options in the vendor's format.
    pub options: Option<&'t Map<String, Value>>,
    /// Time at which the order is created.
    pub at: Timestamp,
    /// API revision of the account.
    pub revision: Revision,
    /// Origin (`scheme://host[:port]`) of the URLs that are created for the order.
    pub origin: &'t str,
    pub config: &'t Config,
}

/// File of an order.
#[derive(Debug, Clone)]
pub struct FixtureFile {
    pub name: String,
    /// Watermarks to embed.
    pub watermarks: Vec<String>,
}

/// Error in a field of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field, for example `files[0].fileName`.
    pub field: String,
    pub message: String,
}

impl FieldError {
    /// Creates the error for a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl FixtureOrder<'_> {
    /// Checks that the order has only the options `known`.
    ///
    /// # Errors
    /// Returns an error with the first unknown option and the valid options.
    pub fn reject_unknown_options(&self, known: &[&str]) -> Result<(), FieldError> {
        let mut names = self.options.into_iter().flat_map(Map::keys);
        let Some(other) = names.find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let valid_options = match known {
            [] => "none".to_owned(),
            known => known.join(", "),
        };
        let message = format!(
            "unknown option of {}; valid options: {valid_options}",
            self.operation
        );
        Err(FieldError::new(format!("options.{other}"), message))
    }

    /// Checks that the order has no name.
    ///
    /// # Errors
    /// Returns an error if it has one.
    pub fn reject_name(&self) -> Result<(), FieldError> {
        if self.name.is_none() {
            return Ok(());
        }
        let message = format!("not allowed for {}", self.operation);
        Err(FieldError::new("name", message))
    }

    /// Checks that no file has watermarks to embed.
    ///
    /// # Errors
    /// Returns an error with the first file that has.
    pub fn reject_watermarks(&self) -> Result<(), FieldError> {
        let mut files = self.files.iter();
        let Some(index) = files.position(|file| !file.watermarks.is_empty()) else {
            return Ok(());
        };
        let message = format!("not allowed for {}", self.operation);
        Err(FieldError::new(
            format!("files[{index}].watermarks"),
            message,
        ))
    }

    /// Checks the number of files.
    ///
    /// # Errors
    /// Returns an error if the number is not in `count`.
    pub fn check_file_count(&self, count: RangeInclusive<usize>) -> Result<(), FieldError> {
        if count.contains(&self.files.len()) {
            return Ok(());
        }
        let (min, max) = count.into_inner();
        let expected = if min == max {
            min.to_string()
        } else {
            format!("{min} to {max}")
        };
        let message = format!(
            "expected {expected} for {}, got {}",
            self.operation,
            self.files.len()
        );
        Err(FieldError::new("files", message))
    }
}
