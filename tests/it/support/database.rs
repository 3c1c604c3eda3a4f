//! Direct access to the server's database, to inject real faults.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};

/// A second connection to the server's database.
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
        let result = sqlx::raw_sql(sql).execute(&mut self.0).await;
        result.expect("SQL executes");
    }

    /// Makes SQLite refuse every `write` (for example `INSERT ON attempts`) until
    /// [`Self::allow_writes`].
    pub async fn refuse_writes(&mut self, write: &str) {
        let sql = format!(
            "CREATE TRIGGER fault BEFORE {write} BEGIN SELECT RAISE(ABORT, 'forged fault'); END"
        );
        self.execute(&sql).await;
    }

    pub async fn allow_writes(&mut self) {
        self.execute("DROP TRIGGER fault").await;
    }

    /// Returns the single number that the query selects.
    pub async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let number = sqlx::query_scalar(sql).fetch_one(&mut self.0).await;
        number.expect("a number")
    }
}
