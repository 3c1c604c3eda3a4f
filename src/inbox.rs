//! The inbox: a receiver of webhooks for those who have none.
//!
//! What is posted to a box is kept there, in memory and bounded, the oldest going first; what is
//! answered is as the box was told, one status after the other. A box that was not set up is made
//! by the first message that comes. What was on its way to a box when that was emptied or removed
//! does not come into the one that takes its place.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::time::Timestamp;

/// So many boxes there are at most,
pub const BOXES_MAX: usize = 1_000;
/// so many messages in one,
pub const MESSAGES_MAX: usize = 1_000;
/// so much of each,
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// so much in one box,
const BOX_BYTES_MAX: usize = 8 * 1024 * 1024;
/// and in all together.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// What is answered where the script says nothing any more.
const ANSWER: u16 = 200;

/// How a box is set up.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What is answered, one after the other; then 200.
    pub respond: Vec<u16>,
    /// Real milliseconds before that.
    pub delay_ms: u32,
    /// What signatures are checked with.
    pub secret: Option<String>,
    /// The key of the account it goes with, whose clock tells when a message came.
    pub account: Option<String>,
}

/// Something that was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub at: Timestamp,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// None: there was nothing to check it with.
    pub signature_valid: Option<bool>,
}

/// A box as it stood when a message began to come.
#[derive(Debug)]
pub struct Opened {
    pub script: Arc<Script>,
    /// None: there was no such box.
    number: Option<u64>,
    emptied: u64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is kept, and answered with that status.
    Kept(u16),
    /// The box was removed or made anew meanwhile.
    Gone,
    /// There are too many boxes.
    Full,
}

/// What is in a box, and how many messages were let go.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    pub messages: Vec<Arc<Message>>,
    pub evicted: u64,
}

/// All boxes.
#[derive(Debug, Default)]
pub struct Inbox {
    boxes: Mutex<Boxes>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Boxes {
    by_name: HashMap<String, Kept>,
    bytes: usize,
    /// Boxes ever made, and messages ever kept.
    numbers: u64,
    /// How often all were removed.
    emptied: u64,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    script: Arc<Script>,
    answered: usize,
    /// With their numbers.
    messages: VecDeque<(u64, Arc<Message>)>,
    bytes: usize,
    evicted: u64,
}

impl Message {
    fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.body.len() + headers
    }
}

impl Boxes {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Makes a box, in place of what there is of that name. False: there are too many.
    fn make(&mut self, name: &str, script: Arc<Script>) -> bool {
        if self.by_name.len() >= BOXES_MAX && !self.by_name.contains_key(name) {
            return false;
        }
        let kept = Kept {
            number: self.number(),
            script,
            answered: 0,
            messages: VecDeque::new(),
            bytes: 0,
            evicted: 0,
        };
        let before = self.by_name.insert(name.to_owned(), kept);
        self.bytes -= before.map_or(0, |kept| kept.bytes);
        true
    }

    fn remove(&mut self, goes: impl Fn(&str, &Kept) -> bool) {
        let gone = self.by_name.extract_if(|name, kept| goes(name, kept));
        let bytes: usize = gone.map(|(_, kept)| kept.bytes).sum();
        self.bytes -= bytes;
    }

    /// Lets the oldest message go: of that box, or of all.
    fn evict(&mut self, name: Option<&str>) {
        let first = |kept: &&mut Kept| kept.messages.front().map_or(u64::MAX, |(first, _)| *first);
        let kept = match name {
            Some(name) => self.by_name.get_mut(name),
            None => self.by_name.values_mut().min_by_key(first),
        };
        if let Some(kept) = kept
            && let Some((_, oldest)) = kept.messages.pop_front()
        {
            let bytes = oldest.bytes();
            kept.bytes -= bytes;
            kept.evicted += 1;
            self.bytes -= bytes;
        }
    }

    fn is_over_full(&self, name: &str) -> bool {
        self.by_name
            .get(name)
            .is_some_and(|kept| kept.messages.len() > MESSAGES_MAX || kept.bytes > BOX_BYTES_MAX)
    }
}

impl Inbox {
    fn boxes(&self) -> MutexGuard<'_, Boxes> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a box anew, empty. False: there are too many.
    pub fn set(&self, name: &str, script: Script) -> bool {
        self.boxes().make(name, Arc::new(script))
    }

    /// The box that a message begins to come to; one that was not set up is as by default.
    #[must_use]
    pub fn open(&self, name: &str) -> Opened {
        let boxes = self.boxes();
        let kept = boxes.by_name.get(name);
        Opened {
            script: kept.map_or_else(Arc::default, |kept| Arc::clone(&kept.script)),
            number: kept.map(|kept| kept.number),
            emptied: boxes.emptied,
        }
    }

    /// Keeps a message that has come to a box, making that where it was not set up.
    pub fn receive(&self, name: &str, opened: &Opened, message: Message) -> Received {
        let mut boxes = self.boxes();
        let there = boxes.by_name.get(name).map(|kept| kept.number);
        let is_same = opened.number.is_none() || there == opened.number;
        if !is_same || boxes.emptied != opened.emptied {
            return Received::Gone;
        }
        if there.is_none() && !boxes.make(name, Arc::default()) {
            return Received::Full;
        }
        let (number, bytes) = (boxes.number(), message.bytes());
        boxes.bytes += bytes;
        let mut status = None;
        if let Some(kept) = boxes.by_name.get_mut(name) {
            status = kept.script.respond.get(kept.answered).copied();
            kept.answered += 1;
            kept.bytes += bytes;
            kept.messages.push_back((number, Arc::new(message)));
        }
        while boxes.is_over_full(name) {
            boxes.evict(Some(name));
        }
        while boxes.bytes > BYTES_MAX {
            boxes.evict(None);
        }
        drop(boxes);
        self.came.notify_waiters();
        Received::Kept(status.unwrap_or(ANSWER))
    }

    fn count(&self, name: &str) -> usize {
        let boxes = self.boxes();
        let kept = boxes.by_name.get(name);
        kept.map_or(0, |kept| kept.messages.len())
    }

    fn look(&self, name: &str) -> Messages {
        let boxes = self.boxes();
        let messages = |kept: &Kept| kept.messages.iter().map(|(_, it)| Arc::clone(it)).collect();
        let kept = boxes.by_name.get(name);
        kept.map_or_else(Messages::default, |kept| Messages {
            messages: messages(kept),
            evicted: kept.evicted,
        })
    }

    /// What is in a box, once it is `min` messages or so much real time is over.
    pub async fn messages(&self, name: &str, min: usize, wait: Duration) -> Messages {
        let over = tokio::time::Instant::now() + wait;
        loop {
            let came = self.came.notified();
            tokio::pin!(came);
            came.as_mut().enable();
            let is_enough = self.count(name) >= min;
            if is_enough || tokio::time::timeout_at(over, came).await.is_err() {
                return self.look(name);
            }
        }
    }

    /// Removes a box with all that is in it.
    pub fn remove(&self, name: &str) {
        self.boxes().remove(|it, _| it == name);
    }

    /// Removes the boxes that go with that account, or all.
    pub fn clear(&self, account: Option<&str>) {
        let mut boxes = self.boxes();
        boxes.emptied += u64::from(account.is_none());
        boxes.remove(|_, kept| account.is_none() || kept.script.account.as_deref() == account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: String) -> Message {
        Message {
            at: Timestamp::from_ms(0),
            headers: BTreeMap::new(),
            body,
            signature_valid: None,
        }
    }

    fn post(inbox: &Inbox, name: &str, body: String) -> Received {
        inbox.receive(name, &inbox.open(name), message(body))
    }

    fn bodies(inbox: &Inbox, name: &str) -> (Vec<String>, u64) {
        let found = inbox.look(name);
        let bodies = found.messages.iter().map(|it| it.body.clone()).collect();
        (bodies, found.evicted)
    }

    #[test]
    fn the_oldest_of_a_box_go_first_by_count_and_by_bytes() {
        let inbox = Inbox::default();
        post(&inbox, "other", "kept".to_owned());
        for n in 0..=MESSAGES_MAX {
            assert_eq!(post(&inbox, "a", n.to_string()), Received::Kept(200));
        }
        let found = inbox.look("a");
        assert_eq!((found.messages.len(), found.evicted), (MESSAGES_MAX, 1));
        assert_eq!(found.messages[0].body, "1");
        for _ in 0..2 {
            post(&inbox, "a", "x".repeat(BOX_BYTES_MAX - 1));
        }
        let found = inbox.look("a");
        assert_eq!((found.messages.len(), found.evicted), (1, 1_002));
        let other = (vec!["kept".to_owned()], 0);
        assert_eq!(bodies(&inbox, "other"), other);
    }

    #[test]
    fn the_oldest_of_all_go_first_where_all_are_too_much() {
        let inbox = Inbox::default();
        let many = BYTES_MAX / BOX_BYTES_MAX;
        for n in 0..many {
            post(&inbox, &n.to_string(), "x".repeat(BOX_BYTES_MAX));
        }
        assert_eq!(inbox.look("0").messages.len(), 1, "they fit");
        post(&inbox, "more", "y".to_owned());
        assert_eq!(bodies(&inbox, "0"), (vec![], 1));
        assert_eq!(inbox.look("1").messages.len(), 1);
        assert_eq!(bodies(&inbox, "more"), (vec!["y".to_owned()], 0));
        inbox.clear(None);
        assert_eq!(inbox.boxes().bytes, 0);
    }

    #[test]
    fn there_is_room_for_so_many_boxes_and_no_more() {
        let inbox = Inbox::default();
        for n in 0..BOXES_MAX {
            assert!(inbox.set(&n.to_string(), Script::default()));
        }
        assert!(!inbox.set("more", Script::default()));
        assert_eq!(post(&inbox, "more", String::new()), Received::Full);
        assert!(inbox.set("7", Script::default()));
        inbox.remove("7");
        assert!(inbox.set("more", Script::default()));
    }

    #[test]
    fn what_was_on_its_way_does_not_come_to_the_box_that_follows() {
        let inbox = Inbox::default();
        let mine = || Script {
            account: Some("mine".to_owned()),
            ..Script::default()
        };
        let after = |ends: &dyn Fn()| {
            assert!(inbox.set("a", mine()));
            let opened = inbox.open("a");
            ends();
            inbox.receive("a", &opened, message(String::new()))
        };
        let kept = Received::Kept(200);
        assert_eq!(after(&|| {}), kept);
        assert_eq!(after(&|| inbox.clear(Some("other"))), kept);
        assert_eq!(after(&|| inbox.clear(Some("mine"))), Received::Gone);
        assert_eq!(after(&|| inbox.clear(None)), Received::Gone);
        assert_eq!(after(&|| inbox.remove("a")), Received::Gone);
        let set_anew = || assert!(inbox.set("a", mine()));
        assert_eq!(after(&set_anew), Received::Gone);
        let opened = inbox.open("new");
        inbox.clear(None);
        let came = inbox.receive("new", &opened, message(String::new()));
        assert_eq!(came, Received::Gone, "nor make one");
        let opened = inbox.open("new");
        assert_eq!(post(&inbox, "new", "first".to_owned()), kept);
        let came = inbox.receive("new", &opened, message("second".to_owned()));
        assert_eq!(came, kept, "another has made it meanwhile");
    }
}
