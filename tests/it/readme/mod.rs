//! Checks of the documents: shell examples print the output that they show, tables match the program,
//! and links have targets.

mod document;
mod examples;
mod links;
mod mentions;
mod rules;
mod tables;

pub use document::Document;
pub use tables::{assert_table, bless_block};
