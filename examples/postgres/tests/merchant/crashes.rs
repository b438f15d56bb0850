//! The program dies around its COMMIT, or is stopped during an action, and the caller retries.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use churnkey_integrator::{Mode, Timestamp, sign};
use example_app::demo_token;
use http::Method;
use serde_json::{Value, from_str};
use throwaway_postgres::ThrowawayPostgres;

use crate::{
    locked_out,
    process::{Running, program},
    proxy::{Proxy, Trap},
    sql,
};

const PATH: &str = "/churnkey/actions/subscription/extend-trial";
const A_DAY: &str = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"type":"period","amount":1,"unit":"day"}}"#;
/// When the trial of the demo data ends.
const END: &str = "2026-01-24T00:00:00Z";

/// The program, in a database of its own that it reaches through a proxy.
struct Merchant {
    server: ThrowawayPostgres,
    proxy: Proxy,
}

impl Merchant {
    fn new() -> Self {
        let server = ThrowawayPostgres::start();
        let proxy = Proxy::start(&server.url());
        Self { server, proxy }
    }

    fn start(&self) -> (Running, String) {
        let mut running = Running::start(
            program()
                .args(["--database", self.proxy.url(), "--demo"])
                .args(["--clock", "2026-01-15T12:00:00Z"]),
        );
        let address = running.address();
        (running, address)
    }

    /// Sends a request to a program that dies in the trap, so that the caller gets no answer.
    fn die(&self, trap: Trap, request: &[u8]) {
        let (running, address) = self.start();
        self.proxy.set(trap);
        let caller = thread::spawn({
            let request = request.to_vec();
            move || send(&address, &request)
        });
        self.proxy.wait();
        running.kill();
        assert_eq!(caller.join().unwrap(), None);
    }

    /// By how many days the trial was extended.
    async fn days(&self) -> i64 {
        let days = "SELECT extract(epoch FROM trial_ends_at - $1::text::timestamptz)::bigint
            FROM churnkey_live.subscriptions WHERE id = 'sub_grace_trial'";
        let sql = sql(&self.server.url()).await;
        let row = sql.query_one(days, &[&END]).await.unwrap();
        let seconds: i64 = row.get(0);
        assert_eq!(seconds % 86_400, 0);
        seconds / 86_400
    }
}

/// A request with a key of the caller's own.
fn with_key(key: &str) -> Vec<u8> {
    let headers = format!(
        "Authorization: Bearer ck-demo-integration-token-0001\r\nIdempotency-Key: {key}\r\n"
    );
    request(&headers)
}

/// A request that is recognized by its signature only.
fn signed(at: Timestamp) -> Vec<u8> {
    let body = A_DAY.as_bytes();
    let token = demo_token().unwrap();
    let signature = sign(&token, &Method::POST, PATH, Mode::Live, body, at);
    let headers = signature.headers();
    let headers = headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    request(&headers.collect::<String>())
}

fn request(headers: &str) -> Vec<u8> {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
        Content-Length: {}\r\n{headers}\r\n{A_DAY}",
        A_DAY.len()
    )
    .into_bytes()
}

/// The status and the body of the answer, if there is one.
fn send(address: &str, request: &[u8]) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    // A killed program may end the connection in any way.
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some((status, from_str(body).unwrap_or(Value::Null)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_commit_and_answer_neither_loses_nor_doubles() {
    let merchant = Merchant::new();
    for n in 0..50 {
        let request = if n % 2 == 0 {
            with_key(&format!("key {n}"))
        } else {
            let now = Timestamp::now().unix_seconds();
            // Each in another second, or it would be the same request.
            signed(Timestamp::from_unix_seconds(now - 100 + n).unwrap())
        };
        tokio::task::block_in_place(|| merchant.die(Trap::AfterCommit, &request));
        assert_eq!(merchant.days().await, n + 1, "it was lost");
        let again = tokio::task::block_in_place(|| {
            let (running, address) = merchant.start();
            let again = send(&address, &request);
            running.kill();
            again
        });
        assert_eq!(again, Some((200, Value::Null)));
        assert_eq!(merchant.days().await, n + 1, "it was doubled");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_the_commit_leaves_nothing_and_the_request_runs_again_after_its_lease() {
    let merchant = Merchant::new();
    for n in 0..5 {
        let request = with_key(&format!("key {n}"));
        tokio::task::block_in_place(|| merchant.die(Trap::BeforeCommit, &request));
        assert_eq!(merchant.days().await, n);

        let (running, address) = merchant.start();
        let send = || tokio::task::block_in_place(|| send(&address, &request).unwrap());
        let (status, body) = send();
        assert_eq!(
            (status, body["message"].as_str()),
            (409, Some("The same request is still running"))
        );
        assert_eq!(merchant.days().await, n);
        // As if a minute had passed.
        let over =
            "UPDATE churnkey_live.churnkey_idempotency_records SET runs_until = 0 WHERE NOT done";
        let sql = sql(&merchant.server.url()).await;
        assert_eq!(sql.execute(over, &[]).await.unwrap(), 1);
        for _ in 0..2 {
            assert_eq!(send(), (200, Value::Null));
            assert_eq!(merchant.days().await, n + 1);
        }
        running.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_asked_to_end_ends_after_the_actions_that_run() {
    let merchant = Merchant::new();
    let (running, address) = tokio::task::block_in_place(|| merchant.start());
    let mut sql = sql(&merchant.server.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM churnkey_live.subscriptions FOR UPDATE")
        .await
        .unwrap();
    let mut caller = TcpStream::connect(&address).unwrap();
    caller.write_all(&with_key("k")).unwrap();
    locked_out(&lock, 1).await;
    drop(caller);
    running.ask_to_end();
    // The socket is closed before the action is done.
    while TcpStream::connect(&address).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lock.rollback().await.unwrap();
    let (code, _, log) = tokio::task::block_in_place(|| running.terminate());
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(merchant.days().await, 1);
    assert!(
        log.contains("waiting for running actions actions=1"),
        "{log}"
    );
    let after = "an action ended after its caller had left status=200";
    assert!(log.contains(after), "{log}");

    let (_running, address) = tokio::task::block_in_place(|| merchant.start());
    let again = tokio::task::block_in_place(|| send(&address, &with_key("k")));
    assert_eq!(again, Some((200, Value::Null)));
    assert_eq!(merchant.days().await, 1);
}
