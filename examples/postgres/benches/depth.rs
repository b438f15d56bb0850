//! Does a page cost the same at any depth? `cargo bench -p postgres --bench depth`
//!
//! Starts a PostgreSQL of its own, loads 1,000,000 customers, and reads pages of 100 at depth 0 and at depth 900,000,
//! in turns. First end to end, through the signed router in process; then the bare statements, beside OFFSET.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark has no use for going on without its figures"
)]

use std::time::{Duration, Instant};

use churnkey_conformance::Client;
use churnkey_integrator::{IntegrationToken, Timestamp};
use postgres::{churnkey, store::Store};
use throwaway_postgres::ThrowawayPostgres;
use tokio_postgres::{Client as PgClient, NoTls, Statement};

const CUSTOMERS: u32 = 1_000_000;
const DEPTH: i64 = 900_000;
const PAGE: i64 = 100;
const ROUNDS: usize = 1000;
const OFFSET_ROUNDS: usize = 20;
const WARM_UP: usize = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo test --benches` runs this too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let server = ThrowawayPostgres::start();
    let store = Store::connect(&server.url()).unwrap();
    store.migrate().await.unwrap();
    let begun = Instant::now();
    store.generate(CUSTOMERS, Timestamp::now()).await.unwrap();
    println!("{CUSTOMERS} customers loaded in {:.1?}", begun.elapsed());

    let token = IntegrationToken::new("a-token-for-a-benchmark").unwrap();
    let integration = churnkey::integration(&store, token.clone()).unwrap();
    let client = Client::new(integration.into_router(), token);
    let first = format!("/churnkey/customers?limit={PAGE}");
    let deep = format!("{first}&cursor={}", cursor_at_depth(&client).await);
    let answer = client.get(&deep).await;
    assert_eq!(answer.body()["data"][0]["id"], "cus_gen_0900001");

    let mut times = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + ROUNDS {
        for (path, times) in [&first, &deep].into_iter().zip(&mut times) {
            let begun = Instant::now();
            let answer = client.get(path).await;
            let took = begun.elapsed();
            assert_eq!(answer.status(), 200);
            if round >= WARM_UP {
                times.push(took);
            }
        }
    }
    println!("\npage of {PAGE}, end to end          median");
    report("depth 0", &mut times[0], None);
    let first = median(&mut times[0]);
    report("depth 900,000", &mut times[1], Some(first));

    let (connection, driver) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
    tokio::spawn(driver);
    // Of the bare table: a discount for each row that OFFSET only skips would make it look worse than it is.
    let select = "SELECT * FROM churnkey_live.customers";
    let keyset = format!("{select} WHERE seq > $1 ORDER BY seq LIMIT $2");
    let keyset = connection.prepare(&keyset).await.unwrap();
    let offset = format!("{select} ORDER BY seq OFFSET $1 LIMIT $2");
    let offset = connection.prepare(&offset).await.unwrap();
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(statement(&connection, &keyset, 0).await);
        times[1].push(statement(&connection, &keyset, DEPTH).await);
    }
    for _ in 0..OFFSET_ROUNDS {
        times[2].push(statement(&connection, &offset, DEPTH).await);
    }
    println!("\nthe statement alone            median");
    report("keyset, depth 0", &mut times[0], None);
    let first = median(&mut times[0]);
    report("keyset, depth 900,000", &mut times[1], Some(first));
    report("OFFSET 900000", &mut times[2], Some(first));
}

async fn statement(connection: &PgClient, statement: &Statement, depth: i64) -> Duration {
    let begun = Instant::now();
    let rows = connection.query(statement, &[&depth, &(PAGE + 1)]).await;
    let took = begun.elapsed();
    assert_eq!(rows.unwrap()[0].get::<_, i64>("seq"), depth + 1);
    took
}

/// Cursors are signed, so the only way to a deep one is the one that Churnkey takes.
async fn cursor_at_depth(client: &Client) -> String {
    let first = "/churnkey/customers?limit=500";
    let mut path = first.to_owned();
    let mut cursor = String::new();
    for _ in 0..DEPTH / 500 {
        let answer = client.get(&path).await;
        let next = answer.body()["next"].as_str();
        cursor = next.expect("the list goes on").to_owned();
        path = format!("{first}&cursor={cursor}");
    }
    cursor
}

fn report(what: &str, times: &mut [Duration], against: Option<Duration>) {
    let median = median(times);
    print!("{what:<24} {:>9.3} ms", median.as_secs_f64() * 1000.0);
    match against {
        Some(first) => println!("   {:.2}x", median.as_secs_f64() / first.as_secs_f64()),
        None => println!(),
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
