//! What is done once, by the owner of the tables: the schema, and the demo data.

use churnkey_integrator::{Timestamp, idempotency};
use sqlx::{
    ConnectOptions, Connection, FromRow, PgConnection, query, query_as, query_scalar, raw_sql,
};

use super::{StoreError, options};

/// What the platform had, and what it added for Churnkey. Each is run if its table is not there.
const MIGRATIONS: [(&str, &str); 3] = [
    (
        "tenants",
        include_str!("../../migrations/0001_platform.sql"),
    ),
    (
        "churnkey_idempotency_records",
        idempotency::postgres::CREATE,
    ),
    (
        "churnkey_tokens",
        include_str!("../../migrations/0002_churnkey.sql"),
    ),
];

/// How many tenants the demo data have, and how many generated customers each of them.
#[derive(Debug, Clone, Copy)]
pub struct DemoSize {
    /// The tenants, from `tenant-01` on.
    pub tenants: u32,
    /// The generated customers of each tenant, in live mode.
    pub customers: u32,
}

/// The database as its owner sees it: all tables, all tenants.
#[derive(Debug)]
pub struct Setup(PgConnection);

impl Setup {
    /// Connects, and makes the tables that are not there.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached, or refuses.
    pub async fn migrate(address: &str) -> Result<Self, StoreError> {
        let connection = options(address)?.connect().await;
        let mut owner = connection.map_err(StoreError::of("connecting to the database"))?;
        let migrated = async {
            let mut transaction = owner.begin().await?;
            // Of several processes that start at once, one does it.
            query("SELECT pg_advisory_xact_lock(hashtext('saas'))")
                .execute(&mut *transaction)
                .await?;
            for (table, migration) in MIGRATIONS {
                let is_there = query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table);
                if !is_there.fetch_one(&mut *transaction).await? {
                    raw_sql(migration).execute(&mut *transaction).await?;
                }
            }
            transaction.commit().await
        };
        let migrated: sqlx::Result<()> = migrated.await;
        migrated.map_err(StoreError::of("making the tables"))?;
        Ok(Self(owner))
    }

    /// Fills the database with demo data as of a moment, unless there are tenants. Whether it did.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub async fn load_demo(&mut self, size: DemoSize, now: Timestamp) -> Result<bool, StoreError> {
        let loaded = async {
            let mut transaction = self.0.begin().await?;
            query("LOCK TABLE tenants IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *transaction)
                .await?;
            let has_tenants = query_scalar("SELECT EXISTS (SELECT FROM tenants)");
            if has_tenants.fetch_one(&mut *transaction).await? {
                return Ok(false);
            }
            query(
                "SELECT set_config('demo.tenants', $1, true), set_config('demo.customers', $2, true),
                    set_config('demo.now', $3, true)",
            )
            .bind(size.tenants.to_string())
            .bind(size.customers.to_string())
            .bind(now.to_string())
            .execute(&mut *transaction)
            .await?;
            raw_sql(include_str!("../demo.sql"))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(true)
        };
        let loaded: sqlx::Result<bool> = loaded.await;
        loaded.map_err(StoreError::of("loading the demo data"))
    }

    /// Whether a token that everybody may read here opens some tenant's data.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub async fn has_demo_tokens(&mut self) -> Result<bool, StoreError> {
        let found = query_scalar(
            "SELECT EXISTS (
                SELECT FROM churnkey_tokens WHERE token LIKE 'ck-demo-token-of-%' AND revoked_at IS NULL
            )",
        );
        let found = found.fetch_one(&mut self.0).await;
        found.map_err(StoreError::of("reading the tokens"))
    }

    /// Whom to call for, to see that it works: the first tenant's first customer. `None` without tenants.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub async fn example(&mut self) -> Result<Option<Example>, StoreError> {
        let found = query_as(
            "WITH first AS (
                SELECT t.id, t.slug, k.token FROM tenants t JOIN churnkey_tokens k ON k.tenant_id = t.id
                WHERE t.deleted_at IS NULL AND k.revoked_at IS NULL
                ORDER BY t.slug, k.created_at DESC LIMIT 1
            )
            SELECT slug AS tenant, token, c.id::text AS customer
            FROM first JOIN customers c ON c.tenant_id = first.id
            WHERE c.deleted_at IS NULL AND c.livemode
            ORDER BY c.created_at, c.customer_number LIMIT 1",
        );
        let found = found.fetch_optional(&mut self.0).await;
        found.map_err(StoreError::of("looking for a customer"))
    }
}

/// A call that will be answered.
#[derive(FromRow)]
#[expect(missing_debug_implementations, reason = "it holds a token")]
pub struct Example {
    /// The tenant's name in URLs.
    pub tenant: String,
    /// A token that opens the tenant's data.
    pub token: String,
    /// The id of a live customer.
    pub customer: String,
}
