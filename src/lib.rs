//! stuntdouble: a self-hosted mock of two image APIs, BIZ MORI and Undetectable AI.

pub mod clock;
pub mod engine;
pub mod entropy;
pub mod model;
