//! The platform's rows of one tenant in one mode, read and changed through row-level security.
//!
//! No statement names the tenant or the mode. A transaction says both before it reads, and the tables' policies do the
//! rest. That setting ends with the transaction, so no connection carries it to the next request. Without it there are no
//! rows.

mod actions;
mod setup;
mod statements;
mod tables;

use std::{
    error::Error,
    str::FromStr,
    time::{Duration, Instant},
};

use churnkey_integrator::{
    CustomerId, ErrorClass, Mode, Result, SubscriptionId, TenantId, Timestamp,
};
use example_app::{Clock, SharedClock};
use sqlx::{
    ConnectOptions, FromRow, PgPool, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow},
    query::QueryAs,
    query_as, query_scalar,
};
use uuid::Uuid;

pub use actions::Action;
pub use setup::{DemoSize, Setup};
pub use tables::Table;

use crate::record::{Customer, Subscription, Token, uuid};
use statements as sql;

/// What the application connects as: a role that owns no table.
const ROLE: &str = "saas_app";

type Transaction = sqlx::Transaction<'static, Postgres>;

/// All tenants, over one pool of connections, seen at a moment. A clone shares the pool.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    clock: SharedClock,
}

/// Why the platform's database can't be used. Shows nothing of its address, of a statement or of anybody's data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address can't be read.
    #[error(
        "the database's address can't be read: write postgres://user:password@host:port/database"
    )]
    Address,
    /// The policies don't hold for the role.
    #[error(
        "the role {ROLE} sees the rows of all tenants: it must own no table, and have neither SUPERUSER nor BYPASSRLS"
    )]
    NoRowSecurity,
    /// PostgreSQL answered with an error.
    #[error(
        "{doing} failed: PostgreSQL answered SQLSTATE {code} (appendix A of its manual says what that is)"
    )]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What is wrong.
        code: String,
    },
    /// PostgreSQL could not be asked.
    #[error("{doing} failed: the database can't be reached at its address")]
    Unreachable {
        /// What was being done.
        doing: &'static str,
    },
}

impl Store {
    /// Connects as the role that sees one tenant at a time.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached, or has no row-level security for that role.
    pub async fn connect(address: &str, clock: Clock) -> Result<Self, StoreError> {
        let options = options(address)?.options([
            ("role", ROLE),
            ("statement_timeout", "8s"),
            ("lock_timeout", "4s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(Duration::from_secs(4));
        let failed = StoreError::of("connecting to the database");
        let pool = pool.connect_with(options).await.map_err(&failed)?;
        let is_active = query_scalar("SELECT row_security_active('customers')");
        if is_active.fetch_one(&pool).await.map_err(&failed)? {
            let clock = SharedClock::new(clock);
            Ok(Self { pool, clock })
        } else {
            Err(StoreError::NoRowSecurity)
        }
    }

    /// The same data, seen at another time.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self {
            clock: SharedClock::new(clock),
            ..self.clone()
        }
    }

    /// Sets the clock of this store and of all clones of it.
    pub fn set_clock(&self, clock: Clock) {
        self.clock.set(clock);
    }

    /// The time that the data live in.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The pool. Without a tenant's transaction, it shows the rows of none.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The tokens of the tenant that URLs name so, the newest first. None if there is no such tenant.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn tokens(&self, slug: &str) -> Result<Vec<Token>> {
        if slug.contains('\0') {
            // PostgreSQL has no such text.
            return Ok(Vec::new());
        }
        let tokens = query_as(sql::TOKENS).bind(slug).fetch_all(&self.pool);
        Ok(tokens.await?)
    }

    /// The rows of a tenant in a mode, for a request that has this much time left.
    #[must_use]
    pub fn shop_of(&self, tenant: &TenantId, mode: Mode, time_left: Duration) -> Shop {
        Shop {
            pool: self.pool.clone(),
            tenant: tenant.clone(),
            mode,
            ends: Instant::now() + time_left,
        }
    }
}

/// The rows of one tenant in one mode. Every method fails with whatever kept the database from answering.
#[derive(Debug, Clone)]
pub struct Shop {
    pool: PgPool,
    tenant: TenantId,
    mode: Mode,
    ends: Instant,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "it is the same for all of them, and said above"
)]
impl Shop {
    /// The row with this id.
    pub async fn by_id<R: Table>(&self, id: &str) -> Result<Option<R>> {
        let rows = self.rows(query_as(R::BY_ID).bind(uuid(id))).await?;
        Ok(rows.into_iter().next())
    }

    /// At most so many rows after an id.
    pub async fn after<R: Table>(&self, id: Uuid, limit: i64) -> Result<Vec<R>> {
        self.rows(query_as(R::AFTER).bind(id).bind(limit)).await
    }

    /// Two customers at most with this [lookup key](churnkey_integrator::Email::lookup_key) of an e-mail address.
    pub async fn customers_by_email(&self, key: &str) -> Result<Vec<Customer>> {
        self.rows(query_as(sql::CUSTOMERS_BY_EMAIL).bind(key)).await
    }

    /// Two customers at most with this [lookup key](churnkey_integrator::Phone::lookup_key) of a phone number.
    pub async fn customers_by_phone(&self, key: &str) -> Result<Vec<Customer>> {
        self.rows(query_as(sql::CUSTOMERS_BY_PHONE).bind(key)).await
    }

    /// A customer's subscription.
    pub async fn subscription(
        &self,
        customer: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        let rows = query_as(sql::SUBSCRIPTION).bind(uuid(customer.as_str()));
        let rows = rows.bind(uuid(id.as_str()));
        Ok(self.rows(rows).await?.into_iter().next())
    }

    /// At most so many of a customer's subscriptions after an id.
    pub async fn subscriptions_after(
        &self,
        customer: &CustomerId,
        id: Uuid,
        limit: i64,
    ) -> Result<Vec<Subscription>> {
        let rows = query_as(sql::SUBSCRIPTIONS_AFTER).bind(uuid(customer.as_str()));
        self.rows(rows.bind(id).bind(limit)).await
    }

    async fn rows<R>(&self, rows: QueryAs<'_, Postgres, R, PgArguments>) -> Result<Vec<R>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut transaction = self.begin().await?;
        let rows = rows.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    async fn begin(&self) -> sqlx::Result<Transaction> {
        let mut transaction = self.pool.begin().await?;
        let only = sqlx::query(sql::ONLY_ROWS_OF).bind(self.tenant.as_str());
        // So that the server does not work on for a request that was given up. Zero would be no limit.
        let time_left = self.ends.saturating_duration_since(Instant::now());
        let millis = i64::try_from(time_left.as_millis()).unwrap_or(i64::MAX);
        let only = only
            .bind((self.mode == Mode::Live).to_string())
            .bind(millis.max(1));
        only.execute(&mut *transaction).await?;
        Ok(transaction)
    }
}

fn options(address: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(address).map_err(|_| StoreError::Address)?;
    // Statements would be logged with their text when they are slow.
    Ok(options.application_name("saas").disable_statement_logging())
}

impl StoreError {
    fn of(doing: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |error| {
            tracing::debug!(%error, "{doing} failed");
            match error.as_database_error().and_then(|error| error.code()) {
                Some(code) => Self::Refused {
                    doing,
                    code: code.into_owned(),
                },
                None => Self::Unreachable { doing },
            }
        }
    }
}

/// What Churnkey is answered, for `classify_errors`: a 503 if the same request may succeed in a moment.
pub(crate) fn error_class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    let is_temporary = match error.downcast_ref()? {
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        // Classes 08, 40, 53 and 57: lost connections, deadlocks, no more connections or disk space, a server that stops
        // and a statement that took too long. 25006: a server that takes only reads. 55P03: a lock that somebody keeps.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let classes = ["08", "40", "53", "57", "25006", "55P03"];
            classes.iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    };
    is_temporary.then_some(ErrorClass::Unavailable)
}
