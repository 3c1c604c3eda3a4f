//! Bounded store of exchanges: limited by count per account, and by bytes in total.
//!
//! Each exchange has a position in the order of storing, and each account has a list of its
//! positions. So the oldest exchange of one account or of all is found at once. An exchange that
//! grows is counted at once, and then evicts others (see `ExchangeStore::evict_excess`).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Exchange, JournalLimits};
use crate::model::ids::AccountId;
use crate::services::accounts::Account;

/// Exchanges in the order of storing.
#[derive(Debug, Default)]
pub(super) struct ExchangeStore {
    exchanges: BTreeMap<u64, StoredExchange>,
    rings: HashMap<AccountId, AccountRing>,
    positions: u64,
}

#[derive(Debug)]
struct StoredExchange {
    exchange: Arc<Exchange>,
    account: AccountId,
}

/// Positions of the exchanges of one account.
#[derive(Debug, Default)]
struct AccountRing {
    /// `None` for exchanges without an account.
    account: Option<Arc<Account>>,
    positions: VecDeque<u64>,
    evicted: u64,
}

impl AccountRing {
    fn is_of(&self, key: Option<&str>) -> bool {
        let account = self.account.as_ref();
        let is_ended = account.is_some_and(|account| account.cancellation().is_cancelled());
        !is_ended && key.is_none_or(|key| account.is_some_and(|account| account.key == key))
    }
}

impl ExchangeStore {
    /// Stores an exchange, and returns the exchanges that are evicted. The caller drops them after
    /// releasing the lock.
    #[must_use]
    pub(super) fn push(
        &mut self,
        exchange: &Arc<Exchange>,
        account: Option<&Arc<Account>>,
        limits: JournalLimits,
        bytes: &AtomicUsize,
    ) -> Vec<Arc<Exchange>> {
        let mut removed = Vec::new();
        if account.is_some_and(|account| account.cancellation().is_cancelled()) {
            return removed;
        }
        let account_id = account.map_or(AccountId::UNOWNED, |account| account.id);
        let position = self.positions;
        self.positions += 1;
        exchange.add_size(bytes);
        let stored = StoredExchange {
            exchange: Arc::clone(exchange),
            account: account_id,
        };
        self.exchanges.insert(position, stored);
        let ring = self.rings.entry(account_id).or_insert_with(|| AccountRing {
            account: account.cloned(),
            ..AccountRing::default()
        });
        ring.positions.push_back(position);
        let excess = (ring.positions.len() > limits.requests)
            .then(|| ring.positions.front().copied())
            .flatten();
        removed.extend(excess.and_then(|oldest| self.evict(oldest, bytes)));
        removed.extend(self.evict_excess(limits, bytes));
        removed
    }

    /// Evicts the oldest exchanges of any account until `bytes` is within the limit. The caller
    /// drops them after releasing the lock.
    #[must_use]
    pub(super) fn evict_excess(
        &mut self,
        limits: JournalLimits,
        bytes: &AtomicUsize,
    ) -> Vec<Arc<Exchange>> {
        let mut removed = Vec::new();
        while bytes.load(Ordering::Relaxed) > limits.bytes
            && let Some((oldest, _)) = self.exchanges.first_key_value()
        {
            removed.extend(self.evict(*oldest, bytes));
        }
        removed
    }

    /// Removes the oldest exchange of an account.
    fn evict(&mut self, position: u64, bytes: &AtomicUsize) -> Option<Arc<Exchange>> {
        let stored = self.exchanges.remove(&position)?;
        stored.exchange.remove_size(bytes);
        if let Some(ring) = self.rings.get_mut(&stored.account) {
            ring.positions.pop_front();
            ring.evicted += 1;
        }
        Some(stored.exchange)
    }

    /// Returns the exchanges of one account, or all, newest first.
    pub(super) fn newest_first(&self, key: Option<&str>) -> impl Iterator<Item = &Arc<Exchange>> {
        let of_account = key.map(|key| {
            let ring = self.rings.values().find(|ring| ring.is_of(Some(key)));
            let positions = ring
                .into_iter()
                .flat_map(|ring| ring.positions.iter().rev());
            positions.filter_map(|position| self.exchanges.get(position))
        });
        let all = key.is_none().then(|| {
            let is_alive = |stored: &&StoredExchange| {
                let ring = self.rings.get(&stored.account);
                ring.is_some_and(|ring| ring.is_of(None))
            };
            self.exchanges.values().rev().filter(is_alive)
        });
        let exchanges = of_account.into_iter().flatten();
        exchanges
            .chain(all.into_iter().flatten())
            .map(|stored| &stored.exchange)
    }

    /// Returns the exchange with that number of one account, or of no account if `account` is
    /// [`AccountId::UNOWNED`]. `None` if it is not stored, or the account has ended.
    pub(super) fn find(&self, account: AccountId, seq: u64) -> Option<&Arc<Exchange>> {
        let ring = self.rings.get(&account).filter(|ring| ring.is_of(None))?;
        let at = |position: &u64| self.exchanges.get(position);
        // Exchanges of an account are stored in the order of their numbers.
        let seq_at = |position: &u64| at(position).map_or(0, |it| it.exchange.seq());
        let index = ring.positions.binary_search_by_key(&seq, seq_at).ok()?;
        at(ring.positions.get(index)?).map(|stored| &stored.exchange)
    }

    /// Returns the exchange with that number of the account with that key.
    pub(super) fn find_by_key(&self, key: &str, seq: u64) -> Option<&Arc<Exchange>> {
        let mut rings = self.rings.iter();
        let (account, _) = rings.find(|(_, ring)| ring.is_of(Some(key)))?;
        self.find(*account, seq)
    }

    /// Returns the number of evicted exchanges of one account, or of all.
    pub(super) fn evicted(&self, key: Option<&str>) -> u64 {
        let rings = self.rings.values().filter(|ring| ring.is_of(key));
        rings.map(|ring| ring.evicted).sum()
    }

    /// Returns the number of stored exchanges.
    pub(super) fn count(&self) -> usize {
        self.exchanges.len()
    }

    pub(super) fn clear(&mut self, key: Option<&str>, bytes: &AtomicUsize) -> usize {
        self.remove_rings(bytes, |ring| ring.is_of(key))
    }

    pub(super) fn drop_ended_accounts(&mut self, bytes: &AtomicUsize) -> usize {
        self.remove_rings(bytes, |ring| !ring.is_of(None))
    }

    fn remove_rings(
        &mut self,
        bytes: &AtomicUsize,
        is_removed: impl Fn(&AccountRing) -> bool,
    ) -> usize {
        let before = self.exchanges.len();
        let removed: Vec<AccountRing> = self
            .rings
            .extract_if(|_, ring| is_removed(ring))
            .map(|(_, ring)| ring)
            .collect();
        for position in removed.into_iter().flat_map(|ring| ring.positions) {
            if let Some(stored) = self.exchanges.remove(&position) {
                stored.exchange.remove_size(bytes);
            }
        }
        before - self.exchanges.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestHead;
    use super::super::exchange::{Attribution, PackedHeaders};
    use super::*;
    use crate::model::time::Timestamp;

    fn exchange(seq: u64, path_bytes: usize) -> Arc<Exchange> {
        let path = "x".repeat(path_bytes);
        let input = RequestHead {
            method: "GET",
            path: &path,
            query: None,
            head: PackedHeaders::default(),
        };
        let exchange = Exchange::new("bizmori.getOrder", Some(input));
        exchange.set_attribution(|| Attribution {
            seq,
            account: None,
            at: Timestamp::from_ms(0),
        });
        Arc::new(exchange)
    }

    fn seqs(store: &ExchangeStore) -> Vec<u64> {
        store
            .newest_first(None)
            .map(|exchange| exchange.seq())
            .collect()
    }

    #[test]
    fn push_beyond_a_limit_evicts_the_oldest_and_counts_them() {
        let (mut store, bytes) = (ExchangeStore::default(), AtomicUsize::new(0));
        let limits = JournalLimits {
            requests: 3,
            bytes: 10_000,
        };
        let push = |store: &mut ExchangeStore, seq, path_bytes| {
            let removed = store.push(&exchange(seq, path_bytes), None, limits, &bytes);
            removed
                .iter()
                .map(|exchange| exchange.seq())
                .collect::<Vec<_>>()
        };
        for seq in 1..=5 {
            push(&mut store, seq, 10);
        }
        assert_eq!((seqs(&store), store.evicted(None)), (vec![5, 4, 3], 2));
        assert_eq!(push(&mut store, 6, 8_000), [3]);
        assert_eq!((seqs(&store), store.evicted(None)), (vec![6, 5, 4], 3));
        assert_eq!(push(&mut store, 7, 9_000), [4, 5, 6]);
        assert_eq!((seqs(&store), store.evicted(None)), (vec![7], 6));
        assert!(bytes.load(Ordering::Relaxed) <= limits.bytes);
        store.clear(None, &bytes);
        assert_eq!((seqs(&store), store.evicted(None)), (vec![], 0));
        assert_eq!(
            (
                bytes.load(Ordering::Relaxed),
                store.exchanges.len(),
                store.rings.len()
            ),
            (0, 0, 0)
        );
    }

    #[test]
    fn update_that_grows_a_stored_exchange_is_counted_and_evicts_the_oldest() {
        let (mut store, bytes) = (ExchangeStore::default(), AtomicUsize::new(0));
        let limits = JournalLimits {
            requests: 10,
            bytes: 4_000,
        };
        let (first, second) = (exchange(1, 10), exchange(2, 10));
        assert!(store.push(&first, None, limits, &bytes).is_empty());
        assert!(store.push(&second, None, limits, &bytes).is_empty());
        let before = bytes.load(Ordering::Relaxed);
        let grow = |it: &Exchange, by: usize| {
            let body = super::super::JournalBody::Text("x".repeat(by).into());
            it.update(&bytes, |state| state.request_body = body);
        };
        grow(&second, 1_000);
        assert_eq!(bytes.load(Ordering::Relaxed), before + 1_000);
        assert!(store.evict_excess(limits, &bytes).is_empty());
        grow(&second, 3_200);
        let removed = store.evict_excess(limits, &bytes);
        assert_eq!(
            removed
                .iter()
                .map(|exchange| exchange.seq())
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!((seqs(&store), store.evicted(None)), (vec![2], 1));
        let left = bytes.load(Ordering::Relaxed);
        grow(&first, 9_000);
        assert_eq!(
            bytes.load(Ordering::Relaxed),
            left,
            "an evicted exchange is not counted"
        );
        grow(&second, 9_000);
        assert_eq!(store.evict_excess(limits, &bytes).len(), 1);
        assert_eq!(bytes.load(Ordering::Relaxed), 0);
    }
}
