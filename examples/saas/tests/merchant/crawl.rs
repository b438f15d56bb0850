//! A crawl over a table as real ones are: of a hundred rows one makes no sense.

use std::collections::BTreeSet;

use churnkey_conformance::Client;
use serde_json::Value;
use sqlx::PgPool;
use throwaway_postgres::test_database;

use crate::{Caller, process::Running, token};

/// The ids of the customers that are there: those with these numbers, or all others.
async fn ids(owner: &PgPool, numbers: &str, is_dirty: bool) -> BTreeSet<String> {
    let ids = "SELECT id::text FROM customers
        WHERE livemode AND deleted_at IS NULL AND (customer_number LIKE $1) = $2";
    let ids = sqlx::query_scalar(ids).bind(numbers).bind(is_dirty);
    let ids: Vec<String> = ids.fetch_all(owner).await.unwrap();
    ids.into_iter().collect()
}

/// The program itself, so that its log holds nothing but what this crawl has caused.
#[tokio::test]
async fn a_crawl_delivers_every_clean_customer_once_and_logs_every_dirty_one_once() {
    let database = test_database();
    let arguments = ["--demo", "--tenants", "1", "--customers", "100000"];
    let program = Running::start(database.url(), &arguments);
    let owner = PgPool::connect(database.url()).await.unwrap();
    let clean = ids(&owner, "C-%37", false).await;
    let dirty = ids(&owner, "C-%37", true).await;
    assert_eq!(dirty.len(), 1000);
    assert!(clean.len() >= 99_000, "{}", clean.len());

    let url = format!("{}/tenants/tenant-01/churnkey", program.base());
    let caller = Caller(Client::at(&url, token("tenant-01")).unwrap());
    let served = caller.crawl("/customers", 500).await;
    let id = |customer: &Value| customer["id"].as_str().unwrap().to_owned();
    assert_eq!(served.len(), clean.len());
    assert_eq!(served.iter().map(id).collect::<BTreeSet<_>>(), clean);

    let (code, log) = program.end();
    assert_eq!(code, Some(0));
    let left_out = log.lines();
    let left_out = left_out.filter(|line| line.contains("a row was left out of the page"));
    let left_out: Vec<&str> = left_out.collect();
    let key = |line: &&str| {
        let (_, after) = line.split_once("key=").unwrap();
        after.split(' ').next().unwrap().to_owned()
    };
    assert_eq!(left_out.len(), dirty.len());
    assert_eq!(left_out.iter().map(key).collect::<BTreeSet<_>>(), dirty);
    for reason in [
        "ISO 4217",
        "ISO 3166-1",
        "control characters",
        "0000 to 9999",
    ] {
        let lines = left_out.iter().filter(|line| line.contains(reason));
        assert_eq!(lines.count(), 250, "{reason}\n{}", left_out[0]);
    }
    for private in ["BTC", "Germany", "example.com", "20240", "Customer"] {
        assert!(!log.contains(private), "{private}");
    }
}
