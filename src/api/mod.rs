//! HTTP surfaces: the two vendors, their storage, and the control plane. No API imports another.

pub mod bizmori;
pub mod control;
pub mod s3;
pub mod undetectable;
