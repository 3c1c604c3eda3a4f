//! What is kept: bounded by count for each account, and by bytes for all together.
//!
//! Each exchange has a place in the order in which they were written down; an account has the
//! places of its own. So whatever is the oldest, of one or of all, is found at once. Bytes are
//! counted beside: an exchange that grows is counted at once, and makes others go as soon as it has
//! grown (see `Kept::evict_excess`).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Exchange, JournalLimits};
use crate::model::ids::AccountId;
use crate::services::accounts::Account;

/// Exchanges, in the order in which they were written down.
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

/// One account's.
#[derive(Debug, Default)]
struct AccountRing {
    /// None: nobody's.
    account: Option<Arc<Account>>,
    positions: VecDeque<u64>,
    evicted: u64,
}

impl AccountRing {
    fn is_of(&self, key: Option<&str>) -> bool {
        let account = self.account.as_ref();
        let is_gone = account.is_some_and(|account| account.cancellation().is_cancelled());
        !is_gone && key.is_none_or(|key| account.is_some_and(|account| account.key == key))
    }
}

impl ExchangeStore {
    /// Keeps one more, and answers those that have to go for it: they are let go of where no lock
    /// is held.
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
        let life = account.map_or(AccountId::UNOWNED, |account| account.id);
        let place = self.positions;
        self.positions += 1;
        exchange.add_size(bytes);
        let placed = StoredExchange {
            exchange: Arc::clone(exchange),
            account: life,
        };
        self.exchanges.insert(place, placed);
        let ring = self.rings.entry(life).or_insert_with(|| AccountRing {
            account: account.cloned(),
            ..AccountRing::default()
        });
        ring.positions.push_back(place);
        let too_many = (ring.positions.len() > limits.requests)
            .then(|| ring.positions.front().copied())
            .flatten();
        removed.extend(too_many.and_then(|oldest| self.evict(oldest, bytes)));
        removed.extend(self.evict_excess(limits, bytes));
        removed
    }

    /// Evicts the oldest exchanges, of whatever account, until `bytes` is within the limit. The
    /// caller drops them where no lock is held.
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

    /// Takes one out that is the oldest of its account.
    fn evict(&mut self, place: u64, bytes: &AtomicUsize) -> Option<Arc<Exchange>> {
        let placed = self.exchanges.remove(&place)?;
        placed.exchange.remove_size(bytes);
        if let Some(ring) = self.rings.get_mut(&placed.account) {
            ring.positions.pop_front();
            ring.evicted += 1;
        }
        Some(placed.exchange)
    }

    /// Those of that account, or all, the newest first.
    pub(super) fn newest_first(&self, key: Option<&str>) -> impl Iterator<Item = &Arc<Exchange>> {
        let own = key.map(|key| {
            let ring = self.rings.values().find(|ring| ring.is_of(Some(key)));
            let places = ring
                .into_iter()
                .flat_map(|ring| ring.positions.iter().rev());
            places.filter_map(|place| self.exchanges.get(place))
        });
        let all = key.is_none().then(|| {
            let lives = |placed: &&StoredExchange| {
                let ring = self.rings.get(&placed.account);
                ring.is_some_and(|ring| ring.is_of(None))
            };
            self.exchanges.values().rev().filter(lives)
        });
        let own = own.into_iter().flatten();
        let all = all.into_iter().flatten();
        own.chain(all).map(|placed| &placed.exchange)
    }

    /// How many were let go of that account, or of all.
    pub(super) fn evicted(&self, key: Option<&str>) -> u64 {
        let rings = self.rings.values().filter(|ring| ring.is_of(key));
        rings.map(|ring| ring.evicted).sum()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.exchanges.len()
    }

    pub(super) fn clear(&mut self, key: Option<&str>, bytes: &AtomicUsize) -> usize {
        self.remove_rings(bytes, |ring| ring.is_of(key))
    }

    pub(super) fn drop_ended_accounts(&mut self, bytes: &AtomicUsize) -> usize {
        self.remove_rings(bytes, |ring| !ring.is_of(None))
    }

    fn remove_rings(&mut self, bytes: &AtomicUsize, which: impl Fn(&AccountRing) -> bool) -> usize {
        let before = self.exchanges.len();
        let removed: Vec<AccountRing> = self
            .rings
            .extract_if(|_, ring| which(ring))
            .map(|(_, ring)| ring)
            .collect();
        for place in removed.into_iter().flat_map(|ring| ring.positions) {
            if let Some(placed) = self.exchanges.remove(&place) {
                placed.exchange.remove_size(bytes);
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
            revision: None,
            at: Timestamp::from_ms(0),
        });
        Arc::new(exchange)
    }

    fn seqs(store: &ExchangeStore) -> Vec<u64> {
        store.newest_first(None).map(|it| it.seq()).collect()
    }

    #[test]
    fn the_oldest_go_first_by_count_and_by_bytes_and_are_counted() {
        let (mut store, bytes) = (ExchangeStore::default(), AtomicUsize::new(0));
        let limits = JournalLimits {
            requests: 3,
            bytes: 10_000,
        };
        let push = |store: &mut ExchangeStore, seq, path_bytes| {
            let removed = store.push(&exchange(seq, path_bytes), None, limits, &bytes);
            removed.iter().map(|it| it.seq()).collect::<Vec<_>>()
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
    fn grow_while_held_is_counted_at_once_and_evicts_the_oldest() {
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
        assert_eq!(removed.iter().map(|it| it.seq()).collect::<Vec<_>>(), [1]);
        assert_eq!((seqs(&store), store.evicted(None)), (vec![2], 1));
        let left = bytes.load(Ordering::Relaxed);
        grow(&first, 9_000);
        assert_eq!(bytes.load(Ordering::Relaxed), left, "it was evicted");
        grow(&second, 9_000);
        assert_eq!(store.evict_excess(limits, &bytes).len(), 1);
        assert_eq!(bytes.load(Ordering::Relaxed), 0);
    }
}
