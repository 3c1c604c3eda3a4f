//! What is kept: bounded by count for each account, and by bytes for all together.
//!
//! Each exchange has a place in the order in which they were written down; an account has the
//! places of its own. So whatever is the oldest, of one or of all, is found at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::{Exchange, Limits};
use crate::accounts::Account;
use crate::model::ids::AccountId;

/// Exchanges, in the order in which they were written down.
#[derive(Debug, Default)]
pub(super) struct Kept {
    exchanges: BTreeMap<u64, Placed>,
    rings: HashMap<AccountId, Ring>,
    bytes: usize,
    places: u64,
}

#[derive(Debug)]
struct Placed {
    exchange: Arc<Exchange>,
    life: AccountId,
    bytes: usize,
}

/// One account's.
#[derive(Debug, Default)]
struct Ring {
    /// None: nobody's.
    account: Option<Arc<Account>>,
    places: VecDeque<u64>,
    evicted: u64,
}

impl Ring {
    fn is_of(&self, key: Option<&str>) -> bool {
        let account = self.account.as_ref();
        let is_gone = account.is_some_and(|account| account.ended().is_cancelled());
        !is_gone && key.is_none_or(|key| account.is_some_and(|account| account.key == key))
    }
}

impl Kept {
    pub(super) fn push(
        &mut self,
        exchange: &Arc<Exchange>,
        account: Option<&Arc<Account>>,
        limits: Limits,
    ) {
        if account.is_some_and(|account| account.ended().is_cancelled()) {
            return;
        }
        let life = account.map_or(AccountId::NOBODY, |account| account.id);
        let place = self.places;
        self.places += 1;
        let bytes = exchange.bytes();
        self.bytes += bytes;
        let placed = Placed {
            exchange: Arc::clone(exchange),
            life,
            bytes,
        };
        self.exchanges.insert(place, placed);
        exchange.put_at(place);
        let ring = self.rings.entry(life).or_insert_with(|| Ring {
            account: account.cloned(),
            ..Ring::default()
        });
        ring.places.push_back(place);
        let too_many = (ring.places.len() > limits.requests)
            .then(|| ring.places.front().copied())
            .flatten();
        if let Some(oldest) = too_many {
            self.evict(oldest);
        }
        self.evict_to(limits.bytes);
    }

    /// An exchange has become larger than it was.
    pub(super) fn weigh(&mut self, exchange: &Exchange, limits: Limits) {
        let placed = exchange
            .place()
            .and_then(|place| self.exchanges.get_mut(&place));
        let Some(placed) = placed else {
            return;
        };
        let bytes = exchange.bytes();
        self.bytes = self.bytes - placed.bytes + bytes;
        placed.bytes = bytes;
        self.evict_to(limits.bytes);
    }

    fn evict_to(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max
            && let Some((oldest, _)) = self.exchanges.first_key_value()
        {
            self.evict(*oldest);
        }
    }

    /// Lets one go that is the oldest of its account.
    fn evict(&mut self, place: u64) {
        let Some(placed) = self.exchanges.remove(&place) else {
            return;
        };
        self.bytes -= placed.bytes;
        if let Some(ring) = self.rings.get_mut(&placed.life) {
            ring.places.pop_front();
            ring.evicted += 1;
        }
    }

    /// Those of that account, or all, the newest first.
    pub(super) fn newest_first(&self, key: Option<&str>) -> impl Iterator<Item = &Arc<Exchange>> {
        let own = key.map(|key| {
            let ring = self.rings.values().find(|ring| ring.is_of(Some(key)));
            let places = ring.into_iter().flat_map(|ring| ring.places.iter().rev());
            places.filter_map(|place| self.exchanges.get(place))
        });
        let all = key.is_none().then(|| {
            let lives = |placed: &&Placed| {
                let ring = self.rings.get(&placed.life);
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

    /// How many there are, and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.exchanges.len(), self.bytes)
    }

    pub(super) fn clear(&mut self, key: Option<&str>) {
        self.drop_those(|ring| ring.is_of(key));
    }

    pub(super) fn sweep(&mut self) {
        self.drop_those(|ring| !ring.is_of(None));
    }

    fn drop_those(&mut self, which: impl Fn(&Ring) -> bool) {
        let gone: Vec<Ring> = self
            .rings
            .extract_if(|_, ring| which(ring))
            .map(|(_, ring)| ring)
            .collect();
        for place in gone.into_iter().flat_map(|ring| ring.places) {
            let placed = self.exchanges.remove(&place);
            self.bytes -= placed.map_or(0, |placed| placed.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Asked;
    use super::super::exchange::{Head, Owner};
    use super::*;
    use crate::model::time::Timestamp;

    fn exchange(seq: u64, path_bytes: usize) -> Arc<Exchange> {
        let path = "x".repeat(path_bytes);
        let asked = Asked {
            method: "GET",
            path: &path,
            query: None,
            head: Head::default(),
        };
        let exchange = Exchange::new("bizmori.getOrder", Some(asked));
        exchange.own(|| Owner {
            seq,
            key: None,
            at: Timestamp::from_ms(0),
        });
        Arc::new(exchange)
    }

    fn seqs(kept: &Kept) -> Vec<u64> {
        kept.newest_first(None).map(|it| it.seq()).collect()
    }

    #[test]
    fn the_oldest_go_first_by_count_and_by_bytes_and_are_counted() {
        let mut kept = Kept::default();
        let limits = Limits {
            requests: 3,
            bytes: 10_000,
        };
        for seq in 1..=5 {
            kept.push(&exchange(seq, 10), None, limits);
        }
        assert_eq!((seqs(&kept), kept.evicted(None)), (vec![5, 4, 3], 2));
        kept.push(&exchange(6, 8_000), None, limits);
        assert_eq!((seqs(&kept), kept.evicted(None)), (vec![6, 5, 4], 3));
        kept.push(&exchange(7, 9_000), None, limits);
        assert_eq!((seqs(&kept), kept.evicted(None)), (vec![7], 6));
        assert!(kept.bytes <= limits.bytes);
        kept.clear(None);
        assert_eq!((seqs(&kept), kept.evicted(None)), (vec![], 0));
        assert_eq!(
            (kept.bytes, kept.exchanges.len(), kept.rings.len()),
            (0, 0, 0)
        );
    }
}
