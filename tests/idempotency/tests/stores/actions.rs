//! An action that doubles when it comes twice, over the programs of the guide.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use churnkey_integrator::{
    Integration, IntegrationToken, Mode, RequestContext, Result, Timestamp, async_trait,
    idempotency::{Attempt, IdempotencyStore, Known},
    sign,
};
use futures_util::future::join_all;
use http::{Method, Request};
use idempotency_tests::{Catalogue, TRIAL_ENDS_AT};
use tower::ServiceExt;

use crate::merchant::{Connections, Database, Merchant};

const PATH: &str = "/churnkey/actions/subscription/extend-trial";
const A_WEEK: &str =
    r#"{"customerId":"cus_1","subscriptionId":"sub_1","duration":{"amount":1,"unit":"week"}}"#;
const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;
const DONE: (u16, String) = (200, String::new());

fn token() -> IntegrationToken {
    IntegrationToken::new("a-token-for-this-test").unwrap()
}

impl Merchant {
    fn router(self) -> Router {
        let store = Arc::clone(&self.store);
        self.router_with(store)
    }

    fn router_with(self, store: impl IdempotencyStore) -> Router {
        let integration = Integration::builder("Shop", token())
            .customers(Catalogue)
            .prices(Catalogue)
            .subscriptions(Catalogue)
            .cancel(Catalogue)
            .extend_trial(self.action)
            .idempotency(store);
        integration.live_only().build().unwrap().into_router()
    }
}

/// The same bytes with every call for the same time.
async fn send(router: &Router, signed_at: Timestamp) -> (u16, String) {
    let body = A_WEEK.as_bytes();
    let signature = sign(&token(), &Method::POST, PATH, Mode::Live, body, signed_at);
    let mut request = Request::post(PATH).header("content-type", "application/json");
    for (name, value) in signature.headers() {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(A_WEEK)).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

impl Database {
    /// By how many weeks the trial has grown.
    async fn weeks(&self) -> i64 {
        let end = self.number("SELECT trial_ends_at FROM subscriptions").await;
        assert_eq!((end - TRIAL_ENDS_AT) % WEEK, 0);
        (end - TRIAL_ENDS_AT) / WEEK
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_done_once_by_all_processes_together() {
    Database::with_each_driver(async |database, driver| {
        let routers = [
            database.merchant(driver).await.router(),
            database.merchant(driver).await.router(),
        ];
        let first = Timestamp::now();
        let sent = (0..20).map(|n| send(&routers[n % 2], first));
        let mut done = 0;
        for (status, body) in join_all(sent).await {
            match status {
                200 => done += 1,
                409 => assert!(body.contains("still running"), "{driver:?}: {body}"),
                _ => panic!("{driver:?}: {status} {body}"),
            }
        }
        assert!(done > 0, "{driver:?}");
        assert_eq!(database.weeks().await, 1, "{driver:?}");
        drop(routers);
        // A process that starts later knows of it.
        let router = database.merchant(driver).await.router();
        assert_eq!(send(&router, first).await, DONE, "{driver:?}");
        assert_eq!(database.weeks().await, 1, "{driver:?}");
        // Another request is another week.
        let second = Timestamp::from_unix_seconds(first.unix_seconds() - 1).unwrap();
        assert_eq!(send(&router, second).await, DONE, "{driver:?}");
        assert_eq!(database.weeks().await, 2, "{driver:?}");
    })
    .await;
}

/// The store of a process that dies once the action has returned.
struct Dying(Arc<dyn IdempotencyStore>);

#[async_trait]
impl IdempotencyStore for Dying {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        self.0.begin(cx, attempt).await
    }

    async fn complete(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_crash_after_the_commit_neither_loses_nor_doubles() {
    Database::with_each_driver(async |database, driver| {
        let merchant = database.merchant(driver).await;
        let dying = Dying(Arc::clone(&merchant.store));
        let now = Timestamp::now();
        let unheard = send(&merchant.router_with(dying), now).await;
        assert_eq!(unheard, DONE, "{driver:?}");
        let router = database.merchant(driver).await.router();
        assert_eq!(send(&router, now).await, DONE, "{driver:?}");
        assert_eq!(database.weeks().await, 1, "{driver:?}");
    })
    .await;
}

/// A store in which another attempt takes each record over at once, as if the lease had expired while the action ran.
struct Overtaking {
    store: Arc<dyn IdempotencyStore>,
    connections: Connections,
}

#[async_trait]
impl IdempotencyStore for Overtaking {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let begun = self.store.begin(cx, attempt).await?;
        let table = match self.connections {
            Connections::Postgres(_) => "churnkey_idempotency_records",
            Connections::Sqlite(_) => "churnkey_idempotency_keys",
        };
        let over = format!("UPDATE {table} SET attempt = 1");
        self.connections.run(&over).await;
        Ok(begun)
    }

    async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        self.store.complete(cx, attempt).await
    }

    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        self.store.forget(cx, attempt).await
    }
}

#[tokio::test]
async fn an_attempt_that_has_lost_its_record_changes_nothing() {
    Database::with_each_driver(async |database, driver| {
        let merchant = database.merchant(driver).await;
        let store = Overtaking {
            store: Arc::clone(&merchant.store),
            connections: database.connections(),
        };
        let now = Timestamp::now();
        let (status, body) = send(&merchant.router_with(store), now).await;
        let taken = r#"{"code":409,"message":"Another attempt has taken over"}"#;
        assert_eq!((status, body.as_str()), (409, taken), "{driver:?}");
        assert_eq!(database.weeks().await, 0, "{driver:?}");
        // The other one still runs.
        let router = database.merchant(driver).await.router();
        assert_eq!(send(&router, now).await.0, 409, "{driver:?}");
        assert_eq!(database.weeks().await, 0, "{driver:?}");
    })
    .await;
}

/// Lets no transaction commit that updates a subscription.
const NO_COMMIT: &str = "CREATE TABLE owners (id text PRIMARY KEY);
    CREATE TABLE later (id text REFERENCES owners DEFERRABLE INITIALLY DEFERRED);";
const NO_COMMIT_POSTGRES: &str =
    "CREATE RULE later AS ON UPDATE TO subscriptions DO ALSO INSERT INTO later VALUES ('x')";
const NO_COMMIT_SQLITE: &str =
    "CREATE TRIGGER later AFTER UPDATE ON subscriptions BEGIN INSERT INTO later VALUES ('x'); END";

#[tokio::test]
async fn a_change_that_is_not_committed_leaves_no_record() {
    Database::with_each_driver(async |database, driver| {
        let (create, remove) = match database.connections() {
            Connections::Postgres(_) => (NO_COMMIT_POSTGRES, "DROP RULE later ON subscriptions"),
            Connections::Sqlite(_) => (NO_COMMIT_SQLITE, "DROP TRIGGER later"),
        };
        database.run(NO_COMMIT).await;
        database.run(create).await;
        let router = database.merchant(driver).await.router();
        let now = Timestamp::now();
        assert_eq!(send(&router, now).await.0, 500, "{driver:?}");
        assert_eq!(database.weeks().await, 0, "{driver:?}");
        database.run(remove).await;
        database.run("DROP TABLE later; DROP TABLE owners").await;
        assert_eq!(send(&router, now).await, DONE, "{driver:?}");
        assert_eq!(database.weeks().await, 1, "{driver:?}");
    })
    .await;
}
