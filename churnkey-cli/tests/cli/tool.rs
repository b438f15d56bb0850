//! Runs the tool.

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

pub(crate) const TOKEN: &str = "ck-demo-integration-token-0001";

/// What became of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The one JSON value on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(value["version"], 1);
        value
    }

    /// Panics unless the run ended like this.
    #[track_caller]
    pub(crate) fn assert(&self, code: i32, stdout: &str, stderr: &str) {
        assert_eq!(
            (self.code, self.stdout.as_str(), self.stderr.as_str()),
            (code, stdout, stderr)
        );
    }
}

/// The tool in an environment of its own, which has neither this machine's settings nor its proxies.
pub(crate) struct Tool(Command, Vec<u8>);

/// The tool with the token of the demo.
pub(crate) fn churnkey<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Tool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_churnkey"));
    command.args(arguments).env_clear();
    command.env("CK_INTEGRATION_TOKEN", TOKEN);
    // Below the repository there could be a churnkey.toml of a person's own.
    command.current_dir(std::env::temp_dir());
    Tool(command, Vec::new())
}

impl Tool {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    pub(crate) fn with_input(mut self, input: &str) -> Self {
        self.1 = input.into();
        self
    }

    #[track_caller]
    pub(crate) fn run(self) -> Ran {
        let Self(mut command, input) = self;
        let stdio = [Stdio::piped(), Stdio::piped(), Stdio::piped()];
        let [stdin, stdout, stderr] = stdio;
        let mut child = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever does not read it has left.
        let _ = stdin.write_all(&input);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(TOKEN), "the token is shown: {text}");
        }
        ran
    }
}
