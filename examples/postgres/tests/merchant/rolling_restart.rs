//! Two processes behind HAProxy, replaced one after the other while calls come.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use churnkey_conformance::Client;
use example_app::{Demo, demo_token};
use http::Method;
use throwaway_haproxy::HaProxy;
use throwaway_postgres::test_database;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    migrated,
    process::{Running, program_at},
    sql,
};

/// How many calls there are a second. One in ten is an action. A debug build shares its cores with other tests.
const RATE: u32 = if cfg!(debug_assertions) { 50 } else { 500 };

/// How many of them may be on their way at once. It is more than the rate needs, so that a slow answer delays no call.
const CALLERS: u32 = 100;

const READY: Duration = Duration::from_secs(20);

/// How many trials there are to extend, so that few actions wait for each other.
const TRIALS: usize = 50;

/// When each of them ends at first.
const TRIAL_END: &str = "2026-02-01T00:00:00.000Z";

const ACTION: &str = "/churnkey/actions/subscription/extend-trial";

/// The configuration of the guide, without retries.
fn configuration() -> String {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../churnkey-integrator");
    let page = fs::read_to_string(library.join("docs/several-processes.md")).unwrap();
    let (_, rest) = page.split_once("\n```haproxy\n").unwrap();
    let (configuration, _) = rest.split_once("```").unwrap();
    assert!(configuration.contains("\n    retries 2\n"));
    // A retry would hide that a process was called too late.
    configuration.replace("retries 2", "retries 0")
}

/// Loads the demo data with its trial many times over.
async fn load(database: &str) {
    let mut demo = Demo::load().unwrap();
    let all = demo.live.subscriptions.iter();
    let trial = all
        .clone()
        .find(|one| one.id().as_str() == "sub_grace_trial");
    let mut trial = serde_json::to_value(trial.unwrap()).unwrap();
    trial["status"]["trial"]["end"] = TRIAL_END.into();
    for n in 0..TRIALS {
        trial["id"] = format!("sub_rolling_{n}").into();
        let trial = serde_json::from_value(trial.clone()).unwrap();
        demo.live.subscriptions.push(trial);
    }
    let store = migrated(database).await;
    assert!(store.load_if_empty(&demo.live, &demo.test).await.unwrap());
}

fn start(database: &str, address: SocketAddr) -> Running {
    let mut program = program_at(&address.to_string());
    // Nobody reads its log before it ends, and it must not fill the pipe.
    program
        .args(["--drain", "3", "--clock", "2026-01-15T12:00:00Z"])
        .args(["--database", database])
        .env("RUST_LOG", "error");
    let mut running = Running::start(&mut program);
    assert_eq!(running.address(), address.to_string());
    running
}

fn client(address: SocketAddr) -> Client {
    Client::at(&format!("http://{address}"), demo_token().unwrap()).unwrap()
}

async fn is_ready(address: SocketAddr) {
    let until = Instant::now() + READY;
    let client = client(address);
    while client.get("/churnkey/features").await.status() != 200 {
        assert!(Instant::now() < until, "{address} is not ready");
        sleep(Duration::from_millis(20)).await;
    }
}

struct Calls {
    next: AtomicU32,
    is_over: AtomicBool,
    /// How many extensions of each trial were answered 200.
    extensions: [AtomicU32; TRIALS],
}

/// Makes calls when they are due, and returns those that failed and how long each of the others took.
async fn call(client: Client, calls: Arc<Calls>, began: Instant) -> (Vec<String>, Vec<Duration>) {
    let (mut failed, mut took) = (Vec::new(), Vec::new());
    while !calls.is_over.load(Ordering::Relaxed) {
        let n = calls.next.fetch_add(1, Ordering::Relaxed);
        let due = began + Duration::from_secs(1) * n / RATE;
        sleep_until(due).await;
        let is_action = n.is_multiple_of(10);
        let trial = n as usize / 10 % TRIALS;
        let call = if is_action {
            let body = format!(
                r#"{{"customerId":"cus_grace","subscriptionId":"sub_rolling_{trial}","duration":{{"amount":1,"unit":"day"}}}}"#
            );
            // An unused parameter makes the signatures of one second differ.
            let call = client.call(Method::POST, &format!("{ACTION}?call={n}"));
            let key = format!("call {n}");
            call.header("idempotency-key", &key).body(body).signed()
        } else {
            let path = format!("/churnkey/customers/cus_grace?call={n}");
            client.call(Method::GET, &path).signed()
        };
        let answer = call.send_unchecked().await;
        took.push(due.elapsed());
        if answer.status() == 200 {
            calls.extensions[trial].fetch_add(is_action.into(), Ordering::Relaxed);
        } else {
            let (status, cause) = (answer.status(), answer.cause());
            failed.push(format!("call {n}: {status} {cause:?}"));
        }
    }
    (failed, took)
}

/// How many days each trial was extended by, from the database.
async fn extensions(database: &str) -> Vec<u32> {
    let days = format!(
        "SELECT (extract(epoch FROM trial_ends_at - '{TRIAL_END}'::timestamptz) / 86400)::int4
         FROM churnkey_live.subscriptions WHERE id LIKE 'sub_rolling_%' ORDER BY seq"
    );
    let rows = sql(database).await.query(&days, &[]).await.unwrap();
    let days = rows.iter().map(|row| row.get::<_, i32>(0));
    days.map(|days| days.try_into().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_loses_no_call_and_no_action() {
    let database = test_database();
    load(database.url()).await;
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = ports.map(|port| port.local_addr().unwrap());
    let mut processes = addresses.map(|address| Some(start(database.url(), address)));
    let proxy = HaProxy::start(&configuration(), addresses);
    is_ready(proxy.address()).await;

    let (began, calls) = (
        Instant::now(),
        Arc::new(Calls {
            next: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            extensions: [const { AtomicU32::new(0) }; TRIALS],
        }),
    );
    let client = client(proxy.address());
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(call(client.clone(), Arc::clone(&calls), began)))
        .collect();
    // HAProxy calls a process that it has found ready twice.
    let two_checks = Duration::from_millis(1500);
    sleep(two_checks).await;
    for (process, address) in processes.iter_mut().zip(addresses) {
        let ended = process.take().unwrap();
        let (code, _, log) = tokio::task::block_in_place(|| ended.terminate());
        assert_eq!((code, log.as_str()), (Some(0), ""));
        *process = Some(start(database.url(), address));
        is_ready(address).await;
        sleep(two_checks).await;
    }
    calls.is_over.store(true, Ordering::Relaxed);
    let (mut failed, mut took) = (Vec::new(), Vec::new());
    for caller in callers {
        let (failures, times) = caller.await.unwrap();
        failed.extend(failures);
        took.extend(times);
    }
    let lasted = began.elapsed();

    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    let rate = took.len() as f64 / lasted.as_secs_f64();
    let figures = format!("{rate:.0} calls a second for {lasted:.1?}, p99 {p99:.1?}");
    println!("{figures}");
    assert!(failed.is_empty(), "{figures}\n{failed:#?}");
    let answered = calls.extensions.iter();
    let answered: Vec<_> = answered
        .map(|count| count.load(Ordering::Relaxed))
        .collect();
    assert_eq!(extensions(database.url()).await, answered, "{figures}");
    assert!(
        rate > f64::from(RATE) * 0.9,
        "the callers can't keep up: {figures}"
    );
}
