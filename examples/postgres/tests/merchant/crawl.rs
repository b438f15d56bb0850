//! What a crawl sees while others write.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Shop, crawl, whole_crawl};

const INSERT: &str = "INSERT INTO churnkey_live.customers (id) VALUES ($1)";

#[tokio::test]
async fn a_slower_transaction_neither_disturbs_a_crawl_nor_is_lost() {
    let shop = Shop::empty().await;
    let (sql, mut slow) = (shop.sql().await, shop.sql().await);
    sql.execute(INSERT, &[&"before"]).await.unwrap();
    // Both get their numbers now. One commits before the crawl reaches it, the other one afterwards.
    let slow = slow.transaction().await.unwrap();
    slow.execute(INSERT, &[&"slow"]).await.unwrap();
    let mut less_slow = shop.sql().await;
    for id in ["a", "b", "c", "d"] {
        sql.execute(INSERT, &[&id]).await.unwrap();
    }
    let less_slow = less_slow.transaction().await.unwrap();
    less_slow.execute(INSERT, &[&"less slow"]).await.unwrap();
    sql.execute(INSERT, &[&"e"]).await.unwrap();

    let mut cursor = None;
    assert_eq!(crawl(&shop.live, 2, &mut cursor, 1).await, ["before", "a"]);
    slow.commit().await.unwrap();
    less_slow.commit().await.unwrap();
    sql.execute(INSERT, &[&"during"]).await.unwrap();
    assert_eq!(
        crawl(&shop.live, 2, &mut cursor, 100).await,
        ["b", "c", "d", "less slow", "e", "during"]
    );
    assert_eq!(cursor, None);
    assert_eq!(
        whole_crawl(&shop.live, 2).await,
        [
            "before",
            "slow",
            "a",
            "b",
            "c",
            "d",
            "less slow",
            "e",
            "during"
        ]
    );
}

#[tokio::test]
async fn one_long_writer_hides_nobody_else() {
    let shop = Shop::empty().await;
    let (sql, mut writer) = (shop.sql().await, shop.sql().await);
    let open = writer.transaction().await.unwrap();
    open.execute(INSERT, &[&"open"]).await.unwrap();
    sql.execute(INSERT, &[&"done"]).await.unwrap();
    assert_eq!(whole_crawl(&shop.live, 1).await, ["done"]);
    open.rollback().await.unwrap();
    assert_eq!(whole_crawl(&shop.live, 1).await, ["done"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_writes_every_lasting_row_comes_exactly_once() {
    let shop = Shop::empty().await;
    let clock = "2026-01-15T12:00:00Z".parse().unwrap();
    shop.store.generate(1000, clock).await.unwrap();
    // They insert, update and delete, in overlapping transactions.
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..3 {
        let (mut sql, stop) = (shop.sql().await, stop.clone());
        writers.push(tokio::spawn(async move {
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                let open = sql.transaction().await.unwrap();
                let id = format!("w{writer}_{written}");
                open.execute(INSERT, &[&id]).await.unwrap();
                let rewrite = "UPDATE churnkey_live.customers SET name = $1 WHERE id = $2";
                let lasting = format!("cus_gen_{:07}", written * 7 % 1000 + 1);
                open.execute(rewrite, &[&id, &lasting]).await.unwrap();
                let delete = "DELETE FROM churnkey_live.customers WHERE id = $1";
                let old = format!("w{writer}_{}", written / 2);
                open.execute(delete, &[&old]).await.unwrap();
                open.commit().await.unwrap();
                written += 1;
            }
            written
        }));
    }
    let lasting: Vec<String> = (1..=1000).map(|n| format!("cus_gen_{n:07}")).collect();
    for limit in [7, 100, 500] {
        let mut seen = whole_crawl(&shop.live, limit).await;
        let unique: HashSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "a row came twice");
        seen.retain(|id| id.starts_with("cus_gen_"));
        assert_eq!(seen, lasting);
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
}
