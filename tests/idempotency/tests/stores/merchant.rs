//! A merchant in a database of its own, with one of the drivers.

use std::{sync::Arc, time::Duration};

use churnkey_integrator::{
    ExtendTrialAction,
    idempotency::{IdempotencyStore, postgres, sqlite},
};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use idempotency_tests::{
    CREATE, diesel_postgres, sqlx_postgres, sqlx_sqlite, tokio_postgres as tokio_shop,
};
use sqlx::{
    AssertSqlSafe, PgPool, Row, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tempfile::TempDir;
use throwaway_postgres::{TestDatabase, test_database};

const CONNECTIONS: u32 = 16;
/// A thousand attempts at once wait for a connection, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Driver {
    SqlxPostgres,
    Diesel,
    TokioPostgres,
    SqlxSqlite,
}

impl Driver {
    const POSTGRES: [Self; 3] = [Self::SqlxPostgres, Self::Diesel, Self::TokioPostgres];
}

/// With the merchant's own table and those of its records.
pub(crate) enum Database {
    Postgres(TestDatabase, PgPool),
    Sqlite(TempDir, SqlitePool),
}

/// The test's own.
pub(crate) enum Connections {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

impl Connections {
    pub(crate) async fn run(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Postgres(pool) => drop(sql.execute(pool).await.unwrap()),
            Self::Sqlite(pool) => drop(sql.execute(pool).await.unwrap()),
        }
    }
}

/// As one process has it.
pub(crate) struct Merchant {
    pub(crate) store: Arc<dyn IdempotencyStore>,
    pub(crate) action: Arc<dyn ExtendTrialAction>,
}

impl Merchant {
    fn new(shop: impl IdempotencyStore + ExtendTrialAction + Clone) -> Self {
        Self {
            store: Arc::new(shop.clone()),
            action: Arc::new(shop),
        }
    }
}

impl Database {
    pub(crate) async fn postgres() -> Self {
        let database = test_database();
        let pool = PgPool::connect(database.url()).await.unwrap();
        let created = Self::Postgres(database, pool);
        created.run(postgres::CREATE).await;
        created.run(CREATE).await;
        created
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pool = sqlite_pool(&folder).await;
        let created = Self::Sqlite(folder, pool);
        created.run(sqlite::CREATE).await;
        created.run(CREATE).await;
        created
    }

    /// Runs a test with every driver, each in a database as it is after its creation.
    pub(crate) async fn with_each_driver(test: impl AsyncFn(&Self, Driver)) {
        let postgres = Self::postgres().await;
        for driver in Driver::POSTGRES {
            test(&postgres, driver).await;
            let empty = "DELETE FROM churnkey_idempotency_records; DROP TABLE subscriptions";
            postgres.run(empty).await;
            postgres.run(CREATE).await;
        }
        test(&Self::sqlite().await, Driver::SqlxSqlite).await;
    }

    /// A merchant as it starts: nothing is left of one before but the database.
    pub(crate) async fn merchant(&self, driver: Driver) -> Merchant {
        let url = match self {
            Self::Sqlite(folder, _) => {
                let pool = sqlite_pool(folder).await;
                return Merchant::new(sqlx_sqlite::Shop { pool });
            }
            Self::Postgres(database, _) => database.url(),
        };
        match driver {
            Driver::Diesel => {
                let manager = AsyncDieselConnectionManager::new(url);
                let pool = diesel_async::pooled_connection::deadpool::Pool::builder(manager);
                let pool = pool.max_size(CONNECTIONS as usize).build().unwrap();
                Merchant::new(diesel_postgres::Shop { pool })
            }
            Driver::TokioPostgres => {
                let config = url.parse().unwrap();
                let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
                let pool = deadpool_postgres::Pool::builder(manager);
                let pool = pool.max_size(CONNECTIONS as usize).build().unwrap();
                Merchant::new(tokio_shop::Shop { pool })
            }
            Driver::SqlxPostgres | Driver::SqlxSqlite => {
                let pool = PgPoolOptions::new().acquire_timeout(PATIENCE);
                let pool = pool.max_connections(CONNECTIONS);
                let pool = pool.connect(url).await.unwrap();
                Merchant::new(sqlx_postgres::Shop { pool })
            }
        }
    }

    pub(crate) fn connections(&self) -> Connections {
        match self {
            Self::Postgres(_, pool) => Connections::Postgres(pool.clone()),
            Self::Sqlite(_, pool) => Connections::Sqlite(pool.clone()),
        }
    }

    /// Runs statements of the test's own.
    pub(crate) async fn run(&self, sql: &str) {
        self.connections().run(sql).await;
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Postgres(_, pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Self::Sqlite(_, pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// How SQLite runs a statement, a line a step.
    pub(crate) async fn sqlite_plan(&self, statement: &str) -> String {
        let Self::Sqlite(_, pool) = self else {
            panic!("not SQLite");
        };
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps = sqlx::query(explain).fetch_all(pool).await.unwrap();
        let steps = steps.iter().map(|step| step.get::<String, _>("detail"));
        steps.map(|step| step + "\n").collect()
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Postgres(database, _) => database.url(),
            Self::Sqlite(..) => panic!("SQLite has no address"),
        }
    }
}

async fn sqlite_pool(folder: &TempDir) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Nothing here waits for the disk: no test crashes the machine.
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(PATIENCE);
    let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE);
    let pool = pool.max_connections(2);
    pool.connect_with(options).await.unwrap()
}
