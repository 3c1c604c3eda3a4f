//! Jobs that meet a fault of the server: they back off, give up, and never do twice what others saw.
//!
//! The fault is real: a trigger in the server's own database, made over a second connection, that has
//! SQLite refuse a write.

mod errors;
mod records;
mod slots;
mod starts;

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::{Answer, Stunt};

/// A test fails if what it waits for has not come by then.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server's database, over a connection of the test's own.
struct Database(SqliteConnection);

impl Database {
    async fn open(data_dir: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join("stuntdouble.db"))
            .busy_timeout(Duration::from_secs(10));
        Self(options.connect().await.expect("the database opens"))
    }

    async fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = sqlx::raw_sql(sql).execute(&mut self.0).await;
        done.expect("it is executed");
    }

    /// Has every write of that kind refused (`INSERT ON attempts`), until [`Self::mend`].
    async fn refuse(&mut self, write: &str) {
        let sql = format!(
            "CREATE TRIGGER fault BEFORE {write} BEGIN SELECT RAISE(ABORT, 'forged fault'); END"
        );
        self.execute(&sql).await;
    }

    async fn mend(&mut self) {
        self.execute("DROP TRIGGER fault").await;
    }

    /// The one number that the query returns.
    async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let number = sqlx::query_scalar(sql).fetch_one(&mut self.0).await;
        number.expect("a number")
    }
}

/// A server on that data directory.
async fn on(data_dir: &Path) -> Stunt {
    Stunt::with(|config| config.data_dir = Some(data_dir.to_owned())).await
}

fn new(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": format!("{key}_ai.jpg")})
}

/// Advances `live`'s clock by a second: the answer, whatever it is.
async fn advance(stunt: &Stunt) -> Answer {
    let body = json!({"account": "live", "by": "PT1S"}).to_string();
    let path = "/_mock/clock/advance";
    stunt.send(Method::POST, path, &[], body).await
}

fn assert_failed_by_fault(answer: &Answer) {
    let text = answer.text();
    assert_eq!(answer.status, 500, "{text}");
    assert!(text.contains("forged fault"), "{text}");
}
