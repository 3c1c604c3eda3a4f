//! Faults that are real: a second connection to the server's own database.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

/// The server's database, over a connection of the test's own.
pub struct Database(SqliteConnection);

impl Database {
    pub async fn open(data_dir: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join("stuntdouble.db"))
            .busy_timeout(Duration::from_mins(5));
        Self(options.connect().await.expect("the database opens"))
    }

    pub async fn execute(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = sqlx::raw_sql(sql).execute(&mut self.0).await;
        done.expect("it is executed");
    }

    /// Has every write of that kind refused (`INSERT ON attempts`), until [`Self::mend`].
    pub async fn refuse(&mut self, write: &str) {
        let sql = format!(
            "CREATE TRIGGER fault BEFORE {write} BEGIN SELECT RAISE(ABORT, 'forged fault'); END"
        );
        self.execute(&sql).await;
    }

    pub async fn mend(&mut self) {
        self.execute("DROP TRIGGER fault").await;
    }

    /// The one number that the query returns.
    pub async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let number = sqlx::query_scalar(sql).fetch_one(&mut self.0).await;
        number.expect("a number")
    }
}
