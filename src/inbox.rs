//! The inbox: a receiver of webhooks for those who have none.
//!
//! What is posted to a box is kept there, in memory and bounded, the oldest going first; what is
//! answered is as the box was told, one status after the other. A box that was not set up is made
//! by the first message that comes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::time::Timestamp;

const BOXES_MAX: usize = 1_000;
const MESSAGES_MAX: usize = 1_000;
/// Of a box.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// What is answered where the script says nothing any more.
const ANSWER: u16 = 200;

/// How a box is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// All boxes.
#[derive(Debug, Default)]
pub struct Inbox {
    boxes: Mutex<HashMap<String, Kept>>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    script: Script,
    answered: usize,
    messages: VecDeque<Message>,
    bytes: usize,
    evicted: u64,
}

/// What is in a box, and how many were let go.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    pub messages: Vec<Message>,
    pub evicted: u64,
}

impl Message {
    fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.body.len() + headers
    }
}

impl Inbox {
    fn boxes(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a box anew, empty. False: there are too many.
    pub fn set(&self, name: &str, script: Script) -> bool {
        let mut boxes = self.boxes();
        let has_room = boxes.len() < BOXES_MAX || boxes.contains_key(name);
        if has_room {
            let kept = Kept {
                script,
                ..Kept::default()
            };
            boxes.insert(name.to_owned(), kept);
        }
        has_room
    }

    /// How a box is set up; by default as one that was not.
    #[must_use]
    pub fn script(&self, name: &str) -> Script {
        let boxes = self.boxes();
        boxes
            .get(name)
            .map_or_else(Script::default, |kept| kept.script.clone())
    }

    /// Keeps a message: the status it is answered with; none: there are too many boxes.
    pub fn receive(&self, name: &str, message: Message) -> Option<u16> {
        let mut boxes = self.boxes();
        if boxes.len() >= BOXES_MAX && !boxes.contains_key(name) {
            return None;
        }
        let kept = boxes.entry(name.to_owned()).or_default();
        let status = kept.script.respond.get(kept.answered).copied();
        kept.answered += 1;
        kept.bytes += message.bytes();
        kept.messages.push_back(message);
        while (kept.messages.len() > MESSAGES_MAX || kept.bytes > BYTES_MAX)
            && let Some(oldest) = kept.messages.pop_front()
        {
            kept.bytes -= oldest.bytes();
            kept.evicted += 1;
        }
        drop(boxes);
        self.came.notify_waiters();
        Some(status.unwrap_or(ANSWER))
    }

    fn look(&self, name: &str) -> Messages {
        let boxes = self.boxes();
        boxes
            .get(name)
            .map_or_else(Messages::default, |kept| Messages {
                messages: kept.messages.iter().cloned().collect(),
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
            let found = self.look(name);
            let is_enough = found.messages.len() >= min;
            if is_enough || tokio::time::timeout_at(over, came).await.is_err() {
                return found;
            }
        }
    }

    /// Removes a box with all that is in it.
    pub fn remove(&self, name: &str) {
        self.boxes().remove(name);
    }

    /// Removes the boxes that go with that account, or all.
    pub fn clear(&self, account: Option<&str>) {
        let goes = |kept: &Kept| account.is_none() || kept.script.account.as_deref() == account;
        self.boxes().retain(|_, kept| !goes(kept));
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

    #[test]
    fn the_oldest_go_first_by_count_and_by_bytes() {
        let inbox = Inbox::default();
        for n in 0..=MESSAGES_MAX {
            assert_eq!(inbox.receive("a", message(n.to_string())), Some(200));
        }
        let found = inbox.look("a");
        assert_eq!((found.messages.len(), found.evicted), (MESSAGES_MAX, 1));
        assert_eq!(found.messages[0].body, "1");
        for _ in 0..2 {
            inbox.receive("a", message("x".repeat(BYTES_MAX - 1)));
        }
        let found = inbox.look("a");
        assert_eq!((found.messages.len(), found.evicted), (1, 1_002));
    }

    #[test]
    fn there_is_room_for_so_many_boxes_and_no_more() {
        let inbox = Inbox::default();
        for n in 0..BOXES_MAX {
            assert!(inbox.set(&n.to_string(), Script::default()));
        }
        assert!(!inbox.set("more", Script::default()));
        assert_eq!(inbox.receive("more", message(String::new())), None);
        assert!(inbox.set("7", Script::default()));
        inbox.remove("7");
        assert!(inbox.set("more", Script::default()));
    }
}
