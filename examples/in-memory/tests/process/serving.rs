//! The limits of connections as they are by default, and the end of the program.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use crate::{Running, program};

/// Longer than every limit, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

const HEAD: Duration = Duration::from_secs(10);

fn connect(running: &Running) -> TcpStream {
    let stream = TcpStream::connect(running.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Retrieves a customer and returns the head of the answer. The connection is closed.
fn get(mut stream: TcpStream, path: &str) -> String {
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\
         Authorization: ck-demo-integration-token-0001\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn is_served(stream: TcpStream) {
    let answer = get(stream, "/churnkey/customers/cus_ada");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn half_sent_heads_are_gone_after_ten_seconds_while_good_calls_go_on() {
    let mut program = program(&["--listen", "127.0.0.1:0"]);
    // Nobody reads the log until the end, and it is longer than a pipe.
    let running = Running::start(program.env("RUST_LOG", "warn"));
    let began = Instant::now();
    let bad: Vec<_> = (0..700)
        .map(|n| {
            let mut stream = connect(&running);
            if n < 500 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: m").unwrap();
            }
            stream
        })
        .collect();
    let all_gone = spawn(move || {
        for mut stream in bad {
            // Closed, or reset.
            let read = stream.read(&mut [0; 1]);
            assert!(!matches!(read, Ok(1)), "{read:?}");
        }
        began.elapsed()
    });
    let mut good = 0;
    while !all_gone.is_finished() {
        is_served(connect(&running));
        good += 1;
        sleep(Duration::from_millis(20));
    }
    let gone_after = all_gone.join().unwrap();
    assert!(gone_after >= HEAD, "{gone_after:?}");
    assert!(gone_after < HEAD * 2, "{gone_after:?}");
    assert!(good > 100, "only {good} good calls");
}

#[test]
fn a_connection_beyond_the_maximum_waits_for_another_ones_end() {
    let arguments = ["--listen", "127.0.0.1:0", "--max-connections", "2"];
    let running = Running::start(&mut program(&arguments));
    let (first, second) = (connect(&running), connect(&running));
    let third = connect(&running);
    third
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut waiting = third.try_clone().unwrap();
    waiting
        .write_all(b"GET / HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert!(waiting.read(&mut [0; 1]).is_err());
    drop(first);
    third.set_read_timeout(Some(LONG)).unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(second);
}

#[test]
fn a_process_with_too_many_open_files_serves_again_and_does_not_spin() {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "ulimit -n 40; exec \"$@\"", "sh"])
        .args([env!("CARGO_BIN_EXE_in-memory"), "--listen", "127.0.0.1:0"])
        .env_remove("CK_INTEGRATION_TOKEN")
        .env_remove("RUST_LOG");
    let running = Running::start(&mut shell);
    let open: Vec<_> = (0..60).map(|_| connect(&running)).collect();
    sleep(Duration::from_millis(2500));
    drop(open);
    is_served(connect(&running));
    running.signal("-TERM");
    let (code, log) = running.ended();
    assert_eq!(code, Some(0), "{log}");
    let errors = log.matches("accept error: ").count();
    assert!((1..=5).contains(&errors), "{errors} errors:\n{log}");
}

#[test]
fn a_program_that_drains_is_not_ready_and_still_serves() {
    let arguments = ["--listen", "127.0.0.1:0", "--drain", "3"];
    let running = Running::start(&mut program(&arguments));
    let answer = get(connect(&running), "/ready");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    running.signal("-TERM");
    let asked = Instant::now();
    let not_ready = loop {
        let answer = get(connect(&running), "/ready");
        if !answer.starts_with("HTTP/1.1 200 ") {
            break answer;
        }
        assert!(asked.elapsed() < Duration::from_secs(2), "{answer}");
    };
    assert!(not_ready.starts_with("HTTP/1.1 503 "), "{not_ready}");
    is_served(connect(&running));
    let (code, log) = running.ended();
    let took = asked.elapsed();
    assert_eq!(code, Some(0), "{log}");
    assert!(took >= Duration::from_secs(3), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn half_a_head_does_not_hold_up_the_end_beyond_its_bound() {
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    let mut body = connect(&running);
    // Until its deadline, which is later than that of its connection, the program waits for this body.
    let head = "POST /webhooks/churnkey HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\n\r\n{";
    body.write_all(head.as_bytes()).unwrap();
    let mut half = connect(&running);
    half.write_all(b"GET / HTTP/1.1\r\nHost: m").unwrap();
    sleep(Duration::from_millis(300));
    running.signal("-TERM");
    let asked = Instant::now();
    let (code, log) = running.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(asked.elapsed() < Duration::from_secs(14), "{log}");
}
