//! Orders at hand: what was written or read last, so that reading an order again costs neither
//! SQL nor parsing.
//!
//! It never shows what a committed write has replaced. A commit takes out what it is about to
//! replace before any reader of the rows can see it done, and puts in what it wrote afterwards;
//! meanwhile, and where a commit came between a reader's look and its find, finds are not kept.
//! Its size is bounded in bytes, by generations: what was not asked for while half of it filled
//! up is let go.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::ids::AccountId;
use crate::model::order::Order;

/// Half of what is kept, as JSON; in memory it is about twice that.
const GENERATION_BYTES: usize = 512 * 1024;

/// Orders at hand, by id.
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

/// An order and how long its JSON is.
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

    /// The order, or else how many commits there have been, to be told to [`OrderCache::insert_if_unchanged`].
    pub fn get(&self, id: &str) -> Result<Arc<Order>, u64> {
        let mut generations = self.generations();
        generations.get(id).ok_or(generations.commits)
    }

    /// A reader that looked after so many commits found this order.
    pub fn insert_if_unchanged(&self, store: CachedOrder, commits: u64) {
        let mut generations = self.generations();
        if generations.commits == commits && !generations.committing {
            generations.put(store);
        }
    }

    /// A commit begins that replaces or removes the orders of these ids, and ends these accounts'
    /// lives.
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

    /// The commit is over; it wrote these orders, none if it came to nothing.
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
    use crate::model::order::{ApiVersion, OrderState, Vendor};
    use crate::model::picture::Strength;
    use crate::model::report::Reports;
    use crate::model::time::Timestamp;
    use crate::model::work::Work;

    fn cached_order_of(id: &str, name: &str, bytes: usize) -> CachedOrder {
        let at = Timestamp::from_ms(0);
        let order = Order {
            id: id.to_owned(),
            account: AccountId(1),
            number: 1,
            vendor: Vendor::Bizmori,
            api: ApiVersion::V2,
            test: false,
            origin: String::new(),
            name: name.to_owned(),
            created_at: at,
            updated_at: at,
            retention_days: 7,
            work: Work::AntiAi {
                strength: Strength::Low,
            },
            files: Vec::new(),
            confirm_key: None,
            outcome_override: None,
            processing: None,
            charged: 0,
            request_digest: None,
            reports: Reports::default(),
            state: OrderState::Pending,
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
    fn a_reader_that_was_overtaken_by_a_commit_is_not_believed() {
        let cache = OrderCache::default();
        let new = cached_order_of("1", "new", 1);
        let length = cache.get("1").expect_err("nothing is there");
        cache.committing(["1"].into_iter(), &HashSet::new());
        cache.insert_if_unchanged(cached_order_of("1", "old", 1), length);
        assert_eq!(name(&cache, "1"), None, "it may be committed already");
        cache.committed([new].into_iter());
        cache.insert_if_unchanged(cached_order_of("1", "old", 1), length);
        assert_eq!(name(&cache, "1").as_deref(), Some("new"));
    }

    #[test]
    fn what_is_being_replaced_is_not_shown_while_the_commit_is_under_way() {
        let cache = OrderCache::default();
        cache.committed([cached_order_of("1", "old", 1)].into_iter());
        cache.committing(["1"].into_iter(), &HashSet::new());
        assert_eq!(name(&cache, "1"), None);
        cache.committed(std::iter::empty());
        assert_eq!(
            name(&cache, "1"),
            None,
            "a commit that came to nothing leaves it to the rows"
        );
    }

    #[test]
    fn what_is_not_asked_for_is_let_go_and_the_size_stays_bounded() {
        let cache = OrderCache::default();
        for n in 0..100 {
            cache.committed(
                [cached_order_of(&n.to_string(), "x", GENERATION_BYTES / 10)].into_iter(),
            );
            assert!(name(&cache, "0").is_some(), "what is asked for stays");
        }
        assert!(name(&cache, "1").is_none());
        let generations = cache.generations();
        assert!(generations.young.len() + generations.old.len() <= 22);
    }

    #[test]
    fn an_account_that_ends_takes_its_orders_along() {
        let cache = OrderCache::default();
        cache.committed([cached_order_of("1", "x", 1)].into_iter());
        cache.committing(std::iter::empty(), &HashSet::from([AccountId(1)]));
        cache.committed(std::iter::empty());
        assert_eq!(name(&cache, "1"), None);
    }
}
