//! Which core a process runs on. `taskset` sets it, because the standard library can't.

use std::{error::Error, ffi::OsStr, process::Command};

/// Where the server runs, and its database.
pub(crate) const SERVER: &str = "0";
/// Where the calls are made.
pub(crate) const LOAD: &str = "1";

/// A command that runs on a core, and on no other.
pub(crate) fn command_on(core: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// Moves a process with all its threads to a core. What it starts from then on runs there, too.
pub(crate) fn move_to(core: &str, process: u32) -> Result<(), Box<dyn Error>> {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", core]);
    let moved = taskset.arg(process.to_string()).output();
    let moved = moved.map_err(|error| {
        format!("can't run taskset: {error}; install it, as with `apt-get install util-linux`")
    })?;
    if !moved.status.success() {
        let complaint = String::from_utf8_lossy(&moved.stderr);
        return Err(format!(
            "can't run on core {core}: {}; two cores are needed, {SERVER} and {LOAD}",
            complaint.trim()
        )
        .into());
    }
    Ok(())
}
