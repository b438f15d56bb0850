//! The program itself.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;
use throwaway_postgres::test_database;

use crate::demo_file;

pub(crate) fn program() -> Command {
    program_at("127.0.0.1:0")
}

pub(crate) fn program_at(listen: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_postgres"));
    program
        .env_remove("DATABASE_URL")
        .env_remove("CK_INTEGRATION_TOKEN")
        .env_remove("RUST_LOG");
    program
        .args(["--listen", listen])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

/// A running program. It is killed when the test ends.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(program: &mut Command) -> Self {
        let mut child = program.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The address from the first line.
    pub(crate) fn address(&mut self) -> String {
        let line = self.line();
        line.strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("{line:?}"))
            .to_owned()
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_end(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Sends SIGTERM. Returns the exit code, the rest of standard output, and the log.
    pub(crate) fn terminate(mut self) -> (Option<i32>, String, String) {
        self.ask_to_end();
        let (mut rest, mut log) = (String::new(), String::new());
        self.out.read_to_string(&mut rest).unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.child.wait().unwrap().code(), rest, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
        Authorization: Bearer ck-demo-integration-token-0001\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn the_program_serves_demo_and_generated_customers_and_ends_cleanly() {
    let database = test_database();
    let arguments = [
        "--demo",
        "--customers",
        "1000",
        "--clock",
        "2026-01-15T12:00:00Z",
    ];
    let mut running = Running::start(
        program()
            .env("DATABASE_URL", database.url())
            .args(arguments),
    );
    let address = running.address();
    let plain = running.line();
    assert_eq!(
        plain,
        format!(
            "curl -H \"Authorization: Bearer ck-demo-integration-token-0001\" \
            'http://{address}/churnkey/customers/cus_ada'"
        )
    );
    let signed = running.line();
    assert!(signed.contains("X-Churnkey-Signature: v1=$s"), "{signed}");
    assert_eq!(
        get(&address, "/churnkey/customers/cus_ada"),
        demo_file()["live"]["customers"][0]
    );
    let last = get(&address, "/churnkey/customers/cus_gen_0001000");
    assert_eq!(last["metadata"]["createdAt"], "2026-01-15T12:00:00.000Z");
    assert_eq!(
        get(&address, "/churnkey/customers?limit=500")["data"][6]["id"],
        "cus_gen_0000001"
    );
    let (code, rest, log) = running.terminate();
    assert_eq!((code, rest.as_str()), (Some(0), ""), "{log}");
    assert!(
        !log.contains(database.url()) && !log.contains("ada"),
        "{log}"
    );

    // Again, with the address as an option: nothing fails, and nothing is loaded twice.
    let mut running = Running::start(
        program()
            .args(["--database", database.url()])
            .args(arguments),
    );
    let address = running.address();
    let page = get(&address, "/churnkey/customers?limit=7");
    assert_eq!(page["data"][5]["id"], "cus_twin_b");
    assert_eq!(page["data"][6]["id"], "cus_gen_0000001");
    let (code, _, log) = running.terminate();
    assert_eq!(code, Some(0));
    assert!(
        log.contains("there are customers already, so the demo data was not loaded"),
        "{log}"
    );
}

#[test]
fn processes_that_start_at_once_do_not_disturb_each_other() {
    let database = test_database();
    let start = |_| Running::start(program().args(["--database", database.url(), "--demo"]));
    let mut all: Vec<Running> = (0..4).map(start).collect();
    for running in &mut all {
        let address = running.address();
        let customers = &get(&address, "/churnkey/customers")["data"];
        assert_eq!(*customers, demo_file()["live"]["customers"]);
    }
    for running in all {
        assert_eq!(running.terminate().0, Some(0));
    }
}

#[test]
fn without_a_usable_database_it_says_so_and_never_shows_the_address() {
    let run = |program: &mut Command| -> Output { program.output().unwrap() };
    let log = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    for empty in [&mut program(), program().env("DATABASE_URL", "")] {
        let output = run(empty);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        let log = log(&output);
        assert!(
            log.contains("give --database URL or set DATABASE_URL"),
            "{log}"
        );
    }
    for (address, expected) in [
        (
            "postgres://user:hunter2@127.0.0.1:1/db",
            "Connection refused",
        ),
        (
            "postgres://user:hunter2@127.0.0.1:x/db",
            "the database's address is not valid",
        ),
    ] {
        let output = run(program().args(["--database", address]));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        let log = log(&output);
        assert!(log.contains(expected) && !log.contains("hunter2"), "{log}");
    }
    let output = run(program()
        .env("DATABASE_URL", "postgres://user:hunter2@host/db")
        .arg("--help"));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        help.contains("[env: DATABASE_URL]") && !help.contains("hunter2"),
        "{help}"
    );
}
