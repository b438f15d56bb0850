//! PostgreSQL's programs: where they are, and running them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(crate) fn fix() -> &'static str {
    if borrowed_server().is_some() {
        // Then scripts/setup installs nothing, and this test needs a server
        // that it may stop, or a client program.
        "unset TEST_DATABASE_URL and run scripts/setup, which then installs PostgreSQL"
    } else {
        "run scripts/setup, which installs PostgreSQL, or set TEST_DATABASE_URL"
    }
}

pub(crate) fn borrowed_server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|server| !server.is_empty())
}

/// Programs beside `initdb` come first, so that server and clients are of one
/// version.
pub(crate) fn program(name: &str) -> PathBuf {
    let found = server_programs()
        .into_iter()
        .chain(search_path())
        .map(|dir| dir.join(name));
    found
        .into_iter()
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("PostgreSQL's program `{name}` is not installed; {}", fix()))
}

fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .collect()
}

/// Some systems keep the server's programs out of `PATH`, one directory for
/// each version.
fn server_programs() -> Option<PathBuf> {
    let in_path = search_path()
        .into_iter()
        .map(|dir| dir.join("initdb"))
        .find(|it| it.is_file());
    if let Some(initdb) = in_path {
        return initdb.canonicalize().ok()?.parent().map(Path::to_owned);
    }
    let places = [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql"),
    ];
    let versions = places.into_iter().flat_map(|(parent, prefix)| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        entries.filter_map(move |entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.trim_start_matches('@');
            let programs = entry.path().join("bin");
            // A directory without a number is a link to the current version.
            let version: f32 = version.parse().unwrap_or(f32::MAX);
            programs
                .join("initdb")
                .is_file()
                .then_some((version, programs))
        })
    });
    versions
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, programs)| programs)
}

pub(crate) fn spawn(command: &mut Command) -> Child {
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", command.get_program().display()))
}

/// The output of a command without whose success the test cannot go on.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", command.get_program().display()));
    let complaint = String::from_utf8_lossy(&output.stderr);
    // The arguments stay out of the message: an address can hold a password.
    assert!(
        output.status.success(),
        "{} failed: {complaint}",
        command.get_program().display()
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
