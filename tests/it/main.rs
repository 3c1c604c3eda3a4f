//! The tests enter by the same door as `main`: each starts the real server on a free port, with
//! a data directory of its own, and talks to it over real sockets. Time is stepped through the
//! control plane and never slept.

mod support;

mod addresses;
mod architecture;
mod auth;
mod bizmori;
mod codes;
mod command_line;
mod connections;
mod control;
mod crash;
mod data_dir;
mod hostile;
mod jobs;
mod limits;
mod log;
mod memory;
mod operations;
mod readme;
mod restart;
mod retention;
mod s3;
mod tls;
mod undetectable;
mod webhooks;
