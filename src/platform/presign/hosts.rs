//! Hosts in URLs that the server has created.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Number of remembered hosts.
pub const HOSTS_MAX: u32 = 128;

/// The last [`HOSTS_MAX`] hosts for which URLs were presigned, most recent first. A URL for one of these
/// hosts is accepted with any `Host` header.
#[derive(Debug, Default)]
pub struct KnownHosts(Mutex<VecDeque<Arc<str>>>);

impl KnownHosts {
    /// Remembers `host`, in the form of [`host_of`](super::host_of), as the most recent. Returns `true`
    /// if the host is new, so that the set has to be stored.
    pub fn remember(&self, host: &str) -> bool {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match hosts.iter().position(|known| &**known == host) {
            Some(0) => false,
            Some(index) => {
                if let Some(known) = hosts.remove(index) {
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

    /// Loads the stored hosts of an earlier process, most recent first.
    pub fn load<'a>(&self, stored: impl DoubleEndedIterator<Item = &'a str>) {
        for host in stored.rev() {
            self.remember(host);
        }
    }

    /// Returns the hosts, most recent first.
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
    fn remember_keeps_the_most_recent_hosts_in_order() {
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
