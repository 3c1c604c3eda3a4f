//! Domain types and their state machines: std and serde only, without I/O, clock and random numbers.
//!
//! The names follow the vendors' documentation and `README.md`. Names that a vendor uses on the wire are
//! translated in that vendor's `wire` module.

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
