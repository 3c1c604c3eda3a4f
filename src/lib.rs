//! stuntdouble: a self-hosted mock of two image APIs, BIZ MORI and Undetectable AI.

pub mod blobs;
pub mod clock;
pub mod entropy;
pub mod model;
pub mod presign;
pub mod storage;
