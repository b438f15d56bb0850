//! Plays the calls of `cases.json` against a merchant's program and compares the answers.
//!
//! Each case has a fresh process with the demo data and a fixed clock. The file's rules:
//!
//! * `after: <name>[; <name>..] |` at the start of a note: those cases are played first, on the same process.
//! * `{{name}}` is a variable, `{{from:<case>#<json pointer>}}` a value of the answer to a case that was played before.
//! * `body`: an object is encoded by the case's content type, a text is sent as it is.
//! * `expect_body_subset`: see [`difference`].
#![forbid(unsafe_code)]

mod call;
mod case;
mod in_process;
mod late;
mod matcher;
mod program;
mod properties;
mod readme;
mod sqlite;
mod stub;

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    path::PathBuf,
};

pub use call::{Answer, CallError, Request};
use case::{Cases, Played};
pub use in_process::{churnkey, send, text};
pub use late::{answer_behind_hanging, answer_to_unfinished_body};
pub use matcher::difference;
pub use program::{Program, StartError};
pub use properties::{block_on, broken, changed, crawl, paths};
pub use readme::paste;
pub use sqlite::file_holds;
pub use stub::CrmStub;

/// The fixed time of the demo data.
pub const CLOCK: &str = "2024-10-10T12:00:00Z";

/// How many processes run at a time.
const AT_A_TIME: usize = 2;

/// A merchant's program, and how it is started.
#[derive(Debug, Clone)]
pub struct Merchant {
    system: String,
    binary: PathBuf,
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Merchant {
    /// The program that serves a system of `cases.json`.
    pub fn new(system: &str, binary: impl Into<PathBuf>) -> Self {
        Self {
            system: system.to_owned(),
            binary: binary.into(),
            arguments: Vec::new(),
            variables: BTreeMap::new(),
        }
    }

    /// One more option of the program.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// One more option that has no value.
    #[must_use]
    pub fn flag(mut self, name: &str) -> Self {
        self.arguments.push(name.to_owned());
        self
    }

    /// What `{{name}}` stands for, besides `variables.json` and `{{base}}`, which is the program's address.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Starts the program with the demo data in memory, on a free port, at [`CLOCK`].
    ///
    /// # Errors
    /// [`StartError`] if it doesn't say where it listens.
    pub async fn start(&self) -> Result<Program, StartError> {
        let listen = ["--listen", "127.0.0.1:0", "--clock", CLOCK];
        let arguments = listen.into_iter().map(str::to_owned);
        Program::start(&self.binary, arguments.chain(self.arguments.clone())).await
    }

    /// Plays every case of the system, and those of Churnkey's that are about it.
    ///
    /// # Panics
    /// If the files of this package can't be read, or a case is asked for that isn't there.
    pub async fn play(&self) -> Report {
        let cases = Cases::load();
        let names: Vec<_> = cases.of(&self.system).map(|case| case.key()).collect();
        let mut report = Report::default();
        let mut running = tokio::task::JoinSet::new();
        let mut waiting = names.into_iter();
        loop {
            while running.len() < AT_A_TIME
                && let Some(key) = waiting.next()
            {
                let (merchant, cases) = (self.clone(), cases.clone());
                running.spawn(async move {
                    let played = merchant.play_one(&cases, &key).await;
                    (key, played)
                });
            }
            match running.join_next().await {
                Some(Ok((_, Ok(())))) => report.passed += 1,
                Some(Ok((key, Err(failure)))) => {
                    report.failures.insert(key.to_string(), failure);
                }
                Some(Err(error)) => {
                    report
                        .failures
                        .insert("a task".to_owned(), error.to_string());
                }
                None => return report,
            }
        }
    }

    async fn play_one(&self, cases: &Cases, key: &case::Key) -> Result<(), String> {
        let program = self.start().await.map_err(|error| error.to_string())?;
        let mut variables = cases.variables().clone();
        variables.insert("base".to_owned(), program.base());
        variables.extend(self.variables.clone());

        let case = cases.get(key).ok_or("there is no such case")?;
        let mut played = Played::new(variables);
        for name in case.after() {
            let earlier = cases
                .named(name, &case.system, &self.system)
                .ok_or_else(|| format!("after: there is no case `{name}`"))?;
            let request = played.request(earlier)?;
            let answer = program.send(&request).await;
            let answer = answer.map_err(|error| format!("after: {name}: {error}"))?;
            played.remember(name, answer.json());
        }
        let request = played.request(case)?;
        let answer = program.send(&request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let expected = played.fill_value(&case.expect_body_subset)?;
        let got = format!("got      {} {}", answer.status, answer.text());
        if answer.status != case.expect_status {
            let wanted = case.expect_status;
            return Err(format!("expected {wanted} {expected}\n{got}"));
        }
        match difference(&expected, answer.json().as_ref()) {
            _ if expected.is_null() => Ok(()),
            None => Ok(()),
            Some(difference) => Err(format!("{difference}\nexpected {expected}\n{got}")),
        }
    }
}

/// How the cases went.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failures: BTreeMap<String, String>,
}

impl Report {
    /// How many passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Prints the report, also when the test harness swallows what is printed.
    ///
    /// # Panics
    /// If a case failed.
    pub fn assert_passed(&self) {
        let _ = writeln!(io::stderr(), "{self}");
        let failed = self.failures.len();
        assert_eq!(failed, 0, "some cases failed; they are listed above");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, failure) in &self.failures {
            writeln!(f, "failed: {name}")?;
            for line in failure.lines() {
                writeln!(f, "  {line}")?;
            }
        }
        write!(f, "{} passed, {} failed", self.passed, self.failures.len())
    }
}
