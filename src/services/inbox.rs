//! The inbox: a receiver of webhooks for those who have none.
//!
//! A mailbox has a name and belongs to an account: two accounts that use one name never meet. What
//! is posted to a mailbox is kept there, in memory and bounded, the oldest going first; it is
//! answered as its script says, one status after the other. A mailbox that was not set up is made by
//! the first message. Of more than [`MAILBOXES_MAX`] mailboxes the one longest unused goes.
//!
//! A message on its way to a mailbox that is removed, or set up anew, does not reach the mailbox
//! that takes its place.

mod mailboxes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::clip::clip;
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use mailboxes::{MailboxKey, Mailboxes};

/// Mailboxes, of all accounts together.
pub const MAILBOXES_MAX: usize = 1_000;
/// Messages in one mailbox.
pub const MESSAGES_MAX: usize = 1_000;
/// Bytes of a message's body.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Characters logged of an account's key.
const KEY_CHARS_LOGGED: usize = 100;
/// Status that is answered once the script has come to its end.
const DEFAULT_STATUS: u16 = 200;

/// Settings of a mailbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InboxConfig {
    /// Statuses that are answered one after the other; then 200.
    pub statuses: Vec<u16>,
    /// Real milliseconds before a message is answered.
    pub delay_ms: u32,
    /// Secret that signatures are checked with. `None` for the secrets of the account's webhooks.
    pub secret: Option<String>,
}

/// A message that was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxMessage {
    pub at: Timestamp,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `None` if there was no secret to check it with.
    pub signature_valid: Option<bool>,
}

/// A mailbox as it stood when a message began to arrive.
#[derive(Debug)]
pub struct DeliveryTicket {
    pub config: Arc<InboxConfig>,
    key: MailboxKey,
    /// Life of the account that the message comes from. `None` if no account is known.
    account: Option<Arc<Account>>,
    /// `None` if the mailbox did not exist.
    mailbox_id: Option<u64>,
    clear_epoch: u64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveResult {
    /// The message is kept, and answered with that status.
    Stored(u16),
    /// The mailbox was removed or made anew meanwhile.
    Replaced,
}

/// Messages of a mailbox, and the number of those that were let go.
#[derive(Debug, Clone, Default)]
pub struct InboxMessages {
    pub messages: Vec<Arc<InboxMessage>>,
    pub evicted: u64,
}

/// A mailbox in a listing.
#[derive(Debug, Clone)]
pub struct InboxSummary {
    /// Grows in the order in which mailboxes are made.
    pub id: u64,
    pub name: String,
    pub account: Option<String>,
    pub config: Arc<InboxConfig>,
    /// Number of messages that came, those let go included.
    pub answered: usize,
    pub messages: usize,
    pub evicted: u64,
}

/// Why a call for a mailbox is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxError {
    /// The call names no account, and several have a mailbox of this name.
    Ambiguous,
    /// The mailbox went because there were too many.
    Evicted,
}

/// All mailboxes.
#[derive(Debug, Default)]
pub struct Inbox {
    mailboxes: Mutex<Mailboxes>,
    /// A message has come, or a mailbox has gone.
    changed: Notify,
}

impl InboxMessage {
    fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.body.len() + headers
    }
}

impl Inbox {
    fn mailboxes(&self) -> MutexGuard<'_, Mailboxes> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a mailbox anew, empty. Without an account, the only one of that name is made anew.
    /// Returns the key of the account that it belongs to, if any.
    ///
    /// # Errors
    /// If no account is named and several have such a mailbox.
    pub fn configure(
        &self,
        account: Option<&str>,
        name: &str,
        script: InboxConfig,
    ) -> Result<Option<String>, InboxError> {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve(account, name)?;
        let removed = mailboxes.make(&key, Arc::new(script));
        drop(mailboxes);
        self.remove_account(&removed);
        Ok(key.account)
    }

    /// Logs mailboxes that went because there are too many, and wakes those who wait for them.
    fn remove_account(&self, removed: &[(MailboxKey, usize)]) {
        for (key, messages) in removed {
            tracing::warn!(
                inbox = key.name,
                key = key
                    .account
                    .as_deref()
                    .map(|key| clip(key, KEY_CHARS_LOGGED))
                    .as_deref(),
                messages,
                "inbox removed: there are more than {MAILBOXES_MAX}, and it was unused for longest"
            );
        }
        if !removed.is_empty() {
            self.changed.notify_waiters();
        }
    }

    /// Returns the key of the only account that has a mailbox of that name. `None` if none has, or
    /// several have.
    #[must_use]
    pub fn only_account(&self, name: &str) -> Option<String> {
        self.mailboxes().resolve(None, name).ok()?.account
    }

    /// Returns the mailbox that a message from `account` begins to arrive at. One that was not set up
    /// has the default script.
    #[must_use]
    pub fn begin_delivery(
        &self,
        key: Option<&str>,
        account: Option<Arc<Account>>,
        name: &str,
    ) -> DeliveryTicket {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve_for_message(key, name);
        let mailbox = mailboxes.get(&key);
        DeliveryTicket {
            config: mailbox.map_or_else(Arc::default, |mailbox| Arc::clone(&mailbox.config)),
            mailbox_id: mailbox.map(|mailbox| mailbox.id),
            clear_epoch: mailboxes.clear_epoch,
            account,
            key,
        }
    }

    /// Keeps a message that has arrived, making the mailbox if it was not set up.
    pub fn receive(&self, opened: &DeliveryTicket, message: InboxMessage) -> ReceiveResult {
        let mut mailboxes = self.mailboxes();
        let number = mailboxes.get(&opened.key).map(|mailbox| mailbox.id);
        let is_same = opened.mailbox_id.is_none() || number == opened.mailbox_id;
        // A reset cancels the account's life before it removes the mailboxes.
        let account = opened.account.as_ref();
        let is_ended = account.is_some_and(|account| account.cancellation().is_cancelled());
        if !is_same || is_ended || mailboxes.clear_epoch != opened.clear_epoch {
            return ReceiveResult::Replaced;
        }
        let removed = if number.is_none() {
            mailboxes.make(&opened.key, Arc::default())
        } else {
            Vec::new()
        };
        let status = mailboxes.store(&opened.key, message);
        drop(mailboxes);
        self.remove_account(&removed);
        self.changed.notify_waiters();
        ReceiveResult::Stored(status.unwrap_or(DEFAULT_STATUS))
    }

    /// Returns the messages of a mailbox once there are `min` of them, or `wait` of real time has
    /// passed. Without an account, the only mailbox of that name is read.
    ///
    /// # Errors
    /// If no account is named and several have such a mailbox, or the mailbox went because there were
    /// too many.
    pub async fn messages(
        &self,
        account: Option<&str>,
        name: &str,
        min: usize,
        wait: Duration,
    ) -> Result<InboxMessages, InboxError> {
        let end = tokio::time::Instant::now() + wait;
        self.touch(account, name)?;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(messages) = self.read(account, name, min)? {
                return Ok(messages);
            }
            if tokio::time::timeout_at(end, changed).await.is_err() {
                return Ok(self.read(account, name, 0)?.unwrap_or_default());
            }
        }
    }

    fn read(
        &self,
        account: Option<&str>,
        name: &str,
        min: usize,
    ) -> Result<Option<InboxMessages>, InboxError> {
        let mailboxes = self.mailboxes();
        let key = mailboxes.resolve_to_read(account, name)?;
        mailboxes.messages(&key, min)
    }

    /// Notes that a mailbox is used.
    fn touch(&self, account: Option<&str>, name: &str) -> Result<(), InboxError> {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve_to_read(account, name)?;
        mailboxes.touch(&key);
        Ok(())
    }

    /// Returns the mailboxes of an account, or all, in the order in which they were made.
    #[must_use]
    pub fn list(&self, account: Option<&str>) -> Vec<InboxSummary> {
        self.mailboxes().list(account)
    }

    /// Removes a mailbox with all that is in it. Without an account, the only one of that name.
    ///
    /// # Errors
    /// If no account is named and several have such a mailbox.
    pub fn remove(&self, account: Option<&str>, name: &str) -> Result<(), InboxError> {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve_to_read(account, name)?;
        mailboxes.remove_all(|it| *it == key);
        Ok(())
    }

    /// Removes the mailboxes of an account, or all. Returns their number.
    pub fn clear(&self, account: Option<&str>) -> usize {
        let mut mailboxes = self.mailboxes();
        mailboxes.clear_epoch += u64::from(account.is_none());
        mailboxes.remove_all(|key| account.is_none() || key.account.as_deref() == account)
    }
}
