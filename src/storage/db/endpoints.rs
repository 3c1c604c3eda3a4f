//! Endpoints: URLs that accounts have registered for events.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row};

use super::jobs::unknown_value;
use super::orders::is_of_vendor;
use super::webhooks::count;
use super::{ReadConn, StoreResult, Tx, sealed::Connected};
use crate::model::ids::{AccountId, WebhookId};
use crate::model::listing::{Page, Span};
use crate::model::time::Timestamp;
use crate::model::vendor::Vendor;
use crate::model::webhook::Endpoint;

const ENDPOINT: &str = "SELECT id, account_id, name, url, secret, test, active, last_sent_at, created_at, updated_at, legacy, snowflake, vendor FROM endpoints";

/// Inserts `endpoint` and returns its new id. The id in `endpoint` is ignored.
///
/// # Errors
/// Returns [`InternalError::AccountGone`](super::InternalError::AccountGone) if the account was deleted.
pub async fn insert(tx: &mut Tx, endpoint: &Endpoint) -> StoreResult<WebhookId> {
    let row = sqlx::query(
        "INSERT INTO endpoints (account_id, vendor, snowflake, name, url, secret, test, active, last_sent_at, created_at, updated_at, legacy)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(endpoint.account.0)
    .bind(endpoint.vendor.name())
    .bind(i64::try_from(endpoint.snowflake).unwrap_or(i64::MAX))
    .bind(&endpoint.name)
    .bind(&endpoint.url)
    .bind(&endpoint.secret)
    .bind(endpoint.test)
    .bind(endpoint.active)
    .bind(endpoint.last_sent_at.map(Timestamp::ms))
    .bind(endpoint.created_at.ms())
    .bind(endpoint.updated_at.ms())
    .bind(endpoint.legacy)
    .fetch_one(tx.sqlite())
    .await?;
    Ok(WebhookId(row.get(0)))
}

/// Writes the name, URL and test flag of an endpoint.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn update(tx: &mut Tx, endpoint: &Endpoint) -> StoreResult<()> {
    sqlx::query("UPDATE endpoints SET name = ?, url = ?, test = ?, updated_at = ? WHERE id = ?")
        .bind(&endpoint.name)
        .bind(&endpoint.url)
        .bind(endpoint.test)
        .bind(endpoint.updated_at.ms())
        .bind(endpoint.id.0)
        .execute(tx.sqlite())
        .await?;
    Ok(())
}

/// Removes an endpoint and its deliveries. Returns `false` if the account has no such endpoint of the
/// vendor.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn delete(
    tx: &mut Tx,
    account: AccountId,
    vendor: Vendor,
    id: WebhookId,
) -> StoreResult<bool> {
    let done = sqlx::query("DELETE FROM endpoints WHERE id = ? AND account_id = ? AND vendor = ?")
        .bind(id.0)
        .bind(account.0)
        .bind(vendor.name())
        .execute(tx.sqlite())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Returns the ids of the account's endpoints, in ascending order.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn ids(from: &mut impl ReadConn, account: AccountId) -> StoreResult<Vec<WebhookId>> {
    let rows = sqlx::query("SELECT id FROM endpoints WHERE account_id = ? ORDER BY id")
        .bind(account.0)
        .fetch_all(from.sqlite())
        .await?;
    Ok(rows.iter().map(|row| WebhookId(row.get(0))).collect())
}

/// Returns the account's endpoint with `id`, of any vendor if `vendor` is `None`. `None` if there is no
/// such endpoint.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn find(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Option<Vendor>,
    id: WebhookId,
) -> StoreResult<Option<Endpoint>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "{ENDPOINT} WHERE id = ?1 AND account_id = ?2 AND (?3 IS NULL OR vendor = ?3)"
    )))
    .bind(id.0)
    .bind(account.0)
    .bind(vendor.map(Vendor::name))
    .fetch_optional(from.sqlite())
    .await?;
    row.as_ref().map(endpoint_from_row).transpose()
}

/// Returns the account's endpoint of the legacy route. `None` if there is none.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn legacy(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Vendor,
) -> StoreResult<Option<Endpoint>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "{ENDPOINT} WHERE account_id = ? AND vendor = ? AND legacy"
    )))
    .bind(account.0)
    .bind(vendor.name())
    .fetch_optional(from.sqlite())
    .await?;
    row.as_ref().map(endpoint_from_row).transpose()
}

/// Returns a page of the account's endpoints with `keyword` in the name or URL, the newest first. ASCII
/// letters match in either case.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn page(
    from: &mut impl ReadConn,
    account: AccountId,
    vendor: Vendor,
    keyword: &str,
    limit: u32,
    offset: u64,
) -> StoreResult<Page<Endpoint>> {
    let of_vendor = is_of_vendor(vendor);
    let matches = format!(
        "WHERE account_id = ?1 AND {of_vendor}
         AND (instr(lower(COALESCE(name, '')), ?2) OR instr(lower(url), ?2))"
    );
    let keyword = keyword.to_ascii_lowercase();
    let total = sqlx::query(AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM endpoints {matches}"
    )))
    .bind(account.0)
    .bind(&keyword)
    .fetch_one(from.sqlite())
    .await?;
    let page = format!("{ENDPOINT} {matches} ORDER BY id DESC LIMIT ?3 OFFSET ?4");
    let rows = sqlx::query(AssertSqlSafe(page))
        .bind(account.0)
        .bind(&keyword)
        .bind(limit)
        .bind(i64::try_from(offset).unwrap_or(i64::MAX))
        .fetch_all(from.sqlite())
        .await?;
    Ok(Page {
        items: rows
            .iter()
            .map(endpoint_from_row)
            .collect::<StoreResult<_>>()?,
        total: count(&total),
    })
}

/// Returns the span of the newest endpoints with an id below `before`, at most `limit`. Considers all
/// accounts if `account` is `None`. `None` if there are none.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn span(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
    before: Option<i64>,
    limit: u32,
) -> StoreResult<Option<Span>> {
    let rows = sqlx::query(
        "SELECT id FROM endpoints WHERE (?1 IS NULL OR account_id = ?1) AND id < ?2
         ORDER BY id DESC LIMIT ?3",
    )
    .bind(account.map(|account| account.0))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit) + 1)
    .fetch_all(from.sqlite())
    .await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    Ok(Span::from_numbers(&ids, limit))
}

/// Returns the endpoints with ids from `first` to `last`, the oldest first, at most `limit`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn in_span(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
    (first, last): (i64, i64),
    limit: u32,
) -> StoreResult<Vec<(i64, Endpoint)>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "{ENDPOINT} WHERE (?1 IS NULL OR account_id = ?1) AND id BETWEEN ?2 AND ?3
         ORDER BY id LIMIT ?4"
    )))
    .bind(account.map(|account| account.0))
    .bind(first)
    .bind(last)
    .bind(limit)
    .fetch_all(from.sqlite())
    .await?;
    let read = |row: &SqliteRow| endpoint_from_row(row).map(|endpoint| (endpoint.id.0, endpoint));
    rows.iter().map(read).collect()
}

/// Returns the secrets of the endpoints with a URL that ends with `url_end`, each with its account.
/// Considers all accounts if `account` is `None`.
///
/// # Errors
/// Returns an error if the database fails.
pub async fn secrets(
    from: &mut impl ReadConn,
    account: Option<AccountId>,
    url_end: &str,
) -> StoreResult<Vec<(AccountId, String)>> {
    // An index finds the endpoints of one account. A condition for both cases would read all endpoints.
    let filter = match account {
        Some(_) => "account_id = ?2",
        None => "?2 IS NULL",
    };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT account_id, secret FROM endpoints WHERE {filter} AND substr(url, -length(?1)) = ?1"
    )))
    .bind(url_end)
    .bind(account.map(|account| account.0))
    .fetch_all(from.sqlite())
    .await?;
    let secret = |row: &SqliteRow| (AccountId(row.get(0)), row.get(1));
    Ok(rows.iter().map(secret).collect())
}

fn endpoint_from_row(row: &SqliteRow) -> StoreResult<Endpoint> {
    let vendor: &str = row.get(12);
    Ok(Endpoint {
        id: WebhookId(row.get(0)),
        account: AccountId(row.get(1)),
        vendor: Vendor::from_name(vendor).ok_or_else(|| unknown_value("vendor", vendor))?,
        snowflake: u64::try_from(row.get::<i64, _>(11)).unwrap_or(0),
        name: row.get(2),
        url: row.get(3),
        secret: row.get(4),
        test: row.get(5),
        active: row.get(6),
        last_sent_at: row.get::<Option<i64>, _>(7).map(Timestamp::from_ms),
        created_at: Timestamp::from_ms(row.get(8)),
        updated_at: Timestamp::from_ms(row.get(9)),
        legacy: row.get(10),
    })
}
