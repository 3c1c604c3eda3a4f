//! The control plane: what a test steers and looks with.

mod accounts;
mod clock;
mod deliveries;
mod described;
mod drain;
mod errors;
mod faults;
mod fenced;
mod fixtures;
mod gone;
mod guard;
mod inbox;
mod isolation;
mod journal;
mod metrics;
mod named_account;
mod orders;
mod paged;
mod processing;
mod reset;
mod rules;
mod snapshots;
mod token;
