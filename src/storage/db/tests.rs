//! Rows of two vendors under one account: neither vendor's API sees the other's rows.

use std::sync::Arc;

use super::{Db, accounts, endpoints, listing, orders, webhooks};
use crate::model::account::AccountSettings;
use crate::model::ids::{AccountId, WebhookId};
use crate::model::listing::OrderFilter;
use crate::model::order::Order;
use crate::model::time::Timestamp;
use crate::model::vendor::Vendor;
use crate::model::webhook::{Endpoint, Event};

const NOW: Timestamp = Timestamp::from_ms(0);

async fn database_with_account(dir: &tempfile::TempDir) -> (Db, AccountId) {
    let db = Db::open(&dir.path().join("db")).await.expect("a database");
    let mut tx = db.begin().await.expect("a transaction");
    let settings = AccountSettings::default();
    let account = accounts::insert(&mut tx, "key", &settings, NOW).await;
    tx.commit().await.expect("a commit");
    (db, account.expect("an account"))
}

fn order_of(vendor: Vendor, account: AccountId, number: u64) -> Arc<Order> {
    Arc::new(Order {
        id: format!("{}-{number}", vendor.name()),
        account,
        number,
        vendor,
        ..Order::sample()
    })
}

#[tokio::test]
async fn listing_of_a_vendor_leaves_out_orders_of_another_of_the_same_type() {
    let dir = tempfile::tempdir().expect("a directory");
    let (db, account) = database_with_account(&dir).await;
    let mut tx = db.begin().await.expect("a transaction");
    for (number, vendor) in (1..).zip([Vendor::ALL[0], Vendor::ALL[1], Vendor::ALL[1]]) {
        let order = order_of(vendor, account, number);
        let inserted = orders::insert(&mut tx, &order, "operation", None).await;
        assert!(inserted.expect("an insertion"));
    }
    tx.commit().await.expect("a commit");
    let mut reader = db.read().await.expect("a reader");
    let filter = OrderFilter::default();
    for (vendor, count) in [(Vendor::ALL[0], 1), (Vendor::ALL[1], 2)] {
        let page = listing::page(&mut reader, account, vendor, &filter, 10, 0)
            .await
            .expect("a page");
        assert_eq!(page.total, count);
        assert!(page.items.iter().all(|order| order.vendor == vendor));
        let days = listing::daily_counts(&mut reader, account, vendor, 0, 1).await;
        assert_eq!(days.expect("counts"), [(0, count)]);
    }
}

#[tokio::test]
async fn publish_of_a_vendors_event_reaches_endpoints_of_that_vendor_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let (db, account) = database_with_account(&dir).await;
    let mut tx = db.begin().await.expect("a transaction");
    let mut ids = Vec::new();
    for vendor in Vendor::ALL {
        let endpoint = Endpoint {
            id: WebhookId(0),
            account,
            vendor,
            snowflake: 1,
            name: None,
            url: "http://127.0.0.1:1/".to_owned(),
            secret: "secret".to_owned(),
            test: false,
            active: true,
            legacy: true,
            last_sent_at: None,
            created_at: NOW,
            updated_at: NOW,
        };
        ids.push(endpoints::insert(&mut tx, &endpoint).await.expect("an id"));
    }
    for (vendor, id) in Vendor::ALL.into_iter().zip(&ids) {
        let event = Event {
            id: format!("event of {}", vendor.name()),
            vendor,
            event_type: "order.completed".to_owned(),
            order_id: "1".to_owned(),
            body: "{}".to_owned(),
        };
        let published = webhooks::publish(&mut tx, account, false, &event, NOW).await;
        assert_eq!(published.expect("endpoints"), [*id]);
        let due = webhooks::due(&mut tx, *id, NOW).await.expect("a delivery");
        assert_eq!(due.expect("a delivery").event, event);
        let legacy = endpoints::legacy(&mut tx, account, vendor).await;
        assert_eq!(legacy.expect("an endpoint").map(|it| it.id), Some(*id));
    }
    let [first, second] = ids[..] else {
        panic!("two vendors: {ids:?}")
    };
    let foreign = endpoints::find(&mut tx, account, Some(Vendor::ALL[0]), second).await;
    assert_eq!(foreign.expect("a result"), None);
    let deleted = endpoints::delete(&mut tx, account, Vendor::ALL[1], first).await;
    assert!(!deleted.expect("a result"));
}
