//! stuntdouble: a self-hosted mock of two image APIs, BIZ MORI and Undetectable AI.

pub mod accounts;
pub mod app;
pub mod bizmori;
pub mod blobs;
pub mod claims;
pub mod clock;
pub mod config;
pub mod control;
pub mod data_dir;
pub mod engine;
pub mod entropy;
pub mod journal;
pub mod links;
pub mod model;
pub mod orders;
pub mod outbound;
pub mod presign;
pub mod storage;
pub mod store;
pub mod undetectable;
pub mod web;
pub mod webhooks;
pub mod worker;
