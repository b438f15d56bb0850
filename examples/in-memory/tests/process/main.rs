//! The program from outside: options, output, signals.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod serving;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_in-memory"));
    command
        .args(arguments)
        .env_remove("CK_INTEGRATION_TOKEN")
        .env_remove("RUST_LOG");
    command
}

/// The running program and its first lines. It is killed if the test ends first.
struct Running {
    child: Child,
    lines: Vec<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self::start_and_read(3, command)
    }

    fn start_and_read(count: usize, command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines: Vec<String> = lines.take(count).map(Result::unwrap).collect();
        assert_eq!(lines.len(), count);
        Self { child, lines }
    }

    fn address(&self) -> &str {
        self.lines[0].strip_prefix("listening on http://").unwrap()
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end. Returns the exit code and the log.
    fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (code, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pastes a line into a shell.
fn paste(line: &str) -> serde_json::Value {
    let mut shell = Command::new("bash");
    let Output { stdout, .. } = shell
        .args(["-c", line])
        .env("CK_INTEGRATION_TOKEN", "a-token-from-the-environment")
        .output()
        .unwrap();
    serde_json::from_slice(&stdout).unwrap()
}

#[test]
fn it_prints_its_address_and_two_calls_to_paste() {
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    assert!(running.address().starts_with("127.0.0.1:"));
    assert!(!running.address().ends_with(":0"));
    assert_eq!(paste(&running.lines[1])["id"], "cus_ada");
    let page = paste(&running.lines[2]);
    assert_eq!(page["data"][1]["id"], "cus_grace");
    assert!(page["next"].is_string());

    running.signal("-TERM");
    let (code, log) = running.ended();
    assert_eq!(code, Some(0));
    assert!(log.contains("using the public demo token"), "{log}");
}

#[test]
fn it_says_where_a_customer_can_cancel_and_how_to_start_churnkey_dev() {
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--churnkey-dev",
        "http://[::1]:8788",
    ];
    let running = Running::start_and_read(5, &mut program(&arguments));
    let address = running.address();
    assert_eq!(
        running.lines[3],
        format!(
            "CK_INTEGRATION_TOKEN=\"ck-demo-integration-token-0001\" cargo run -p churnkey-cli -- dev \
             --url http://{address}/churnkey"
        )
    );
    let (url, _) = running.lines[4].split_once(' ').unwrap();
    assert_eq!(url, format!("http://{address}/account"));
    let output = Command::new("curl")
        .args(["-sS", "-b", "demo_customer=cus_grace", url])
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.contains("http://[::1]:8788/flow/cus_grace/sub_grace_trial"),
        "{page}"
    );
}

const README: &str = include_str!("../../../../README.md");
const QUICK_START: &str = include_str!("../../../../churnkey-integrator/docs/quick-start.md");

/// The first block of this language in a page that has the text in it.
fn block<'a>(page: &'a str, language: &str, text: &str) -> &'a str {
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1);
    let mut blocks = blocks.map(|block| block.split_once("```").unwrap().0);
    blocks.find(|block| block.contains(text)).unwrap()
}

#[test]
fn the_readmes_call_is_answered_as_the_readme_says() {
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    let call = block(README, "sh", "curl").replace("127.0.0.1:3000", running.address());
    let expected: serde_json::Value = serde_json::from_str(block(README, "json", "")).unwrap();
    assert_eq!(paste(&call), expected);
}

#[test]
fn the_quick_starts_signed_call_is_answered_as_the_page_says() {
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    let call = block(QUICK_START, "bash", "").replace("127.0.0.1:3000", running.address());
    let expected: serde_json::Value = serde_json::from_str(block(QUICK_START, "json", "")).unwrap();
    assert_eq!(paste(&call), expected);
}

#[test]
fn the_quick_starts_cancellation_is_done_and_not_seen_before_its_time() {
    let call = block(QUICK_START, "sh", "subscription/cancel");
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    let call = call.replace("127.0.0.1:3000", running.address());
    let output = Command::new("bash").args(["-c", &call]).output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert!(answers.starts_with("HTTP/1.1 200 OK\r\n"), "{answers}");
    let (_, subscription) = answers.split_once("\r\n\r\n").unwrap();
    let subscription: serde_json::Value = serde_json::from_str(subscription).unwrap();
    assert_eq!(subscription["status"]["name"], "active");
}

#[test]
fn the_guides_call_for_a_session_of_the_cancel_flow_is_answered() {
    let page = include_str!("../../../../churnkey-integrator/docs/cancel-flow.md");
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    let call = block(page, "sh", "curl").replace("127.0.0.1:3000", running.address());
    let session = paste(&call);
    assert_eq!(session["customerId"], "cus_ada");
    assert_eq!(session["authHash"].as_str().map(str::len), Some(64));
}

#[test]
fn a_token_from_the_environment_is_used_and_not_shown() {
    let mut command = program(&["--listen", "127.0.0.1:0"]);
    command.env("CK_INTEGRATION_TOKEN", "a-token-from-the-environment");
    let running = Running::start(&mut command);
    for line in &running.lines {
        assert!(!line.contains("a-token-from-the-environment"), "{line}");
    }
    assert_eq!(paste(&running.lines[1])["id"], "cus_ada");
    assert_eq!(paste(&running.lines[2])["data"][0]["id"], "cus_ada");
    running.signal("-INT");
    let (code, log) = running.ended();
    assert_eq!(code, Some(0));
    assert!(!log.contains("a-token-from-the-environment"), "{log}");
    assert!(!log.contains("WARN"), "{log}");
}

/// `Running` reads three lines and closes the pipe.
#[test]
fn a_reader_who_closes_the_pipe_does_not_end_the_program() {
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(paste(&running.lines[1])["id"], "cus_ada");
}

#[test]
fn a_running_request_ends_before_the_program_does() {
    let running = Running::start(&mut program(&["--listen", "127.0.0.1:0"]));
    let mut stream = TcpStream::connect(running.address()).unwrap();
    let head = "POST /churnkey/features HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\n\
                Authorization: ck-demo-integration-token-0001\r\nConnection: close\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    running.signal("-TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    stream.write_all(b"}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert_eq!(running.ended().0, Some(0));
}

#[test]
fn customers_are_generated_at_the_time_of_the_datas_clock() {
    let running = Running::start(&mut program(&[
        "--listen",
        "127.0.0.1:0",
        "--customers",
        "3",
        "--clock",
        "2026-02-01T00:00:00+01:00",
    ]));
    let line = running.lines[1].replace("cus_ada", "cus_gen_0000003");
    assert_eq!(
        paste(&line),
        serde_json::json!({
            "id": "cus_gen_0000003",
            "name": "Generated 0000003",
            "email": "gen0000003@example.com",
            "phone": "+8880000000003",
            "metadata": {"createdAt": "2026-01-31T23:00:00.000Z"}
        })
    );
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence_that_says_what_to_do() {
    let with_token = |token: &str| {
        let mut command = program(&["--listen", "127.0.0.1:0"]);
        command.env("CK_INTEGRATION_TOKEN", token);
        command
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (mut command, sentence) in [
        (
            program(&["--listen", "0.0.0.0:0"]),
            "set CK_INTEGRATION_TOKEN: without it there is only the public demo token",
        ),
        (
            with_token("a-token-from-a-file-0001\n"),
            "CK_INTEGRATION_TOKEN: the integration token ends in a line feed",
        ),
        (
            with_token("short"),
            "CK_INTEGRATION_TOKEN: the integration token has 5 bytes, but it needs at least 16",
        ),
        (program(&["--listen", &taken]), "choose another --listen"),
        (
            program(&[
                "--listen",
                "127.0.0.1:0",
                "--tls-cert",
                "/none",
                "--tls-key",
                "/none",
            ]),
            "can't read the certificates in /none: ",
        ),
    ] {
        let output = command.output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains(sentence), "{log}");
        assert_eq!(output.stdout, b"");
    }
    let output = program(&["--churnkey-dev", "127.0.0.1:8787"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let usage = String::from_utf8(output.stderr).unwrap();
    assert!(
        usage.contains("expected the address of `churnkey dev`, such as http://127.0.0.1:8787"),
        "{usage}"
    );
    let output = program(&["--clock", "yesterday"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let usage = String::from_utf8(output.stderr).unwrap();
    assert!(
        usage.contains("expected RFC 3339, such as 2026-01-15T12:00:00Z, or `system`"),
        "{usage}"
    );
}
