//! The servers for Node, with the packages that they need.

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");

/// The copy of `node/` in which the packages are installed: beside this program, where no test looks for sources.
pub(crate) fn programs() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("rivals-node"))
}

/// Copies the Node programs, and installs their packages if they are not there or not those of the lock file.
pub(crate) fn install() -> Result<(), Box<dyn Error>> {
    let to = programs()?;
    fs::create_dir_all(&to)?;
    let lock = "package-lock.json";
    // npm writes this file when everything is there.
    let is_installed = to.join("node_modules/.package-lock.json").is_file()
        && fs::read(to.join(lock)).ok() == Some(fs::read(Path::new(SOURCES).join(lock))?);
    for file in fs::read_dir(SOURCES)? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    if is_installed {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--omit=dev", "--no-audit", "--no-fund"]);
    let installed = npm.current_dir(&to).status().map_err(|error| {
        format!("can't run npm: {error}; install Node 20 or later, as with `apt-get install npm`")
    })?;
    match installed.success() {
        true => Ok(()),
        false => Err("npm could not install the packages of benches/rivals/node".into()),
    }
}
