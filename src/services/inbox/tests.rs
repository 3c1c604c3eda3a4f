//! Tests of the inbox's limits, and of mailboxes with the same name.

use super::mailboxes::{BYTES_MAX, MAILBOX_BYTES_MAX};
use super::*;

fn message(body: String) -> InboxMessage {
    InboxMessage {
        at: Timestamp::from_ms(0),
        headers: BTreeMap::new(),
        body,
        signature_valid: None,
    }
}

fn post(inbox: &Inbox, account: Option<&str>, name: &str, body: String) -> ReceiveResult {
    inbox.receive(&inbox.begin_delivery(account, None, name), message(body))
}

fn read(inbox: &Inbox, account: Option<&str>, name: &str) -> Result<InboxMessages, InboxError> {
    inbox
        .read(account, name, 0)
        .map(|found| found.expect("no minimum"))
}

fn bodies(inbox: &Inbox, account: Option<&str>, name: &str) -> (Vec<String>, u64) {
    let found = read(inbox, account, name).expect("messages");
    let bodies = found
        .messages
        .iter()
        .map(|message| message.body.clone())
        .collect();
    (bodies, found.evicted)
}

const STORED: ReceiveResult = ReceiveResult::Stored(200);

#[test]
fn receive_beyond_a_mailbox_limit_evicts_its_oldest_messages() {
    let inbox = Inbox::default();
    post(&inbox, None, "other", "stored".to_owned());
    for n in 0..=MESSAGES_MAX {
        assert_eq!(post(&inbox, None, "a", n.to_string()), STORED);
    }
    let found = read(&inbox, None, "a").expect("messages");
    assert_eq!((found.messages.len(), found.evicted), (MESSAGES_MAX, 1));
    assert_eq!(found.messages[0].body, "1");
    for _ in 0..2 {
        post(&inbox, None, "a", "x".repeat(MAILBOX_BYTES_MAX - 1));
    }
    let found = read(&inbox, None, "a").expect("messages");
    assert_eq!((found.messages.len(), found.evicted), (1, 1_002));
    let other = (vec!["stored".to_owned()], 0);
    assert_eq!(bodies(&inbox, None, "other"), other);
}

#[test]
fn receive_beyond_the_total_limit_evicts_the_oldest_message_of_all() {
    let inbox = Inbox::default();
    let many = BYTES_MAX / MAILBOX_BYTES_MAX;
    for n in 0..many {
        post(&inbox, None, &n.to_string(), "x".repeat(MAILBOX_BYTES_MAX));
    }
    assert_eq!(bodies(&inbox, None, "0").0.len(), 1, "they fit");
    post(&inbox, None, "more", "y".to_owned());
    assert_eq!(bodies(&inbox, None, "0"), (vec![], 1));
    assert_eq!(bodies(&inbox, None, "1").0.len(), 1);
    assert_eq!(bodies(&inbox, None, "more"), (vec!["y".to_owned()], 0));
    assert_eq!(inbox.clear(None), many + 1);
    assert_eq!(inbox.mailboxes().bytes(), 0);
}

#[test]
fn configure_one_mailbox_too_many_removes_the_least_recently_used() {
    let inbox = Inbox::default();
    for n in 0..MAILBOXES_MAX {
        post(&inbox, Some("mine"), &n.to_string(), "x".to_owned());
    }
    assert_eq!(inbox.touch(Some("mine"), "0"), Ok(()));
    assert_eq!(
        inbox
            .configure(Some("other"), "1", InboxConfig::default())
            .ok(),
        Some(Some("other".to_owned()))
    );
    assert_eq!(inbox.list(None).len(), MAILBOXES_MAX);
    let evicted = read(&inbox, Some("mine"), "1").err();
    assert_eq!(evicted, Some(InboxError::Evicted));
    assert_eq!(bodies(&inbox, Some("other"), "1"), (vec![], 0));
    assert_eq!(bodies(&inbox, Some("mine"), "2").0.len(), 1);
    assert_eq!(post(&inbox, Some("mine"), "1", "y".to_owned()), STORED);
    assert_eq!(bodies(&inbox, Some("mine"), "1").0, ["y"], "created again");
    inbox.clear(Some("mine"));
    assert_eq!(
        bodies(&inbox, Some("mine"), "3"),
        (vec![], 0),
        "a reset clears the list of removed mailboxes"
    );
}

#[tokio::test]
async fn messages_of_a_mailbox_that_is_removed_during_the_wait_fails() {
    let inbox = Arc::new(Inbox::default());
    post(&inbox, None, "waited for", String::new());
    let waiting = Arc::clone(&inbox);
    let minute = Duration::from_mins(1);
    let waiting = tokio::spawn(async move {
        let found = waiting.messages(None, "waited for", 2, minute).await;
        found.map(drop)
    });
    // The waiting call has used the mailbox, and all later mailboxes are used after it.
    tokio::task::yield_now().await;
    for n in 0..MAILBOXES_MAX {
        post(&inbox, None, &n.to_string(), String::new());
        // Each message wakes the waiting call.
        tokio::task::yield_now().await;
    }
    let ended = waiting.await.expect("no panic");
    assert_eq!(ended, Err(InboxError::Evicted));
}

#[test]
fn mailboxes_of_two_accounts_with_one_name_are_separate() {
    let inbox = Inbox::default();
    assert_eq!(
        inbox.configure(None, "a", InboxConfig::default()).ok(),
        Some(None)
    );
    assert_eq!(post(&inbox, Some("one"), "a", "1".to_owned()), STORED);
    assert_eq!(bodies(&inbox, None, "a").0, ["1"], "the only one");
    assert_eq!(
        inbox.only_account("a").as_deref(),
        Some("one"),
        "the mailbox has become theirs"
    );
    let set = inbox.configure(None, "a", InboxConfig::default());
    assert_eq!(set.ok(), Some(Some("one".to_owned())), "the only mailbox");
    assert_eq!(bodies(&inbox, Some("one"), "a").0, [""; 0]);
    assert_eq!(post(&inbox, Some("one"), "a", "1".to_owned()), STORED);
    assert_eq!(post(&inbox, Some("two"), "a", "2".to_owned()), STORED);
    assert_eq!(bodies(&inbox, Some("one"), "a").0, ["1"]);
    assert_eq!(bodies(&inbox, Some("two"), "a").0, ["2"]);
    assert_eq!(read(&inbox, None, "a").err(), Some(InboxError::Ambiguous));
    assert_eq!(inbox.remove(None, "a"), Err(InboxError::Ambiguous));
    assert_eq!(
        inbox.configure(None, "a", InboxConfig::default()),
        Err(InboxError::Ambiguous)
    );
    assert_eq!(inbox.only_account("a"), None);
    assert_eq!(inbox.clear(Some("one")), 1);
    assert_eq!(bodies(&inbox, None, "a").0, ["2"]);
}

#[test]
fn receive_after_the_mailbox_was_replaced_does_not_store_the_message() {
    let inbox = Inbox::default();
    let mine = Some("mine");
    let after = |ends: &dyn Fn()| {
        assert!(inbox.configure(mine, "a", InboxConfig::default()).is_ok());
        let ticket = inbox.begin_delivery(mine, None, "a");
        ends();
        inbox.receive(&ticket, message(String::new()))
    };
    assert_eq!(after(&|| {}), STORED);
    let clear = |account| assert!(inbox.clear(account) <= 1);
    assert_eq!(after(&|| clear(Some("other"))), STORED);
    assert_eq!(after(&|| clear(mine)), ReceiveResult::Replaced);
    assert_eq!(after(&|| clear(None)), ReceiveResult::Replaced);
    let remove = || assert_eq!(inbox.remove(mine, "a"), Ok(()));
    assert_eq!(after(&remove), ReceiveResult::Replaced);
    let set_again = || assert!(inbox.configure(mine, "a", InboxConfig::default()).is_ok());
    assert_eq!(after(&set_again), ReceiveResult::Replaced);
    let ticket = inbox.begin_delivery(mine, None, "new");
    inbox.clear(None);
    let received = inbox.receive(&ticket, message(String::new()));
    assert_eq!(received, ReceiveResult::Replaced, "no mailbox is created");
    let ticket = inbox.begin_delivery(mine, None, "new");
    assert_eq!(post(&inbox, mine, "new", "first".to_owned()), STORED);
    let received = inbox.receive(&ticket, message("second".to_owned()));
    assert_eq!(received, STORED, "another message has created the mailbox");
}

/// Evicts the mailbox `name` of the account `mine` by making too many others.
fn evict(inbox: &Inbox, name: &str) {
    post(inbox, Some("mine"), name, "x".to_owned());
    for n in 0..MAILBOXES_MAX {
        post(inbox, Some("others"), &n.to_string(), "x".to_owned());
    }
    assert_eq!(read(inbox, None, name).err(), Some(InboxError::Evicted));
}

#[test]
fn set_without_an_account_after_the_only_mailbox_was_evicted_makes_one_without_an_account() {
    let inbox = Inbox::default();
    evict(&inbox, "a");
    assert_eq!(
        inbox.configure(None, "a", InboxConfig::default()).ok(),
        Some(None)
    );
    assert_eq!(bodies(&inbox, None, "a"), (vec![], 0));
}

#[test]
fn message_without_an_account_after_the_only_mailbox_was_evicted_is_of_no_account() {
    let inbox = Inbox::default();
    evict(&inbox, "a");
    assert_eq!(inbox.only_account("a"), None);
    assert_eq!(post(&inbox, None, "a", "y".to_owned()), STORED);
    let unowned = inbox
        .list(None)
        .into_iter()
        .find(|summary| summary.name == "a");
    assert_eq!(unowned.map(|summary| summary.account), Some(None));
    let evicted = read(&inbox, Some("mine"), "a").err();
    assert_eq!(evicted, Some(InboxError::Evicted));
}

#[test]
fn remove_without_an_account_forgets_that_the_mailbox_was_evicted() {
    let inbox = Inbox::default();
    evict(&inbox, "a");
    assert_eq!(inbox.remove(None, "a"), Ok(()));
    assert_eq!(bodies(&inbox, None, "a"), (vec![], 0));
}
