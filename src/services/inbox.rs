//! The inbox: a receiver of webhooks for tests without a receiver of their own.
//!
//! A mailbox has a name and belongs to an account, so two accounts can use one name without
//! meeting. Messages are stored in memory. Their number and size are limited, and the oldest are
//! evicted first. The responses are the mailbox's `statuses`, one after the other. The first
//! message creates a mailbox that was not set up. If there are more than [`MAILBOXES_MAX`]
//! mailboxes, the least recently used one is removed.
//!
//! A message that is arriving while its mailbox is removed or set up again does not reach the new
//! mailbox.

mod mailboxes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::clip::clip;
use crate::model::time::Timestamp;
use crate::platform::change_log::{ChangeLog, Subject};
use crate::services::accounts::Account;
use mailboxes::{MailboxKey, Mailboxes};

/// Maximum number of mailboxes, of all accounts together.
pub const MAILBOXES_MAX: usize = 1_000;
/// Maximum number of messages in one mailbox.
pub const MESSAGES_MAX: usize = 1_000;
/// Maximum length of a message's body.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Characters logged of an account's API key.
const KEY_CHARS_LOGGED: usize = 100;
/// Status of the responses after the mailbox's `statuses`.
const DEFAULT_STATUS: u16 = 200;

/// Settings of a mailbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InboxConfig {
    /// Statuses of the first responses, in order. Later responses have status 200.
    pub statuses: Vec<u16>,
    /// Real time before a message is answered, in milliseconds.
    pub delay_ms: u32,
    /// Secret for checking signatures. `None` uses the secrets of the account's webhooks.
    pub secret: Option<String>,
}

/// Received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxMessage {
    pub at: Timestamp,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `None` if there was no secret for checking the signature.
    pub signature_valid: Option<bool>,
}

/// State of a mailbox when a message began to arrive.
#[derive(Debug)]
pub struct DeliveryTicket {
    pub config: Arc<InboxConfig>,
    key: MailboxKey,
    /// Account that sends the message. `None` if no account is known.
    account: Option<Arc<Account>>,
    /// `None` if the mailbox did not exist.
    mailbox_id: Option<u64>,
    clear_epoch: u64,
}

/// Result of receiving a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiveResult {
    /// The message is stored, and the response has this status.
    Stored(u16),
    /// The mailbox was removed or replaced while the message was received.
    Replaced,
}

/// Messages of a mailbox, and the number of evicted messages.
#[derive(Debug, Clone, Default)]
pub struct InboxMessages {
    pub messages: Vec<Arc<InboxMessage>>,
    pub evicted: u64,
}

/// Mailbox in a listing.
#[derive(Debug, Clone)]
pub struct InboxSummary {
    /// Grows in the order of creation.
    pub id: u64,
    pub name: String,
    pub account: Option<String>,
    pub config: Arc<InboxConfig>,
    /// Number of received messages, including evicted ones.
    pub answered: usize,
    pub messages: usize,
    pub evicted: u64,
}

/// Reason why a call for a mailbox failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxError {
    /// The call names no account, and several accounts have a mailbox of this name.
    Ambiguous,
    /// The mailbox was removed because there were too many.
    Evicted,
}

/// Registry of all mailboxes.
#[derive(Debug, Default)]
pub struct Inbox {
    mailboxes: Mutex<Mailboxes>,
    changes: ChangeLog,
    /// Notified when a message was received or a mailbox was removed.
    changed: Notify,
}

impl InboxMessage {
    fn bytes(&self) -> usize {
        let header_bytes: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        self.body.len() + header_bytes
    }
}

impl Inbox {
    /// Creates an empty inbox, whose changes are recorded in `changes`.
    #[must_use]
    pub fn new(changes: ChangeLog) -> Self {
        Self {
            changes,
            ..Self::default()
        }
    }

    fn mailboxes(&self) -> MutexGuard<'_, Mailboxes> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates an empty mailbox, or replaces the existing one. Without an account, replaces the
    /// only mailbox of that name. Returns the API key of the mailbox's account, if any.
    ///
    /// # Errors
    /// Returns [`InboxError::Ambiguous`] if no account is named and several have a mailbox of that
    /// name.
    pub fn configure(
        &self,
        account: Option<&str>,
        name: &str,
        config: InboxConfig,
    ) -> Result<Option<String>, InboxError> {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve(account, name)?;
        let removed = mailboxes.create(&key, Arc::new(config));
        drop(mailboxes);
        self.report_removed(&removed);
        Ok(key.account)
    }

    /// Logs mailboxes that were removed because there are too many, and wakes callers that wait for
    /// messages.
    fn report_removed(&self, removed: &[(MailboxKey, usize)]) {
        for (key, messages) in removed {
            tracing::warn!(
                inbox = key.name,
                key = key
                    .account
                    .as_deref()
                    .map(|key| clip(key, KEY_CHARS_LOGGED))
                    .as_deref(),
                messages,
                "inbox removed: more than {MAILBOXES_MAX} exist, and this one is the least recently used"
            );
        }
        if !removed.is_empty() {
            self.changed.notify_waiters();
        }
    }

    /// Returns the key of the only account that has a mailbox of that name. `None` if no account or
    /// several have one.
    #[must_use]
    pub fn only_account(&self, name: &str) -> Option<String> {
        self.mailboxes().resolve(None, name).ok()?.account
    }

    /// Starts receiving a message. A mailbox that was not set up has the default settings.
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

    /// Stores a received message, and creates the mailbox if it does not exist.
    pub fn receive(&self, ticket: &DeliveryTicket, message: InboxMessage) -> ReceiveResult {
        let mut mailboxes = self.mailboxes();
        let current_id = mailboxes.get(&ticket.key).map(|mailbox| mailbox.id);
        let is_same = ticket.mailbox_id.is_none() || current_id == ticket.mailbox_id;
        // A reset cancels the account before it removes the account's mailboxes.
        let account = ticket.account.as_ref();
        let is_ended = account.is_some_and(|account| account.cancellation().is_cancelled());
        if !is_same || is_ended || mailboxes.clear_epoch != ticket.clear_epoch {
            return ReceiveResult::Replaced;
        }
        let removed = if current_id.is_none() {
            mailboxes.create(&ticket.key, Arc::default())
        } else {
            Vec::new()
        };
        let status = mailboxes.store(&ticket.key, message);
        drop(mailboxes);
        self.report_removed(&removed);
        let name = Arc::from(&*ticket.key.name);
        self.changes
            .push(account.map(|account| account.id), Subject::Inbox(name));
        self.changed.notify_waiters();
        ReceiveResult::Stored(status.unwrap_or(DEFAULT_STATUS))
    }

    /// Returns the messages of a mailbox once there are `min`, or after `wait` of real time.
    /// Without an account, reads the only mailbox of that name.
    ///
    /// # Errors
    /// Returns [`InboxError::Ambiguous`] if no account is named and several have a mailbox of that
    /// name, or [`InboxError::Evicted`] if the mailbox was removed because there were too many.
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

    /// Marks a mailbox as used.
    fn touch(&self, account: Option<&str>, name: &str) -> Result<(), InboxError> {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve_to_read(account, name)?;
        mailboxes.touch(&key);
        Ok(())
    }

    /// Returns the mailboxes of an account, or all, in the order of creation.
    #[must_use]
    pub fn list(&self, account: Option<&str>) -> Vec<InboxSummary> {
        self.mailboxes().list(account)
    }

    /// Removes a mailbox with its messages. Without an account, the only mailbox of that name.
    ///
    /// # Errors
    /// Returns [`InboxError::Ambiguous`] if no account is named and several have a mailbox of that
    /// name.
    pub fn remove(&self, account: Option<&str>, name: &str) -> Result<(), InboxError> {
        let mut mailboxes = self.mailboxes();
        let key = mailboxes.resolve_to_read(account, name)?;
        mailboxes.remove_all(|found| *found == key);
        Ok(())
    }

    /// Removes the mailboxes of an account, or all. Returns their number.
    pub fn clear(&self, account: Option<&str>) -> usize {
        let mut mailboxes = self.mailboxes();
        mailboxes.clear_epoch += u64::from(account.is_none());
        mailboxes.remove_all(|key| account.is_none() || key.account.as_deref() == account)
    }
}
