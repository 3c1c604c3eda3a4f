//! stuntdouble: a self-hosted mock of two image APIs, BIZ MORI and Undetectable AI.
//!
//! # The story
//! A test suite starts one process, points its clients at it, and lives in accounts: one an API
//! key, each a world with its own orders, files, webhooks, ids and clock. An order is made,
//! filled by uploads to presigned URLs, started, brought to its end by the worker, read back,
//! and announced by a signed webhook. Nothing is detected in earnest: what comes out follows
//! from the file's name or the file's bytes.
//!
//! # A request's life
//! 1. [`app`] has bound every front door to one port. [`web`] observes the request under its
//!    operation's name: there the journal counts it, and there [`rules`] delay, answer or break it.
//! 2. A front door ([`bizmori`], [`undetectable`], [`storage`], [`control`]) reads it in the
//!    vendor's words: `auth` says whose it is, `request` what is asked, `wire` is what is
//!    answered, `error` maps each refusal onto the vendor's code, with one line on why.
//! 3. A verb ([`orders`], [`webhooks`], [`accounts`], [`blobs`]) does it, in one transaction of
//!    [`store`]: the order's transition ([`model::order`]), and the job or event it causes.
//! 4. The answer is written. Only then is what the request started let go ([`claims`]).
//! 5. [`worker`] runs jobs as they fall due by the account's clock: [`engine`] looks at the
//!    picture between transactions, the outcome and its event are recorded in one.
//!
//! The command line ([`client`]) steers a server that runs: it makes the control plane's calls.
//!
//! # What is promised
//! - Every accepted order comes to its end exactly once and every event goes out at least once,
//!   whenever the process dies. The crash path is the happy path: a job is a row until what it
//!   did is recorded in the transaction that takes the row.
//! - A fault of the server's is not tried for ever: a job that fails backs off, and after ten errors, or
//!   three starts in which the process died, its order fails with the vendor's general code. What was
//!   sent and could not be recorded is not sent again.
//! - Time is a parameter ([`clock`] alone reads the real one) and chance is derived
//!   ([`entropy`]): the same seed, clock and calls give the same answers.
//! - A reset ends an account's life; nothing of an older life is written or sent afterwards.
//! - Memory does not grow with uploads, with finished orders, or with what is sent.
//!
//! # Lock order
//! Whoever takes several of these takes them in this order, the outermost first:
//! 1. snapshots: one is taken, restored or removed at a time ([`snapshots`]);
//! 2. the lock of an account's clock, and then that of the default clock
//!    ([`accounts::ClockGuard`]): an account that begins or ends to follow the default clock takes
//!    its jobs along;
//! 3. the registry of accounts: one account begins or ends at a time ([`accounts::Turn`]);
//! 4. the registry of rules: rules come or go one change at a time ([`rules`]);
//! 5. the writer's transaction ([`store::Tx`]);
//! 6. the lock of an object in the blob store, under which only the disk is waited for ([`blobs`]);
//! 7. synchronous mutexes, which are innermost and never held over an await. Of these the owed
//!    uploads come first: a clock is moved under them ([`accounts::Accounts::leap`]).
//!
//! A [`claims::Claim`] is waited for under a clock's lock, by an advance, or under none. Who has one
//! takes no lock but the transaction and mutexes, so that the advance gets its turn.
//!
//! Who may import whom is checked by `tests/it/architecture.rs`.

pub mod accounts;
pub mod app;
pub mod bizmori;
pub mod blobs;
pub mod claims;
pub mod client;
pub mod clock;
pub mod config;
pub mod control;
pub mod data_dir;
pub mod engine;
pub mod entropy;
pub mod inbox;
pub mod journal;
pub mod links;
pub mod memory_limit;
pub mod metrics;
pub mod model;
pub mod orders;
pub mod outbound;
pub mod presign;
pub mod rules;
pub mod snapshots;
pub mod storage;
pub mod store;
pub mod tls;
pub mod undetectable;
pub mod web;
pub mod webhooks;
pub mod worker;
