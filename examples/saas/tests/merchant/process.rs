//! The program as a person meets it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use merchant_cases::{Program, paste};
use tempfile::NamedTempFile;
use throwaway_postgres::test_database;

use crate::NOW;

fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_saas"));
    program.args(arguments);
    program.env_remove("DATABASE_URL").env_remove("RUST_LOG");
    program
}

/// The running program. It is ended with the test, even if that fails.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: NamedTempFile,
    base: String,
}

impl Running {
    pub(crate) fn start(database: &str, arguments: &[&str]) -> Self {
        // A file takes a log of any length. A pipe that nobody reads would stop the program.
        let log = NamedTempFile::new().unwrap();
        let mut program = program(&["--listen", "127.0.0.1:0"]);
        program.args(arguments).env("DATABASE_URL", database);
        program
            .stdout(Stdio::piped())
            .stderr(File::create(log.path()).unwrap());
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let base = first.strip_prefix("listening on ").unwrap().to_owned();
        Self {
            child,
            lines,
            log,
            base,
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks it to end. Its exit code and its log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let kill = format!("kill -TERM {}", self.child.id());
        let kill = Command::new("sh").args(["-c", &kill]).status();
        assert!(kill.unwrap().success());
        // The calls to paste, and nothing after them.
        assert_eq!(self.lines.by_ref().count(), 2);
        let code = self.child.wait().unwrap().code();
        (code, fs::read_to_string(self.log.path()).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn start(arguments: &[&str]) -> Program {
    let arguments = ["--listen", "127.0.0.1:0"].iter().chain(arguments);
    let program = Program::start(Path::new(env!("CARGO_BIN_EXE_saas")), arguments);
    program.await.unwrap()
}

#[tokio::test]
async fn what_it_prints_and_what_the_readme_says_can_be_pasted() {
    let database = test_database();
    let arguments = ["--database", database.url(), "--demo", "--clock", NOW];
    let mut program = start(&arguments).await;
    let retrieve = program.next_line().await.unwrap();
    let list = program.next_line().await.unwrap();
    assert!(
        retrieve.contains("Bearer ck-demo-token-of-tenant-01")
            && retrieve.contains("/tenants/tenant-01/churnkey/"),
        "{retrieve}"
    );
    assert_eq!(paste(&retrieve).await.unwrap()["lastName"], "Lovelace");
    assert_eq!(
        paste(&list).await.unwrap()["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let answers = program.follow(include_str!("../../README.md")).await;
    assert_eq!(answers.unwrap(), 3);
    assert!(list.contains("?limit=2"), "{list}");

    // All twenty are there, and the next one is not.
    for (tenant, status) in [("tenant-20", "200"), ("tenant-21", "401")] {
        let call = format!(
            "curl -s -o /dev/null -w '[%{{http_code}}]' -H 'Authorization: Bearer ck-demo-token-of-{tenant}' \
            {}/tenants/{tenant}/churnkey/features",
            program.base()
        );
        assert_eq!(paste(&call).await.unwrap()[0].to_string(), status);
    }
}

#[test]
fn it_ends_cleanly_when_asked_to_and_loads_nothing_twice() {
    let database = test_database();
    let arguments = [
        "--demo",
        "--tenants",
        "2",
        "--customers",
        "10",
        "--clock",
        NOW,
    ];
    for warning in [
        None,
        Some("there are tenants already, so the demo data were not loaded"),
    ] {
        let (code, log) = Running::start(database.url(), &arguments).end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopping after the running requests"), "{log}");
        assert_eq!(log.contains("WARN"), warning.is_some(), "{log}");
        assert!(warning.is_none_or(|warning| log.contains(warning)), "{log}");
        for secret in [
            database.url(),
            "demo-token",
            "example.com",
            "SELECT",
            "INSERT",
        ] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}

#[test]
fn it_says_why_it_does_not_start() {
    let database = test_database();
    let url = database.url();
    let fails = |arguments: &[&str]| -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = program(arguments).output().unwrap();
        let log = String::from_utf8(stderr).unwrap();
        assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{log}");
        assert!(!log.contains("hunter2") && !log.contains(url), "{log}");
        log
    };
    for (arguments, expected) in [
        (&[][..], "give --database URL or set DATABASE_URL"),
        (
            &["--database", "hunter2"],
            "the database's address can't be read: write postgres://user:password@host:port/database",
        ),
        (
            &["--database", "postgres://user:hunter2@127.0.0.1:1/db"],
            "connecting to the database failed: the database can't be reached at its address",
        ),
        (
            &["--database", url],
            "there is no tenant to call: start once with --demo",
        ),
        (
            &[
                "--database",
                url,
                "--demo",
                "--tenants",
                "1",
                "--listen",
                "0.0.0.0:0",
            ],
            "the demo tokens are public, and others can reach 0.0.0.0:0: revoke them",
        ),
    ] {
        let log = fails(arguments);
        assert!(log.contains(expected), "{log}");
    }
}
