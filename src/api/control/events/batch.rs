//! Batch of events: what changed since the last batch, each subject once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::super::requests::RequestRow;
use crate::http::Services;
use crate::model::ids::{AccountId, DeliveryId};
use crate::platform::change_log::{Change, Subject, UnreadChanges};
use crate::services::accounts::Account;

/// Number of rows of one kind in a batch.
const ROWS_MAX: usize = 200;
/// Size of the rows of requests in a batch. Paths may be long.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Names of the events with a list of what changed, in the order in which they are sent.
const CHANGED_EVENTS: [&str; 7] = [
    "cleared",
    "orders",
    "deliveries",
    "inbox",
    "clock",
    "rules",
    "accounts",
];

/// Events of one batch.
#[derive(Default)]
pub(super) struct Batch {
    skipped: Option<Skipped>,
    /// Rows of requests as JSON, newest first.
    rows: Vec<Vec<u8>>,
    row_bytes: usize,
    /// Entries of each of [`CHANGED_EVENTS`], newest first.
    changed: [Vec<Changed>; CHANGED_EVENTS.len()],
}

/// Changes that a batch does not tell.
#[derive(Serialize)]
struct Skipped {
    from: u64,
    to: u64,
    count: u64,
}

#[derive(Serialize)]
struct ChangedList {
    changed: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    revision: u64,
    /// Key of the account. `None` if the change concerns all accounts.
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ChangedId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Arc<str>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ChangedId {
    Order(Arc<str>),
    Delivery(DeliveryId),
}

/// Accounts of the changes of a batch. `None` for those that are gone.
struct AccountCache<'s> {
    state: &'s Services,
    accounts: HashMap<AccountId, Option<Arc<Account>>>,
}

impl AccountCache<'_> {
    fn get(&mut self, id: AccountId) -> Option<&Account> {
        let find = || self.state.accounts.by_id(id);
        self.accounts.entry(id).or_insert_with(find).as_deref()
    }
}

impl Batch {
    /// Collects the changes that concern the account with the key `account`, or all changes if it is
    /// `None`. If there are too many, the newest ones.
    pub(super) fn collect(state: &Services, account: Option<&str>, unread: &UnreadChanges) -> Self {
        let mut batch = Self::default();
        let mut accounts = AccountCache {
            state,
            accounts: HashMap::new(),
        };
        let mut seen = HashSet::new();
        for change in unread.changes.iter().rev() {
            let key = match change.account {
                // Nothing is left to read of an account that is gone.
                Some(id) => match accounts.get(id) {
                    Some(owner) => Some(owner.key.as_str()),
                    None => continue,
                },
                None => None,
            };
            if is_about(change, key, account) && seen.insert((change.account, &change.subject)) {
                batch.add(state, change, key);
            }
        }
        if let Some((from, to)) = unread.skipped {
            batch.skip(from, to, to - from + 1);
        }
        batch
    }

    /// `true` if the batch does not tell all changes.
    pub(super) const fn is_incomplete(&self) -> bool {
        self.skipped.is_some()
    }

    fn add(&mut self, state: &Services, change: &Change, key: Option<&str>) {
        let (event, id, name) = match &change.subject {
            Subject::Request(seq) => return self.add_request(state, change, *seq),
            Subject::Requests => (0, None, None),
            Subject::Order(id) => (1, Some(ChangedId::Order(Arc::clone(id))), None),
            Subject::Delivery(id) => (2, Some(ChangedId::Delivery(*id)), None),
            Subject::Inbox(name) => (3, None, Some(Arc::clone(name))),
            Subject::Clock => (4, None, None),
            Subject::Rules => (5, None, None),
            Subject::Accounts => (6, None, None),
        };
        if self.changed[event].len() == ROWS_MAX {
            return self.skip(change.revision, change.revision, 1);
        }
        self.changed[event].push(Changed {
            revision: change.revision,
            account: key.map(str::to_owned),
            id,
            name,
        });
    }

    /// Adds the row of a request, unless the request is not stored any more.
    fn add_request(&mut self, state: &Services, change: &Change, seq: u64) {
        if self.rows.len() == ROWS_MAX || self.row_bytes > ROW_BYTES_MAX {
            return self.skip(change.revision, change.revision, 1);
        }
        let exchange = state.journal.find_by_id(change.account, seq);
        let row = exchange.map(|exchange| serde_json::to_vec(&RequestRow::from(exchange.as_ref())));
        if let Some(Ok(row)) = row {
            self.row_bytes += row.len();
            self.rows.push(row);
        }
    }

    fn skip(&mut self, from: u64, to: u64, count: u64) {
        let skipped = self.skipped.get_or_insert(Skipped { from, to, count: 0 });
        skipped.from = skipped.from.min(from);
        skipped.to = skipped.to.max(to);
        skipped.count += count;
    }

    /// Returns the events. `None` if there are none. `before` and `after` are the revisions between
    /// which the batch lies: a client that has not received the last event resumes before the batch.
    pub(super) fn write(
        self,
        state: &Services,
        account: Option<&str>,
        (before, after): (u64, u64),
    ) -> Option<Vec<u8>> {
        let mut events: Vec<(&str, Vec<u8>)> = Vec::new();
        if let Some(skipped) = &self.skipped {
            events.push(("skipped", to_json(skipped)));
        }
        let [cleared, others @ ..] = self.changed;
        let rows_at = usize::from(!cleared.is_empty()) + events.len();
        for (name, mut changed) in CHANGED_EVENTS
            .into_iter()
            .zip([cleared].into_iter().chain(others))
        {
            if !changed.is_empty() {
                changed.reverse();
                events.push((name, to_json(&ChangedList { changed })));
            }
        }
        if !self.rows.is_empty() {
            let rows: Vec<Vec<u8>> = self.rows.into_iter().rev().collect();
            let evicted = state.journal.evicted(account);
            let mut data = b"{\"rows\":[".to_vec();
            data.extend_from_slice(&rows.join(&b','));
            data.extend_from_slice(format!("],\"evicted\":{evicted}}}").as_bytes());
            events.insert(rows_at, ("requests", data));
        }
        let last = events.len().checked_sub(1)?;
        let mut piece = Vec::new();
        for (index, (name, data)) in events.iter().enumerate() {
            let id = if index == last { after } else { before };
            write_event(&mut piece, id, name, data);
        }
        Some(piece)
    }
}

/// `true` if a change of the account with the key `key`, or of no account, concerns a client that asks
/// for `account`.
fn is_about(change: &Change, key: Option<&str>, account: Option<&str>) -> bool {
    match (account, key) {
        (None, _) => true,
        (Some(account), Some(key)) => account == key,
        (Some(_), None) => !matches!(change.subject, Subject::Request(_) | Subject::Inbox(_)),
    }
}

/// Returns the data of an event. Types of this module can always be serialised.
fn to_json(data: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(data).unwrap_or_default()
}

/// Appends an event. `data` is JSON, which has no line breaks.
pub(super) fn write_event(piece: &mut Vec<u8>, id: u64, name: &str, data: &[u8]) {
    piece.extend_from_slice(format!("id: {id}\nevent: {name}\ndata: ").as_bytes());
    piece.extend_from_slice(data);
    piece.extend_from_slice(b"\n\n");
}
