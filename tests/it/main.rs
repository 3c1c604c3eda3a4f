//! Integration tests. Each test starts the real server through `App`, on a free port with its own
//! data directory, and calls it over sockets. Time is advanced through the control plane, never
//! slept.

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
mod explain_errors;
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
