//! stuntdouble: a self-hosted mock of two image APIs, BIZ MORI and Undetectable AI, for integration
//! tests.
//!
//! # Overview
//! A test suite starts one process and points its clients at it. Each API key is an account with its
//! own orders, files, webhooks, ids and clock. A client creates an order, uploads its files to
//! presigned URLs and starts the order. The worker processes the order, the client reads the result, and
//! a signed webhook announces it. No AI model judges a picture: results follow from file names and file
//! bytes, unless a rule or the control API forces an outcome.
//!
//! # Layout
//! Imports lead downwards only, without cycles. `tests/it/architecture` checks both.
//!
//! | Module | Content |
//! |---|---|
//! | [`app`] | Composition root: builds the services, mounts the APIs, starts and stops the server |
//! | [`cli`] | Command line: its grammar, and the commands that call a running server |
//! | [`api`] | HTTP surfaces: [`api::bizmori`], [`api::undetectable`], [`api::s3`], [`api::control`]; no API imports another |
//! | [`http`] | Shared by the APIs: routes, middleware, extractors, OpenAPI, connections, TLS |
//! | [`services`] | Operations on accounts, orders, webhooks and rules; the worker |
//! | [`engine`] | Bytes of pictures, PDFs and ZIPs. Does not import [`storage`] |
//! | [`storage`] | Database ([`storage::db`], the only module that names `sqlx`), blobs, data directory |
//! | [`platform`] | Clock, random numbers, outbound HTTP, presigned URLs, metrics |
//! | [`settings`] | Every setting: meaning, default, flag and environment variable |
//! | [`model`] | Domain types and their state machines, without I/O |
//!
//! # Request flow
//! 1. [`app`] binds one port and routes each request to an API. The middleware of [`http`] counts and
//!    journals the request under its operation's name. A rule ([`services::rules`]) may delay the
//!    request, respond to it, or break its connection.
//! 2. The API reads the request in the vendor's terms: `auth` resolves the account, `request` parses
//!    the body, `wire` has the responses, and `error` maps each error onto the vendor's code, with a
//!    reason in `X-Mock-Reason`.
//! 3. A service ([`services::orders`], [`services::webhooks`], [`services::accounts`]) applies the
//!    change in one transaction of [`storage::db`]: the order's transition ([`model::order`]) and the
//!    job or event that follows from it.
//! 4. The response is written to the client. Only then may the worker start the jobs of the request
//!    ([`services::claims`]).
//! 5. [`services::worker`] runs each job when it is due by the account's clock. [`engine`] works on the
//!    picture between transactions. The outcome and its webhook event are recorded in one transaction.
//!
//! # Guarantees
//! - Every started order ends exactly once, and every webhook event is sent at least once, whenever
//!   the process dies. A job is a row until the transaction that records its result deletes the row, so
//!   a restart after a crash takes the same path as a restart after a shutdown.
//! - An internal error does not repeat forever. A failed job backs off. After ten errors, or three
//!   starts during which the process died, its order fails with the vendor's general code. A webhook
//!   attempt that was sent but could not be recorded is not sent again: its record is retried.
//! - Time is a parameter: [`platform::clock`] alone reads the clock of the operating system. Random
//!   numbers are derived from the seed ([`platform::rng`]). The same seed, clock and requests give the
//!   same responses.
//! - A reset ends an account's life. Nothing of an earlier life is written or sent afterwards.
//! - Memory does not grow with the size of uploads, with the number of finished orders, or with the size
//!   of responses.
//!
//! # Where to find
//! | Question | Place |
//! |---|---|
//! | Where is the expiry of a presigned upload or download URL judged? | [`platform::presign::Signer::verify`], in `src/platform/presign/verify.rs`. [`api::s3`] calls it with the account's time. |
//! | Where does an order fail because its files were not uploaded in time? | `src/services/orders/deadline.rs`, run by the job [`model::job::JobKind::ExpireUploads`] |
//! | Where is the retry of a webhook scheduled? | [`model::webhook::Delivery::fail`], by [`services::vendors::WebhookProfile::retry_schedule_ms`] of the vendor. `src/services/webhooks/deliver.rs` calls it after a failed attempt and stores the due time. |
//! | How do I add an error code? | A vendor's: a variant of [`api::bizmori::ErrorCode`] or [`api::undetectable::ErrorCode`], with its status. The control plane's: a line in `src/api/control/error_code.rs`. Storage's: a variant in `src/api/s3/error.rs`. Codes with which orders fail: [`services::vendors::VendorProfile::failure_codes`], in `src/api/bizmori/profile.rs`. |
//! | How do I add a route? | Add it to the `routes` function of the API, by [`http::Routes::on`]: name, method, path, handler, and its OpenAPI text by [`http::Routes::docs`] |
//! | How do I add an effect of a rule? | A field of [`model::rule::RuleAction`], its check in `src/api/control/rules`, and its use in [`http`] (requests), [`platform::outbound`] (outbound calls), [`services::webhooks`] (webhook attempts) or [`services::orders`] (orders) |
//! | Where is the dashboard? | Its files are in `src/api/control/dashboard/ui`: `app.js` has the list of pages. `src/api/control/dashboard/mod.rs` serves them. [`platform::change_log`] and `src/api/control/events.rs` tell the page what changed. |
//! | How do I add a vendor? | A folder in [`api`] with its [`services::vendors::VendorProfile`], a variant of [`model::vendor::Vendor`], and its registration in [`app`] |
//! | Where is a setting defined? | [`settings`], one struct per group |
//! | Where is the time of an account computed? | [`platform::clock::Clock::now`], for the clock that [`services::accounts`] holds |
//!
//! # Lock order
//! Code that holds several of these locks takes them in this order, outermost first:
//! 1. Snapshots: one snapshot is taken, restored or removed at a time ([`services::snapshots`]).
//! 2. The lock of an account's clock, then the lock of the default clock
//!    ([`services::accounts::ClockGuard`]). An account that starts or stops following the default clock
//!    takes its jobs along.
//! 3. The registry of accounts: one account is added or removed at a time
//!    ([`services::accounts::LifecycleGuard`]).
//! 4. The registry of rules: one change at a time ([`services::rules`]).
//! 5. The writer's transaction ([`storage::db::Tx`]).
//! 6. The lock of an object in the blob store. Code that holds it waits for the disk only
//!    ([`storage::blobs`]).
//! 7. Synchronous mutexes, innermost, never held over an await. The mutex of the owed uploads comes
//!    first of these: a clock is moved under it ([`services::accounts::Accounts::jump_over_owed_uploads`]).
//!
//! An advance waits for a [`services::claims::Claim`] under a clock's lock; all other code waits for a
//! claim under no lock. The holder of a claim takes no lock but the transaction and mutexes, so the
//! advance gets the claim in the end.

pub mod api;
pub mod app;
pub mod cli;
pub mod engine;
pub mod http;
pub mod model;
pub mod platform;
pub mod services;
pub mod settings;
pub mod storage;
