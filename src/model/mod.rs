//! The nouns and their state machines: std and serde only, no I/O, no clock, no chance.
//!
//! The words are those of the vendors' documents and of `README.md`; what a vendor calls
//! a thing on the wire is a projection made in that vendor's `wire` module.

pub mod account;
pub mod bulk;
pub mod clip;
pub mod file;
pub mod glob;
pub mod ids;
pub mod job;
pub mod listing;
pub mod order;
pub mod picture;
pub mod report;
pub mod rule;
pub mod time;
pub mod vendor;
pub mod webhook;
pub mod work;
