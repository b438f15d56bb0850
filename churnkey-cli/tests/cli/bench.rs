//! `churnkey bench`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    merchants::{Server, each, in_memory, in_memory_app},
    tool::{Ran, churnkey},
};

const RETRIEVE: &str = "/customers/cus_ada";

/// The example behind a step that counts the calls from zero and may answer them itself.
fn counted<F: Future<Output = Option<Response>> + Send + 'static>(
    step: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> (Server, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    let app = in_memory_app().layer(from_fn(move |request: Request, next: Next| {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let answer = step(number);
        async move {
            match answer.await {
                Some(answer) => answer,
                None => next.run(request).await,
            }
        }
    }));
    (Server::start(app), count)
}

fn bench(server: &Server, more: &[&str]) -> Ran {
    let url = server.url();
    churnkey([&["bench", "--json", "--url", &url], more].concat()).run()
}

fn milliseconds(said: &Value, name: &str) -> f64 {
    said["milliseconds"][name].as_f64().unwrap()
}

#[test]
fn the_customers_are_read_by_both_examples() {
    each(|server| {
        let ran = bench(server, &["--rate", "40", "--duration", "1"]);
        let said = ran.json();
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(
            said["paths"],
            json!(["/customers?limit=20", "/customers/cus_ada"])
        );
        assert_eq!(said["statuses"], json!({ "200": 40 }));
        let times = ["p50", "p99", "p99.9", "max"].map(|name| milliseconds(&said, name));
        assert!(times.is_sorted() && times[0] > 0.0, "{times:?}");
    });
}

#[test]
fn the_rate_is_kept() {
    let (server, count) = counted(async |_| None);
    let begun = Instant::now();
    let ran = bench(
        &server,
        &["--path", RETRIEVE, "--rate", "50", "--duration", "2"],
    );
    let took = begun.elapsed();
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = ran.json();
    assert_eq!((&said["rate"], &said["calls"]), (&json!(50), &json!(100)));
    // And one before the load.
    assert_eq!(count.load(Ordering::Relaxed), 101);
    // The last one is due at 1.98 s.
    let seconds = said["seconds"].as_f64().unwrap();
    assert!((1.98..took.as_secs_f64()).contains(&seconds), "{said:#}");
}

#[test]
fn a_call_that_waits_for_a_slow_server_is_late_from_when_it_was_due() {
    let (server, _) = counted(async |_| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        None
    });
    let arguments = ["--path", RETRIEVE, "--rate", "20", "--duration", "1"];
    // One after the other takes 2 s, and so the last of them is due a second before it is answered.
    let alone = bench(&server, &[&arguments[..], &["--connections", "1"]].concat()).json();
    assert!(milliseconds(&alone, "max") > 1_000.0, "{alone:#}");
    assert!(milliseconds(&alone, "p50") > 500.0, "{alone:#}");
    // With enough connections nothing waits.
    let many = bench(
        &server,
        &[&arguments[..], &["--connections", "20"]].concat(),
    )
    .json();
    assert!(
        (100.0..400.0).contains(&milliseconds(&many, "p50")),
        "{many:#}"
    );
}

#[test]
fn no_more_calls_are_under_way_than_there_are_connections() {
    let (under_way, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let seen = most.clone();
    let (server, _) = counted(move |_| {
        let (under_way, most) = (under_way.clone(), most.clone());
        async move {
            let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            None
        }
    });
    let ran = bench(
        &server,
        &[
            "--path",
            RETRIEVE,
            "--rate",
            "100",
            "--duration",
            "1",
            "--connections",
            "3",
        ],
    );
    assert_eq!((ran.code, seen.load(Ordering::SeqCst)), (0, 3));
}

#[test]
fn errors_are_counted_by_their_kind() {
    let (server, _) = counted(async |number| match number {
        3 | 4 => Some(StatusCode::SERVICE_UNAVAILABLE.into_response()),
        5 => Some("fine".into_response()),
        6 => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            None
        }
        _ => None,
    });
    let arguments = [
        "--path",
        RETRIEVE,
        "--rate",
        "20",
        "--duration",
        "1",
        "--timeout",
        "2",
    ];
    let ran = bench(&server, &arguments);
    let said = ran.json();
    assert_eq!(ran.code, 1, "{said:#}");
    assert_eq!(said["statuses"], json!({ "200": 17, "503": 2 }));
    assert_eq!(
        said["errors"],
        json!({ "status": 2, "shape": 1, "noAnswer": 1, "notSent": 0 })
    );
}

#[test]
fn a_load_beyond_what_the_server_can_take_comes_to_its_end() {
    let (server, count) = counted(async |_| {
        tokio::time::sleep(Duration::from_millis(250)).await;
        None
    });
    let begun = Instant::now();
    let ran = bench(
        &server,
        &[
            "--path",
            RETRIEVE,
            "--rate",
            "100",
            "--duration",
            "1",
            "--connections",
            "1",
            "--timeout",
            "1",
        ],
    );
    let said = ran.json();
    assert_eq!(ran.code, 1, "{said:#}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // All that are not sent are counted.
    let sent = count.load(Ordering::Relaxed) - 1;
    assert!(sent < 20, "{sent}");
    assert_eq!(said["errors"]["notSent"], 100 - sent);
}

#[test]
fn only_this_machine_is_called_unless_its_owner_agrees() {
    let (server, count) = counted(async |_| None);
    let port = server.address().port();
    let url = format!("http://billing.example.com:{port}/churnkey");
    let load = |more: &[&str]| {
        let all = [
            "bench",
            "--json",
            "--url",
            &url,
            "--rate",
            "5",
            "--duration",
            "1",
        ];
        churnkey([&all[..], more].concat()).run()
    };
    // An address that is kept for documentation, and which nobody has.
    let elsewhere = format!("billing.example.com:{port}:192.0.2.1");
    let ran = load(&["--resolve", &elsewhere]);
    let error = &ran.json()["error"];
    assert_eq!((ran.code, &error["kind"]), (2, &json!("usage")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("--i-own-this-host"), "{message}");
    let ran = load(&[
        "--resolve",
        &elsewhere,
        "--i-own-this-host",
        "--timeout",
        "1",
    ]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(count.load(Ordering::Relaxed), 0);

    let here = format!("billing.example.com:{port}:127.0.0.1");
    assert_eq!(load(&["--resolve", &here]).code, 0);
    let named = format!("http://localhost:{port}/churnkey");
    let ran = churnkey(["bench", "--url", &named, "--rate", "5", "--duration", "1"]).run();
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn what_can_t_be_read_is_not_measured() {
    let server = in_memory();
    let ran = bench(&server, &["--path", "/customers/cus_nobody"]);
    assert_eq!(
        (ran.code, &ran.json()["error"]["kind"]),
        (1, &json!("answer"))
    );
    let (unlisted, _) = counted(async |_| Some(StatusCode::NOT_FOUND.into_response()));
    assert_eq!(bench(&unlisted, &[]).code, 2);
    let ran = churnkey(["bench", "--url", "http://127.0.0.1:1/churnkey"]).run();
    assert_eq!(ran.code, 3, "{ran:?}");
}

#[test]
fn the_result_is_shown_in_a_few_lines() {
    let (server, _) =
        counted(async |number| (number == 2).then(|| StatusCode::BAD_GATEWAY.into_response()));
    let url = server.url();
    let run = || {
        let all = [
            "bench",
            "--url",
            &url,
            "--path",
            RETRIEVE,
            "--rate",
            "5",
            "--duration",
            "1",
        ];
        churnkey(all).run()
    };
    let lines = |ran: &Ran| -> Vec<String> { ran.stdout.lines().map(str::to_owned).collect() };
    let ran = run();
    let [calls, times, errors, status] = &*lines(&ran) else {
        panic!("{ran:?}");
    };
    assert!(calls.starts_with("5 calls in "), "{calls}");
    assert!(
        calls.ends_with(" s, 5 due each second, 16 at once at most"),
        "{calls}"
    );
    assert!(
        times.starts_with("p50 ") && times.contains(" ms, p99.9 "),
        "{times}"
    );
    assert_eq!(
        (errors.as_str(), status.as_str()),
        ("errors: 1", "  status 502: 1")
    );
    assert_eq!((ran.code, &*ran.stderr), (1, ""));
    let ran = run();
    assert_eq!(
        (ran.code, lines(&ran).last().map(String::as_str)),
        (0, Some("every answer was a 200 of the right shape"))
    );
}
