//! Command line: grammar, loading of arguments and environment, and the commands that call a
//! running server.

pub mod client;
pub mod commands;
pub mod grammar;
pub mod load;
