//! The hosts that URLs were made for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many hosts are remembered.
pub const HOSTS_MAX: u32 = 128;

/// The hosts for which URLs were presigned, most recent first, 128 at most: a URL made for one
/// of them holds whatever `Host` it arrives with.
#[derive(Debug, Default)]
pub struct KnownHosts(Mutex<VecDeque<Arc<str>>>);

impl KnownHosts {
    /// Remembers `host`, as [`host_of`](super::host_of) spells it, as the most recent. True if
    /// it was not known: the set has changed and may be worth keeping.
    pub fn remember(&self, host: &str) -> bool {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match hosts.iter().position(|known| &**known == host) {
            Some(0) => false,
            Some(place) => {
                if let Some(known) = hosts.remove(place) {
                    hosts.push_front(known);
                }
                false
            }
            None => {
                hosts.push_front(host.into());
                hosts.truncate(HOSTS_MAX as usize);
                true
            }
        }
    }

    /// Remembers what was kept of an earlier run, most recent first.
    pub fn load<'a>(&self, stored: impl DoubleEndedIterator<Item = &'a str>) {
        for host in stored.rev() {
            self.remember(host);
        }
    }

    /// The hosts, most recent first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<str>> {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_recent_hosts_are_kept_in_order() {
        let hosts = KnownHosts::default();
        hosts.load(["b:1", "a:1"].into_iter());
        assert!(!hosts.remember("a:1"));
        assert_eq!(hosts.list(), ["a:1".into(), "b:1".into()]);
        for n in 0..HOSTS_MAX {
            assert!(hosts.remember(&format!("h{n}")));
        }
        assert_eq!(hosts.list().len(), HOSTS_MAX as usize);
        assert!(hosts.remember("a:1"));
    }
}
