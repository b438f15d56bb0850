//! A merchant in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::BoxError;

/// A merchant that was started as a process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    address: String,
}

/// What a process holds at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Its resident memory, in kB.
    pub kilobytes: i64,
    /// Its open files and sockets.
    pub files: i64,
}

impl Program {
    /// Starts it, and waits for its address, which is the end of its first line of output.
    ///
    /// # Errors
    /// If it can't be started, or ends before it listens.
    pub fn start(command: &mut Command) -> Result<Self, BoxError> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or("the merchant has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let line = line.trim_end();
        let address = line.strip_prefix("listening on http://");
        let address = address.map(str::to_owned);
        let mut program = Self {
            child,
            address: String::new(),
        };
        program.address = address.ok_or("the merchant does not listen: its log says why")?;
        Ok(program)
    }

    /// Where it listens, as `127.0.0.1:3000`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends it at once by SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// If it can't be killed.
    pub fn kill(mut self) -> Result<(), BoxError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// What it holds now. Linux alone tells, by `/proc`.
    ///
    /// # Errors
    /// If there is no such `/proc`, or if the process has ended.
    pub fn resources(&self) -> Result<Resources, BoxError> {
        let process = Path::new("/proc").join(self.child.id().to_string());
        let status = fs::read_to_string(process.join("status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|line| line.split_whitespace().next());
        Ok(Resources {
            kilobytes: resident.ok_or("no VmRSS in /proc")?.parse()?,
            files: i64::try_from(fs::read_dir(process.join("fd"))?.count())?,
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
