//! A merchant's SQLite database.

use std::{path::Path, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, SqlSafeStr, Sqlite, SqliteExecutor, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

/// The migrations, by name, in order. Never change one that was released. Add another.
pub type Migrations = &'static [(&'static str, &'static str)];

/// How long a write waits for another one.
const BUSY: Duration = Duration::from_secs(5);

/// The database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// The file is not a database, or not writable.
    #[error("can't open the database {file}: {source}; choose another --database")]
    File {
        /// The file as it was given.
        file: String,
        /// The error of SQLite.
        source: sqlx::Error,
    },
    /// The migrations failed.
    #[error("can't migrate the database: {0}")]
    Migration(#[from] MigrateError),
}

/// A transaction. Dropped before its commit, it changes nothing.
pub type Transaction = sqlx::Transaction<'static, Sqlite>;

/// A merchant's database. A clone shares it.
///
/// A database in memory has one connection, as a second one would see another database. So code that has a transaction must not
/// begin another one.
#[derive(Debug, Clone)]
pub struct Database {
    pool: SqlitePool,
}

impl Database {
    /// Opens the database file and migrates it. Without a file, the database is in memory.
    ///
    /// # Errors
    /// [`CannotOpen`] if the file can't be used as a database.
    pub async fn open(file: Option<&Path>, migrations: Migrations) -> Result<Self, CannotOpen> {
        let pool = open_sqlite(file, migrations).await?;
        Ok(Self { pool })
    }

    /// Its connections, for single statements.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Begins a transaction that writes, once every other writer has ended. So nothing that it reads changes before it writes.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn writing(&self) -> sqlx::Result<Transaction> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }

    /// Begins a transaction that reads. All its statements see the same state.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn reading(&self) -> sqlx::Result<Transaction> {
        self.pool.begin().await
    }
}

/// Whether a table has no rows.
///
/// # Errors
/// If the database fails.
pub async fn is_empty(db: impl SqliteExecutor<'_>, table: &'static str) -> sqlx::Result<bool> {
    // Table names are constants of the program.
    let sql = AssertSqlSafe(format!("SELECT NOT EXISTS (SELECT 1 FROM {table})"));
    sqlx::query_scalar(sql).fetch_one(db).await
}

async fn open_sqlite(
    file: Option<&Path>,
    migrations: Migrations,
) -> Result<SqlitePool, CannotOpen> {
    // Slow statements would be logged with their text.
    let options = SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    let (pool, options) = match file {
        None => (pool.min_connections(1).max_connections(1), options),
        Some(file) => (
            pool.max_connections(4),
            options
                .filename(file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal),
        ),
    };
    let pool = pool
        .connect_with(options)
        .await
        .map_err(|source| CannotOpen::File {
            file: file.map_or_else(|| "in memory".to_owned(), |file| file.display().to_string()),
            source,
        })?;

    let migrations = (1..).zip(migrations).map(|(version, (name, sql))| {
        let (simple, in_transaction) = (MigrationType::Simple, false);
        Migration::new(
            version,
            (*name).into(),
            simple,
            sql.into_sql_str(),
            in_transaction,
        )
    });
    Migrator::with_migrations(migrations.collect())
        .run(&pool)
        .await?;
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: Migrations = &[
        ("notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY)"),
        (
            "words",
            "CREATE TABLE words (note INTEGER NOT NULL REFERENCES notes)",
        ),
    ];

    #[tokio::test]
    async fn memory_is_one_database_for_everybody() {
        let pool = open_sqlite(None, NOTES).await.unwrap();
        sqlx::query("INSERT INTO notes VALUES (1)")
            .execute(&pool)
            .await
            .unwrap();
        let counts = (0..8).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                sqlx::query_scalar::<_, i64>("SELECT count(*) FROM notes")
                    .fetch_one(&pool)
                    .await
            })
        });
        for count in counts.collect::<Vec<_>>() {
            assert_eq!(count.await.unwrap().unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn a_file_is_made_kept_and_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.db");
        let old = open_sqlite(Some(&file), &NOTES[..1]).await.unwrap();
        sqlx::query("INSERT INTO notes VALUES (7)")
            .execute(&old)
            .await
            .unwrap();
        old.close().await;

        let new = open_sqlite(Some(&file), NOTES).await.unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&new)
            .await
            .unwrap();
        assert_eq!(journal, "wal");
        sqlx::query("INSERT INTO words VALUES (7)")
            .execute(&new)
            .await
            .unwrap();
        let foreign = sqlx::query("INSERT INTO words VALUES (8)")
            .execute(&new)
            .await;
        let foreign = foreign.unwrap_err().into_database_error().unwrap();
        assert!(foreign.is_foreign_key_violation());
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter.txt");
        std::fs::write(&file, "Dear customer, ".repeat(100)).unwrap();
        let error = open_sqlite(Some(&file), NOTES).await.unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains("letter.txt"), "{sentence}");
        assert!(sentence.contains("--database"), "{sentence}");
    }

    #[tokio::test]
    async fn a_write_that_is_not_committed_never_was() {
        let database = Database::open(None, NOTES).await.unwrap();
        for commit in [false, true] {
            let mut tx = database.writing().await.unwrap();
            let insert = sqlx::query("INSERT INTO notes VALUES (1)");
            insert.execute(&mut *tx).await.unwrap();
            if commit {
                tx.commit().await.unwrap();
            } else {
                drop(tx);
            }
            let mut tx = database.reading().await.unwrap();
            assert_eq!(is_empty(&mut *tx, "notes").await.unwrap(), !commit);
        }
    }
}
