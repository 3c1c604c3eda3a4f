//! Mailboxes with their limits. The inbox calls these functions under its lock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::{
    InboxConfig, InboxError, InboxMessage, InboxMessages, InboxSummary, MAILBOXES_MAX, MESSAGES_MAX,
};

/// Maximum number of bytes of messages in one mailbox.
pub(super) const MAILBOX_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Maximum number of bytes of messages in all mailboxes together.
pub(super) const BYTES_MAX: usize = 64 * 1024 * 1024;

/// API key of the account, if any, and name of the mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MailboxKey {
    pub account: Option<String>,
    pub name: String,
}

/// Mailbox and its messages.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Distinguishes the mailbox from earlier and later ones with the same key. Grows with time.
    pub id: u64,
    pub config: Arc<InboxConfig>,
    pub answered: usize,
    /// Messages with their numbers, oldest first.
    messages: VecDeque<(u64, Arc<InboxMessage>)>,
    bytes: usize,
    evicted: u64,
    /// Number of the last use.
    used: u64,
}

/// Registry of all mailboxes.
#[derive(Debug, Default)]
pub(super) struct Mailboxes {
    by_key: HashMap<MailboxKey, Mailbox>,
    bytes: usize,
    /// Last number issued for a mailbox, a message or a use.
    ids: u64,
    /// Number of times that all mailboxes were removed.
    pub clear_epoch: u64,
    /// The last [`MAILBOXES_MAX`] mailboxes that were removed because there were too many.
    removed: VecDeque<MailboxKey>,
}

impl MailboxKey {
    pub(super) fn new(account: Option<&str>, name: &str) -> Self {
        Self {
            account: account.map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

impl Mailboxes {
    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(super) fn get(&self, key: &MailboxKey) -> Option<&Mailbox> {
        self.by_key.get(key)
    }

    /// Returns the key of the mailbox that a call names: the mailbox of the named account, else the
    /// only mailbox of this name. Returns a key even if there is no such mailbox.
    pub(super) fn resolve(
        &self,
        account: Option<&str>,
        name: &str,
    ) -> Result<MailboxKey, InboxError> {
        if account.is_some() {
            return Ok(MailboxKey::new(account, name));
        }
        let mut keys = self.by_key.keys().filter(|key| key.name == name);
        match (keys.next(), keys.next()) {
            (Some(only), None) => Ok(only.clone()),
            (Some(_), Some(_)) => Err(InboxError::Ambiguous),
            (None, _) => Ok(MailboxKey::new(None, name)),
        }
    }

    /// Like [`Self::resolve`], for a call that reads or removes a mailbox. If no mailbox has the
    /// name, returns the key of the last mailbox of this name that was removed because there were
    /// too many.
    pub(super) fn resolve_to_read(
        &self,
        account: Option<&str>,
        name: &str,
    ) -> Result<MailboxKey, InboxError> {
        let key = self.resolve(account, name)?;
        if account.is_some() || self.by_key.contains_key(&key) {
            return Ok(key);
        }
        let evicted = self.removed.iter().rev().find(|key| key.name == name);
        Ok(evicted.cloned().unwrap_or(key))
    }

    /// Returns the key of the mailbox for a message from `account`. A mailbox without an account
    /// becomes the account's with its first message.
    pub(super) fn resolve_for_message(&mut self, account: Option<&str>, name: &str) -> MailboxKey {
        let key = MailboxKey::new(account, name);
        if account.is_none() {
            return self.resolve(None, name).unwrap_or(key);
        }
        if !self.by_key.contains_key(&key)
            && let Some(mailbox) = self.by_key.remove(&MailboxKey::new(None, name))
        {
            self.removed.retain(|removed| *removed != key);
            self.by_key.insert(key.clone(), mailbox);
        }
        key
    }

    /// Creates a mailbox, in place of the one with the same key. Returns the mailboxes that were
    /// removed because there are too many, with the number of their messages.
    pub(super) fn create(
        &mut self,
        key: &MailboxKey,
        config: Arc<InboxConfig>,
    ) -> Vec<(MailboxKey, usize)> {
        let id = self.next_id();
        let mailbox = Mailbox {
            id,
            config,
            answered: 0,
            messages: VecDeque::new(),
            bytes: 0,
            evicted: 0,
            used: id,
        };
        self.removed.retain(|removed| removed != key);
        let replaced = self.by_key.insert(key.clone(), mailbox);
        self.bytes -= replaced.map_or(0, |mailbox| mailbox.bytes);
        let mut removed = Vec::new();
        while self.by_key.len() > MAILBOXES_MAX
            && let Some((key, _)) = self.by_key.iter().min_by_key(|(_, mailbox)| mailbox.used)
        {
            let key = key.clone();
            let messages = self
                .remove(&key)
                .map_or(0, |mailbox| mailbox.messages.len());
            self.removed.push_back(key.clone());
            removed.push((key, messages));
        }
        while self.removed.len() > MAILBOXES_MAX {
            self.removed.pop_front();
        }
        removed
    }

    /// Marks a mailbox as used.
    pub(super) fn touch(&mut self, key: &MailboxKey) {
        let number = self.next_id();
        if let Some(mailbox) = self.by_key.get_mut(key) {
            mailbox.used = number;
        }
    }

    fn remove(&mut self, key: &MailboxKey) -> Option<Mailbox> {
        let removed = self.by_key.remove(key);
        self.bytes -= removed.as_ref().map_or(0, |mailbox| mailbox.bytes);
        removed
    }

    /// Removes the mailboxes whose keys are matched, also from the list of those removed earlier.
    /// Returns their number.
    pub(super) fn remove_all(&mut self, is_match: impl Fn(&MailboxKey) -> bool) -> usize {
        self.removed.retain(|key| !is_match(key));
        let matching = self.by_key.keys().filter(|key| is_match(key));
        let keys: Vec<MailboxKey> = matching.cloned().collect();
        for key in &keys {
            self.remove(key);
        }
        keys.len()
    }

    /// Stores a message in an existing mailbox. Returns the status of the response, `None` for the
    /// default.
    pub(super) fn store(&mut self, key: &MailboxKey, message: InboxMessage) -> Option<u16> {
        let (number, bytes) = (self.next_id(), message.bytes());
        let mailbox = self.by_key.get_mut(key)?;
        let status = mailbox.config.statuses.get(mailbox.answered).copied();
        mailbox.answered += 1;
        mailbox.used = number;
        mailbox.bytes += bytes;
        mailbox.messages.push_back((number, Arc::new(message)));
        self.bytes += bytes;
        while self.exceeds_limits(key) {
            self.evict(Some(key));
        }
        while self.bytes > BYTES_MAX {
            self.evict(None);
        }
        status
    }

    fn exceeds_limits(&self, key: &MailboxKey) -> bool {
        let mailbox = self.by_key.get(key);
        mailbox.is_some_and(|mailbox| {
            mailbox.messages.len() > MESSAGES_MAX || mailbox.bytes > MAILBOX_BYTES_MAX
        })
    }

    /// Evicts the oldest message of one mailbox, or of all.
    fn evict(&mut self, key: Option<&MailboxKey>) {
        let oldest_number = |mailbox: &&mut Mailbox| {
            let oldest = mailbox.messages.front();
            oldest.map_or(u64::MAX, |(number, _)| *number)
        };
        let mailbox = match key {
            Some(key) => self.by_key.get_mut(key),
            None => self.by_key.values_mut().min_by_key(oldest_number),
        };
        if let Some(mailbox) = mailbox
            && let Some((_, oldest)) = mailbox.messages.pop_front()
        {
            let bytes = oldest.bytes();
            mailbox.bytes -= bytes;
            mailbox.evicted += 1;
            self.bytes -= bytes;
        }
    }

    /// Returns the messages of a mailbox. `None` if there are fewer than `min`.
    pub(super) fn messages(
        &self,
        key: &MailboxKey,
        min: usize,
    ) -> Result<Option<InboxMessages>, InboxError> {
        let Some(mailbox) = self.by_key.get(key) else {
            if self.removed.contains(key) {
                return Err(InboxError::Evicted);
            }
            return Ok((min == 0).then(InboxMessages::default));
        };
        if mailbox.messages.len() < min {
            return Ok(None);
        }
        let messages = mailbox
            .messages
            .iter()
            .map(|(_, message)| Arc::clone(message));
        Ok(Some(InboxMessages {
            messages: messages.collect(),
            evicted: mailbox.evicted,
        }))
    }

    /// Returns the mailboxes of an account, or all, in the order of creation.
    pub(super) fn list(&self, account: Option<&str>) -> Vec<InboxSummary> {
        let is_listed = |key: &MailboxKey| account.is_none() || key.account.as_deref() == account;
        let mailboxes = self.by_key.iter().filter(|(key, _)| is_listed(key));
        let summary = |(key, mailbox): (&MailboxKey, &Mailbox)| InboxSummary {
            id: mailbox.id,
            name: key.name.clone(),
            account: key.account.clone(),
            config: Arc::clone(&mailbox.config),
            answered: mailbox.answered,
            messages: mailbox.messages.len(),
            evicted: mailbox.evicted,
        };
        let mut listed: Vec<InboxSummary> = mailboxes.map(summary).collect();
        listed.sort_by_key(|summary| summary.id);
        listed
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
