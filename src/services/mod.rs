//! Operations on accounts, orders, webhooks and rules, and the worker that runs jobs.

pub mod accounts;
pub mod claims;
pub mod fixtures;
pub mod inbox;
pub mod journal;
pub mod orders;
pub mod presigned_urls;
pub mod rules;
pub mod snapshots;
pub mod vendors;
pub mod webhooks;
pub mod worker;
