//! A merchant's program while it runs.

use std::{ffi::OsStr, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::call::{Answer, CallError, Request, send};

const PATIENCE: Duration = Duration::from_secs(30);

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    address: SocketAddr,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The program did not say where it listens.
#[derive(Debug)]
pub struct StartError(String);

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the program did not start: {}", self.0)
    }
}

impl std::error::Error for StartError {}

impl Program {
    /// Starts a program and waits until it prints `listening on http://ADDR`.
    ///
    /// # Errors
    /// [`StartError`], with what the program wrote to standard error, if it doesn't.
    pub async fn start(
        binary: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self, StartError> {
        let mut child = Command::new(binary)
            .args(arguments)
            .env_remove("CK_INTEGRATION_TOKEN")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| StartError(format!("{}: {error}", binary.display())))?;
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or_else(|| StartError("it has no standard output".to_owned()))?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let address = match &first {
            Ok(Ok(Some(line))) => line
                .strip_prefix("listening on http://")
                .and_then(|address| address.parse().ok()),
            _ => None,
        };
        match address {
            Some(address) => Ok(Self {
                address,
                child,
                lines,
            }),
            None => {
                let _ = child.start_kill();
                let mut log = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    let _ = stderr.read_to_string(&mut log).await;
                }
                Err(StartError(format!(
                    "it printed {first:?}, and logged: {log}"
                )))
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request on a connection of its own.
    ///
    /// # Errors
    /// [`CallError`] if no whole answer comes.
    pub async fn send(&self, request: &Request) -> Result<Answer, CallError> {
        send(self.address, request).await
    }

    /// The next line that the program prints after its first one.
    pub async fn next_line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.ok()?.ok()?
    }

    /// Ends the program at once, as a power cut would, and returns what it logged.
    pub async fn kill(mut self) -> String {
        let _ = self.child.start_kill();
        let mut log = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = stderr.read_to_string(&mut log).await;
        }
        let _ = self.child.wait().await;
        log
    }
}
