//! The documents are true: their shell examples run and print what they show, their tables are those
//! of the program, and their links lead somewhere.

mod document;
mod examples;
mod links;
mod mentions;
mod rules;
mod tables;

pub use document::Document;
pub use tables::{assert_table, bless_block};
