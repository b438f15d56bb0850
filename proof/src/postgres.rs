//! The Postgres example as a process.

use std::{env, path::PathBuf, process::Command};

use crate::{BoxError, Program};

/// The program of the Postgres example, to be started any number of times.
#[derive(Debug)]
pub struct PostgresExample(PathBuf);

impl PostgresExample {
    /// Builds it as this program was built, beside it.
    ///
    /// # Errors
    /// If it can't be built.
    pub fn build() -> Result<Self, BoxError> {
        let profile = env::current_exe()?;
        let profile = profile.parent().ok_or("the program has no folder")?;
        let target = profile.parent().ok_or("the program has no target folder")?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--locked", "-p", "postgres"])
            .arg("--target-dir")
            .arg(target);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        if !build.status()?.success() {
            return Err("the Postgres example could not be built".into());
        }
        Ok(Self(profile.join("postgres")))
    }

    /// Starts it over the database at this address, with the demo token and the time of the demo data.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(&self, database: &str) -> Result<Program, BoxError> {
        let mut program = Command::new(&self.0);
        program
            .args(["--listen", "127.0.0.1:0", "--clock", "2026-01-15T12:00:00Z"])
            .env("DATABASE_URL", database)
            .env_remove("CK_INTEGRATION_TOKEN")
            .env("RUST_LOG", "off");
        Program::start(&mut program)
    }
}
