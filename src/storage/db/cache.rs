//! Cache of the orders written or read last, so that a second read costs neither SQL nor parsing.
//!
//! The cache never returns a replaced order. A commit first removes the orders that it replaces, and
//! inserts them after it is done. A reader's order is not inserted if a commit began or ended during
//! the read.
//!
//! The size is bounded in bytes, by two generations. Orders that were not read while a generation
//! filled up are dropped.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::ids::AccountId;
use crate::model::order::Order;

/// Size of one generation, in bytes of JSON. In memory an order takes about twice that.
const GENERATION_BYTES: usize = 512 * 1024;

/// Cached orders, by id.
#[derive(Debug, Default)]
pub(super) struct OrderCache(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<String, CachedOrder>,
    old: HashMap<String, CachedOrder>,
    young_bytes: usize,
    commits: u64,
    committing: bool,
}

/// Order, and the length of its JSON.
#[derive(Debug, Clone)]
pub(super) struct CachedOrder {
    pub order: Arc<Order>,
    pub bytes: usize,
}

impl Generations {
    fn put(&mut self, store: CachedOrder) {
        let id = store.order.id.clone();
        self.old.remove(&id);
        self.young_bytes += store.bytes;
        if let Some(replaced) = self.young.insert(id, store) {
            self.young_bytes -= replaced.bytes;
        }
        if self.young_bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }

    fn remove(&mut self, id: &str) {
        self.old.remove(id);
        if let Some(removed) = self.young.remove(id) {
            self.young_bytes -= removed.bytes;
        }
    }

    fn get(&mut self, id: &str) -> Option<Arc<Order>> {
        if let Some(store) = self.young.get(id) {
            return Some(Arc::clone(&store.order));
        }
        let store = self.old.remove(id)?;
        let order = Arc::clone(&store.order);
        self.put(store);
        Some(order)
    }
}

impl OrderCache {
    fn generations(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the order, or else the number of commits so far, for
    /// [`OrderCache::insert_if_unchanged`].
    pub fn get(&self, id: &str) -> Result<Arc<Order>, u64> {
        let mut generations = self.generations();
        generations.get(id).ok_or(generations.commits)
    }

    /// Inserts an order that a reader found. Does nothing if a commit began or ended since `commits`
    /// was returned.
    pub fn insert_if_unchanged(&self, store: CachedOrder, commits: u64) {
        let mut generations = self.generations();
        if generations.commits == commits && !generations.committing {
            generations.put(store);
        }
    }

    /// Begins a commit that replaces or removes the orders with `ids`, and ends the accounts in
    /// `ended`.
    pub fn committing<'k>(&self, ids: impl Iterator<Item = &'k str>, ended: &HashSet<AccountId>) {
        let mut generations = self.generations();
        generations.committing = true;
        for id in ids {
            generations.remove(id);
        }
        if !ended.is_empty() {
            let lives = |_: &String, store: &mut CachedOrder| !ended.contains(&store.order.account);
            generations.old.retain(lives);
            generations.young.retain(lives);
            generations.young_bytes = generations.young.values().map(|store| store.bytes).sum();
        }
    }

    /// Ends a commit that wrote the orders `written`. A failed commit wrote no orders.
    pub fn committed(&self, written: impl Iterator<Item = CachedOrder>) {
        let mut generations = self.generations();
        generations.committing = false;
        generations.commits += 1;
        for store in written {
            generations.put(store);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached_order_of(id: &str, name: &str, bytes: usize) -> CachedOrder {
        let order = Order {
            id: id.to_owned(),
            name: name.to_owned(),
            ..Order::sample()
        };
        CachedOrder {
            order: Arc::new(order),
            bytes,
        }
    }

    fn name(cache: &OrderCache, id: &str) -> Option<String> {
        cache.get(id).ok().map(|order| order.name.clone())
    }

    #[test]
    fn insert_after_a_commit_began_is_ignored() {
        let cache = OrderCache::default();
        let new = cached_order_of("1", "new", 1);
        let length = cache.get("1").expect_err("no cached order");
        cache.committing(["1"].into_iter(), &HashSet::new());
        cache.insert_if_unchanged(cached_order_of("1", "old", 1), length);
        assert_eq!(
            name(&cache, "1"),
            None,
            "the new order may be committed already"
        );
        cache.committed([new].into_iter());
        cache.insert_if_unchanged(cached_order_of("1", "old", 1), length);
        assert_eq!(name(&cache, "1").as_deref(), Some("new"));
    }

    #[test]
    fn get_during_a_commit_misses_the_orders_it_replaces() {
        let cache = OrderCache::default();
        cache.committed([cached_order_of("1", "old", 1)].into_iter());
        cache.committing(["1"].into_iter(), &HashSet::new());
        assert_eq!(name(&cache, "1"), None);
        cache.committed(std::iter::empty());
        assert_eq!(
            name(&cache, "1"),
            None,
            "a failed commit does not restore the old order"
        );
    }

    #[test]
    fn unread_orders_are_dropped_and_the_size_stays_bounded() {
        let cache = OrderCache::default();
        for n in 0..100 {
            cache.committed(
                [cached_order_of(&n.to_string(), "x", GENERATION_BYTES / 10)].into_iter(),
            );
            assert!(
                name(&cache, "0").is_some(),
                "an order that is read stays in the cache"
            );
        }
        assert!(name(&cache, "1").is_none());
        let generations = cache.generations();
        assert!(generations.young.len() + generations.old.len() <= 22);
    }

    #[test]
    fn commit_that_ends_an_account_removes_its_orders() {
        let cache = OrderCache::default();
        cache.committed([cached_order_of("1", "x", 1)].into_iter());
        cache.committing(std::iter::empty(), &HashSet::from([AccountId(1)]));
        cache.committed(std::iter::empty());
        assert_eq!(name(&cache, "1"), None);
    }
}
