//! The platform over a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics with a clear sentence has done its work"
)]

mod actions;
mod conformance;
mod crawl;
mod isolation;
mod process;
mod row_security;
mod rows;

use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use churnkey_conformance::Client;
use churnkey_integrator::{IntegrationToken, Mode};
use example_app::Clock;
use http::Method;
use saas::{
    churnkey,
    store::{DemoSize, Setup, Store},
};
use serde_json::Value;
use sqlx::PgPool;
use throwaway_postgres::{TestDatabase, test_database};

/// When the demo data of the tests take place.
const NOW: &str = "2026-01-15T12:00:00Z";

/// The platform in a database of its own.
struct Platform {
    store: Store,
    /// The database as the owner of the tables sees it.
    owner: PgPool,
    database: TestDatabase,
}

impl Platform {
    async fn with_demo_data(tenants: u32, customers: u32) -> Self {
        let database = test_database();
        let mut setup = Setup::migrate(database.url()).await.unwrap();
        let size = DemoSize { tenants, customers };
        assert!(setup.load_demo(size, NOW.parse().unwrap()).await.unwrap());
        let clock = Clock::Frozen(NOW.parse().unwrap());
        Self {
            store: Store::connect(database.url(), clock).await.unwrap(),
            owner: PgPool::connect(database.url()).await.unwrap(),
            database,
        }
    }

    fn url(&self) -> &str {
        self.database.url()
    }

    /// The app as `main` builds it.
    fn app(&self) -> Router {
        self.app_at(NOW)
    }

    fn app_at(&self, moment: &str) -> Router {
        let store = self.store.at(Clock::Frozen(moment.parse().unwrap()));
        let integration = churnkey::integration(&store).unwrap();
        Router::new().nest("/tenants/{tenant}", integration.into_router())
    }

    /// The id of a demo record, such as `tenant-01/live/customer/C-ada`.
    async fn id(&self, name: &str) -> String {
        let id = "SELECT overlay(overlay(md5('saas demo/' || $1) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid::text";
        let id = sqlx::query_scalar(id).bind(name).fetch_one(&self.owner);
        id.await.unwrap()
    }

    /// A statement of the owner's.
    async fn sql(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&self.owner).await.unwrap();
    }
}

fn slug(tenant: u32) -> String {
    format!("tenant-{tenant:02}")
}

fn token(tenant: &str) -> IntegrationToken {
    IntegrationToken::new(format!("ck-demo-token-of-{tenant}")).unwrap()
}

/// A client with the demo token of this tenant, at its path.
fn client(app: &Router, tenant: &str) -> Client {
    Client::new(app.clone(), token(tenant)).mounted_at(&format!("/tenants/{tenant}/churnkey"))
}

/// Calls for one tenant.
struct Caller(Client);

impl Caller {
    fn new(app: &Router, tenant: &str) -> Self {
        Self(client(app, tenant))
    }

    fn in_test_mode(&self) -> Self {
        Self(self.0.in_mode(Mode::Test))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let path = format!("{}{path}", self.0.prefix());
        let answer = self.0.get(&path).await;
        (answer.status(), answer.into_body())
    }

    async fn found(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// All records of a list.
    async fn crawl(&self, list: &str, limit: usize) -> Vec<Value> {
        let (mut records, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.found(&format!("{list}?limit={limit}{cursor}")).await;
            let data = page["data"].as_array_mut().unwrap();
            assert!(!data.is_empty() || page["next"].is_null(), "an empty page");
            records.append(page["data"].as_array_mut().unwrap());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return records,
            }
        }
    }

    /// An action, as a request of its own.
    async fn act(&self, action: &str, body: &Value) -> (u16, Value) {
        let key = format!("a new one, {}", count());
        self.act_as(&key, action, body).await
    }

    /// An action, with an `Idempotency-Key`.
    async fn act_as(&self, key: &str, action: &str, body: &Value) -> (u16, Value) {
        // A parameter that nobody reads tells the signatures of one second apart.
        let path = format!(
            "{}/actions/subscription/{action}?call={}",
            self.0.prefix(),
            count()
        );
        let call = self.0.call(Method::POST, &path);
        let call = call.header("idempotency-key", key).body(body.to_string());
        let answer = call.signed().send().await;
        (answer.status(), answer.into_body())
    }
}

fn count() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
