//! stuntdouble: a self-hosted mock of two image APIs, BIZ MORI and Undetectable AI.

pub mod accounts;
pub mod claims;
pub mod clock;
pub mod config;
pub mod entropy;
pub mod model;
pub mod store;
