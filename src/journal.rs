//! The journal: every request has a number, one an account, and is told when it is answered.
//!
//! A request is numbered when it is known whose it is; one that nobody owns is numbered among
//! its like. The number is what `X-Mock-Request` carries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::accounts::Account;

/// Numbers requests.
#[derive(Debug, Default)]
pub struct Journal {
    nobodys: AtomicU64,
}

/// A request under way. Clones are the same request.
#[derive(Debug, Clone, Default)]
pub struct Entry(Arc<OnceLock<(u64, String)>>);

impl Entry {
    /// The request is this account's. What is said first counts.
    pub fn belongs_to(&self, account: &Account) {
        self.0
            .get_or_init(|| (account.next_request(), account.key.clone()));
    }
}

impl Journal {
    /// The request was answered: its number.
    pub fn answered(&self, entry: &Entry, operation: &str, status: u16, duration_ms: u64) -> u64 {
        let nobodys = || {
            (
                self.nobodys.fetch_add(1, Ordering::Relaxed) + 1,
                String::new(),
            )
        };
        let (seq, account) = entry.0.get_or_init(nobodys);
        tracing::debug!(operation, account, seq, status, duration_ms, "answered");
        *seq
    }
}
