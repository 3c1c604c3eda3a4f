//! Leaves that the rest is built on: clock, random numbers, outbound HTTP, presigned URLs, metrics.

pub mod clock;
pub mod memory_limit;
pub mod metrics;
pub mod outbound;
pub mod presign;
pub mod rng;
