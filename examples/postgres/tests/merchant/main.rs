//! The Postgres merchant over a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod actions;
mod concurrency;
mod conformance;
mod crashes;
mod crawl;
mod customers;
mod idempotency;
mod interruptions;
mod locks;
mod migrations;
mod outages;
mod plans;
mod process;
mod proxy;
mod records;
mod rolling_restart;
mod tls;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use churnkey_conformance::Client;
use churnkey_integrator::{Integration, Mode};
use example_app::{Clock, Demo, demo_token};
use http::Method;
use postgres::{churnkey, store::Store};
use serde_json::Value;
use throwaway_postgres::{TestDatabase, test_database};
use tokio_postgres::{GenericClient, NoTls};

/// A merchant in a database of its own.
struct Shop {
    store: Store,
    live: Client,
    test: Client,
    database: TestDatabase,
}

impl Shop {
    async fn empty() -> Self {
        let database = test_database();
        let store = migrated(database.url()).await;
        let live = client(&store);
        let test = live.in_mode(Mode::Test);
        Self {
            store,
            live,
            test,
            database,
        }
    }

    async fn with_demo_data() -> Self {
        let shop = Self::empty().await;
        assert!(load_demo(&shop.store).await);
        shop
    }

    /// The live data at a given time.
    fn at(&self, moment: &str) -> Client {
        client(&self.store.at(Clock::Frozen(moment.parse().unwrap())))
    }

    /// A connection beside the store's.
    async fn sql(&self) -> tokio_postgres::Client {
        sql(self.database.url()).await
    }
}

/// Calls an integration that has the token of the demo.
fn client_of(integration: Integration) -> Client {
    Client::new(integration.into_router(), demo_token().unwrap())
}

fn client(store: &Store) -> Client {
    client_of(churnkey::integration(store, demo_token().unwrap()).unwrap())
}

/// Calls an action as a request of its own, and checks that nothing but a refusal has a body.
async fn act(client: &Client, action: &str, body: &Value) -> (u16, Value) {
    let key = format!("a new one, {}", count());
    act_as(client, &key, action, body).await
}

fn count() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Calls an action with an `Idempotency-Key`. If it found no connection on a machine that is busy, it did not begin, and is
/// called again.
async fn act_as(client: &Client, key: &str, action: &str, body: &Value) -> (u16, Value) {
    let answer = loop {
        // An unused parameter makes the signatures of one second differ.
        let path = format!("/churnkey/actions/{action}?call={}", count());
        let call = client.call(Method::POST, &path);
        let call = call.header("idempotency-key", key).body(body.to_string());
        let answer = call.signed().send().await;
        if answer.cause() != Some("all connections for actions are in use") {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(answer.bytes().is_empty(), answer.status() == 200);
    assert!(answer.status() < 500, "{:?}", answer.cause());
    (answer.status(), answer.into_body())
}

async fn migrated(url: &str) -> Store {
    let store = Store::connect(url).unwrap();
    store.migrate().await.unwrap();
    store
}

async fn load_demo(store: &Store) -> bool {
    let demo = Demo::load().unwrap();
    store.load_if_empty(&demo.live, &demo.test).await.unwrap()
}

async fn open_store(url: &str) -> Store {
    let store = migrated(url).await;
    load_demo(&store).await;
    store
}

/// The address with a time limit of its own, which wins over the store's.
fn hasty(url: &str) -> String {
    with_options(url, "-c statement_timeout=300")
}

fn with_options(url: &str, options: &str) -> String {
    let options = options.replace(' ', "%20").replace('=', "%3D");
    with_parameter(url, &format!("options={options}"))
}

fn with_parameter(url: &str, parameter: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{parameter}")
}

async fn sql(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Waits until so many statements of the store wait for a lock that somebody else holds.
async fn locked_out(sql: &impl GenericClient, statements: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'churnkey' AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    loop {
        // A transaction would see what it saw first.
        let anew = "SELECT pg_stat_clear_snapshot()";
        sql.execute(anew, &[]).await.unwrap();
        let counted: i64 = sql.query_one(waiting, &[]).await.unwrap().get(0);
        if counted == statements {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{counted} statements wait for a lock, not {statements}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn demo_file() -> Value {
    serde_json::from_str(include_str!("../../../demo-billing.json")).unwrap()
}

/// The ids of a crawl from here to its end, and of no more than so many pages.
async fn crawl(
    client: &Client,
    limit: usize,
    cursor: &mut Option<String>,
    pages: usize,
) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..pages {
        let after = cursor
            .as_ref()
            .map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let answer = client
            .get(&format!("/churnkey/customers?limit={limit}{after}"))
            .await;
        assert_eq!(answer.status(), 200);
        let page = answer.body()["data"].as_array().unwrap();
        ids.extend(
            page.iter()
                .map(|customer| customer["id"].as_str().unwrap().to_owned()),
        );
        *cursor = answer.body()["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    ids
}

async fn whole_crawl(client: &Client, limit: usize) -> Vec<String> {
    let mut cursor = None;
    let ids = crawl(client, limit, &mut cursor, 1000).await;
    assert_eq!(cursor, None);
    ids
}
