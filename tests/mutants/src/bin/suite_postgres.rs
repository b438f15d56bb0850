//! Runs the conformance suite against the Postgres example.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use example_app::{Clock, demo_token};
use mutants::{BoxError, run};
use postgres::{churnkey, store::Store};
use throwaway_postgres::test_database;
use tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let demo = suite_fixtures::demo()?;
    let database = test_database();
    let store = Store::connect(database.url())?;
    store.migrate().await?;
    store.load_if_empty(&demo.live, &demo.test).await?;
    let store = store.at(Clock::Frozen(demo.clock));
    let integration = churnkey::integration(&store, demo_token()?)?;

    let (sql, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    let (sql, calls) = (Arc::new(sql), Arc::new(AtomicUsize::new(0)));
    let fixtures = suite_fixtures::fixtures()
        .advance_clock(move |moment| {
            store.set_clock(Clock::Frozen(moment));
            async {}
        })
        .between_pages(move || {
            let (sql, call) = (sql.clone(), calls.fetch_add(1, Ordering::Relaxed));
            async move {
                let change = format!(
                    "INSERT INTO churnkey_live.families (id, name) VALUES ('fam_new_{call}', 'New plans');
                    INSERT INTO churnkey_live.customers (id) VALUES ('cus_new_{call}');
                    DELETE FROM churnkey_live.customers WHERE id IN ('cus_new_' || {call} - 1, 'cus_twin_a');
                    UPDATE churnkey_live.customers SET last_name = '{call}' WHERE id = 'cus_linus'"
                );
                // A change that fails changes nothing, and then the crawl is a quiet one.
                let _ = sql.batch_execute(&change).await;
            }
        });
    run(integration, &fixtures).await
}
