//! The servers that are written in Rust answer alike. The program checks those for Node, too, before it measures.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use rivals::{
    Server,
    alike::{cases, differences},
    database,
    source::Source,
};
use throwaway_postgres::test_database;
use tokio::{net::TcpListener, task::spawn_blocking};

const TOKEN: &str = "a-token-for-a-test-of-the-rivals";
const CUSTOMERS: u32 = 1200;

async fn start(server: Server, source: &Source) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let source = source.clone();
    tokio::spawn(async move {
        server.serve(&source, TOKEN, listener).await.unwrap();
    });
    address
}

/// What differs between the framework and each of these servers over its own source.
async fn found(servers: impl IntoIterator<Item = (Server, Source)>, ours: &Source) -> Vec<String> {
    let ours = start(Server::Ours, ours).await;
    let mut found = Vec::new();
    for (server, source) in servers {
        let other = start(server, &source).await;
        let compared = spawn_blocking(move || {
            let cases = cases(TOKEN, CUSTOMERS.into());
            differences(ours, other, &cases).unwrap()
        });
        let compared = compared.await.unwrap().into_iter();
        found.extend(compared.map(|difference| format!("{server:?}: {difference}")));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_answer_alike_from_memory_and_from_postgres() {
    let memory = Source::Memory {
        customers: CUSTOMERS,
    };
    let database = test_database();
    let url = database.url().to_owned();
    database::fill(&url, CUSTOMERS.into(), |_| {})
        .await
        .unwrap();
    let postgres = Source::Postgres { url };
    let from_memory = Server::ALL.map(|server| (server, memory.clone()));
    let from_postgres =
        [Server::Ours, Server::Production, Server::Lean].map(|server| (server, postgres.clone()));
    let servers = from_memory.into_iter().chain(from_postgres);
    assert_eq!(found(servers, &memory).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_other_customers_does_not_answer_alike() {
    let ours = Source::Memory {
        customers: CUSTOMERS,
    };
    let fewer = Source::Memory {
        customers: CUSTOMERS - 1,
    };
    let found = found([(Server::Lean, fewer)], &ours).await;
    let names: Vec<_> = found
        .iter()
        .filter_map(|difference| difference.split(": ").nth(1))
        .collect();
    assert_eq!(
        names,
        ["the last customer", "the last full page", "the last page",]
    );
}
