//! Leaves of the crate: change log, clock, random numbers, outbound HTTP, presigned URLs, metrics, memory limit.

pub mod change_log;
pub mod clock;
pub mod memory_limit;
pub mod metrics;
pub mod outbound;
pub mod presign;
pub mod rng;
