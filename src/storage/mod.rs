//! State on disk: the database, the objects, and the data directory that holds both.

pub mod blobs;
pub mod data_dir;
pub mod db;
