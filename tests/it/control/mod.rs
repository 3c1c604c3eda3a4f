//! The control plane, with which tests set up, control and inspect the server.

mod accounts;
mod clock;
mod codes;
mod deleted_accounts;
mod deliveries;
mod drain;
mod errors;
mod events;
mod faults;
mod fixtures;
mod guard;
mod inbox;
mod isolation;
mod journal;
mod metrics;
mod named_account;
mod openapi;
mod orders;
mod paging;
mod processing;
mod reset;
mod reset_isolation;
mod rules;
mod snapshots;
mod token;
