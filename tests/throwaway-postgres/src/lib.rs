//! A PostgreSQL server that lives as long as the test that asked for it.
//!
//! [`test_database`] is for tests that only need a database of their own: it
//! uses the server named by `TEST_DATABASE_URL` when there is one.
//! [`ThrowawayPostgres`] is for tests that take the server away from under the
//! code: it can be stopped, restarted and frozen.
//!
//! Everything here panics rather than returns errors, and the panic names the
//! cure.

#![forbid(unsafe_code)]
#![expect(
    clippy::panic,
    reason = "a test has no use for going on without its database"
)]

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// A PostgreSQL server on a free port of 127.0.0.1, with a data directory of
/// its own; both are gone once this is dropped.
///
/// It never waits for the disk, so committed data survives
/// [`stop`](Self::stop) but not a crash of the machine. When the test process
/// is killed and drops nothing, a watchdog removes the server all the same.
#[derive(Debug)]
pub struct ThrowawayPostgres {
    dir: TempDir,
    account: Option<Account>,
    port: u16,
    running: Option<Running>,
}

/// Whom the server runs as when the test runs as root, which PostgreSQL
/// refuses to do.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

#[derive(Debug)]
struct Running {
    postmaster: Child,
    watchdog: Child,
    frozen: Vec<u32>,
}

impl ThrowawayPostgres {
    /// Creates and starts a server, for a test that needs one to itself.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed, or does not accept connections within
    /// half a minute; the end of its log is then part of the message.
    #[must_use]
    pub fn start() -> Self {
        let initdb = program("initdb");
        let dir = tempfile::Builder::new()
            .prefix("throwaway-postgres-")
            .tempdir()
            .unwrap_or_else(|error| panic!("no temporary directory for PostgreSQL: {error}"));
        let account = account_instead_of_root(dir.path());
        let mut server = Self {
            dir,
            account,
            port: 0,
            running: None,
        };
        let mut create = server.command(&initdb);
        create.args(["--locale=C", "--encoding=UTF8", "--auth=trust", "--no-sync"]);
        create.args(["-U", "postgres", "-D"]).arg(server.data());
        succeed(&mut create);
        for _ in 0..5 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("every free port was taken before PostgreSQL could listen on it; run the test again")
    }

    /// Where the server answers, for a test that needs no database of its own.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Creates an empty database and returns its address, for tests that share
    /// a server but not their tables.
    ///
    /// # Panics
    ///
    /// When the server is stopped.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = fresh_name();
        create_database(&self.url(), &name);
        with_database(&self.url(), &name)
    }

    /// Takes the server away as a crash would: its connections break, and
    /// nobody listens on its port. Stopping a stopped server does nothing.
    pub fn stop(&mut self) {
        // A frozen server would not hear that it shall go.
        self.thaw();
        if let Some(mut running) = self.running.take() {
            // The watchdog goes first: it could signal a stranger once the
            // postmaster's number is free.
            let _ = running.watchdog.kill();
            let _ = running.watchdog.wait();
            if is_running(&mut running.postmaster) {
                signal("-QUIT", &[running.postmaster.id()]);
            }
            let _ = running.postmaster.wait();
        }
    }

    /// Brings the server back with the same port and data, stopping it first
    /// when it runs.
    ///
    /// # Panics
    ///
    /// When the server does not accept connections within half a minute.
    pub fn restart(&mut self) {
        self.stop();
        let begun = Instant::now();
        // The port was free for anyone while the server was stopped, and a
        // passing connection may still hold it.
        while !self.launch() {
            let port = self.port;
            assert!(
                begun.elapsed() < START_LIMIT,
                "port {port} was taken while PostgreSQL was stopped; run the test again"
            );
            sleep(POLL);
        }
    }

    /// Stops every process of the server in its tracks: connections stay open
    /// and the kernel accepts new ones, but nobody answers.
    ///
    /// # Panics
    ///
    /// Where neither the kernel nor `pgrep` lists a process's children.
    pub fn freeze(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        let postmaster = running.postmaster.id();
        loop {
            // Each child leads a process group of its own, so no one signal
            // reaches all of them. The server may fork between being listed
            // and being stopped: only a list without news is complete.
            let mut news = children(postmaster);
            news.push(postmaster);
            news.retain(|process| !running.frozen.contains(process));
            if news.is_empty() {
                return;
            }
            signal("-STOP", &news);
            running.frozen.append(&mut news);
        }
    }

    /// Lets a frozen server go on where it was.
    pub fn thaw(&mut self) {
        if let Some(running) = &mut self.running {
            signal("-CONT", &std::mem::take(&mut running.frozen));
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The account may be barred from the directory the test runs in.
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    /// Answers `false` when the port is taken, the one failure that another
    /// attempt can cure.
    fn launch(&mut self) -> bool {
        let (data, port) = (self.data(), self.port.to_string());
        let log = File::create(self.log())
            .unwrap_or_else(|error| panic!("PostgreSQL cannot have a log file: {error}"));
        let mut postgres = self.command(&program("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(&data);
        postgres.args(["-p", &port, "-h", "127.0.0.1", "-N", "100", "-B", "64MB"]);
        // Not synchronous_commit=off as well: it would lose the last commits
        // whenever `stop` cuts the server off.
        postgres.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        let postmaster = spawn(postgres.stdout(Stdio::null()).stderr(log));
        let running = self.running.insert(Running {
            watchdog: watchdog(postmaster.id(), self.dir.path()),
            postmaster,
            frozen: Vec::new(),
        });

        // Asked through the socket in the data directory, because on the port
        // a stranger might answer.
        let mut ready = Command::new(program("pg_isready"));
        ready.args(["-q", "-t", "1", "-p", &port, "-h"]).arg(&data);
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if ready.status().is_ok_and(|status| status.success()) {
                return true;
            }
            if !is_running(&mut running.postmaster) {
                break;
            }
            sleep(POLL);
        }
        self.stop();
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        if log.contains("could not create any TCP/IP sockets") {
            return false;
        }
        let before = log.lines().count().saturating_sub(20);
        let tail = log.lines().skip(before).collect::<Vec<_>>().join("\n");
        panic!("PostgreSQL did not start; its log ends with:\n{tail}")
    }
}

impl Drop for ThrowawayPostgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A database of a test's own, gone once this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Own(#[expect(dead_code, reason = "held for its drop")] ThrowawayPostgres),
    Borrowed { server: String, name: String },
}

/// Gives a test a fresh database: on the server that `TEST_DATABASE_URL` names,
/// or else on a throw-away one.
///
/// # Panics
///
/// When the named server refuses to create a database, or there is no
/// PostgreSQL to start.
#[must_use]
pub fn test_database() -> TestDatabase {
    borrowed_server().map_or_else(TestDatabase::own, TestDatabase::borrow)
}

impl TestDatabase {
    /// Where to connect to the database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn own() -> Self {
        let server = ThrowawayPostgres::start();
        Self {
            url: server.url(),
            origin: Origin::Own(server),
        }
    }

    fn borrow(server: String) -> Self {
        let name = fresh_name();
        let url = with_database(&server, &name);
        create_database(&server, &name);
        Self {
            url,
            origin: Origin::Borrowed { server, name },
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Origin::Borrowed { server, name } = &self.origin {
            let mut drop = Command::new(program("dropdb"));
            drop.args(["--force", "--if-exists", "--maintenance-db", server, name]);
            // A second panic would hide why the test failed, and a database
            // left behind harms nobody.
            let _ = drop.stdin(Stdio::null()).output();
        }
    }
}

/// Names differ between runs too, because a borrowed server outlives them.
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_nanos();
    format!("test_{now}_{}_{count}", std::process::id())
}

fn create_database(server: &str, name: &str) {
    let mut create = Command::new(program("createdb"));
    // From template0, which nobody can be connected to: tests that create
    // databases at the same time would stand in each other's way on template1.
    create.args(["--template=template0", "--encoding=UTF8", "--locale=C"]);
    succeed(create.args(["--maintenance-db", server, name]));
}

fn with_database(server: &str, name: &str) -> String {
    let (address, options) = match server.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (server, String::new()),
    };
    let Some((scheme, rest)) = address.split_once("://") else {
        panic!("TEST_DATABASE_URL must look like postgres://user:password@host:port/database");
    };
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    format!("{scheme}://{host}/{name}{options}")
}

/// Stops the server and removes its directory once the test process is gone,
/// which the shell learns from the end of a pipe that only that process holds.
fn watchdog(postmaster: u32, dir: &Path) -> Child {
    const SCRIPT: &str = r#"
        read -r line
        kill -QUIT "$1"; kill -CONT "$1"
        for second in 1 2 3 4 5 6 7 8; do kill -0 "$1" || break; sleep 1; done
        rm -rf "$2"
    "#;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", SCRIPT, "sh", &postmaster.to_string()])
        .arg(dir);
    // In a process group of its own, or what kills the group of the test kills
    // the watchdog with it.
    shell
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    spawn(&mut shell)
}

/// Sent through the shell, whose `kill` is there where the program is not.
fn signal(name: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    let mut kill = Command::new("sh");
    kill.args(["-c", r#"kill "$@""#, "sh", name])
        .args(processes);
    // A process that is already gone needs no signal.
    let _ = kill.output();
}

fn is_running(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

fn children(parent: u32) -> Vec<u32> {
    let listing = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))
        .unwrap_or_else(|_| succeed(Command::new("pgrep").args(["-P", &parent.to_string()])));
    listing
        .split_whitespace()
        .filter_map(|process| process.parse().ok())
        .collect()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .unwrap_or_else(|error| panic!("127.0.0.1 has no free port: {error}"))
        .port()
}

/// Who owns a fresh directory is who runs the test. For root, hands the
/// directory to the account that PostgreSQL's packages create.
fn account_instead_of_root(dir: &Path) -> Option<Account> {
    let owner = fs::metadata(dir).map(|metadata| metadata.uid());
    if !matches!(owner, Ok(0)) {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = accounts.lines().find_map(|line| {
        let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
        let uid = fields.next()?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    });
    let Some(account) = account else {
        panic!(
            "PostgreSQL refuses to run as root, and there is no account `postgres`; {}",
            cure()
        );
    };
    chown(dir, Some(account.uid), Some(account.gid))
        .unwrap_or_else(|error| panic!("cannot give {} to `postgres`: {error}", dir.display()));
    Some(account)
}

fn cure() -> &'static str {
    if borrowed_server().is_some() {
        // Then scripts/check installs nothing, and the test at hand needs a
        // server it may stop, or a client program.
        "unset TEST_DATABASE_URL and run scripts/check, which then installs PostgreSQL"
    } else {
        "run scripts/check, which installs PostgreSQL, or set TEST_DATABASE_URL"
    }
}

fn borrowed_server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|server| !server.is_empty())
}

/// Programs beside `initdb` come first, so that server and clients are of one
/// version.
fn program(name: &str) -> PathBuf {
    let found = server_programs()
        .into_iter()
        .chain(search_path())
        .map(|dir| dir.join(name));
    found
        .into_iter()
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("PostgreSQL's program `{name}` is not installed; {}", cure()))
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

fn spawn(command: &mut Command) -> Child {
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", command.get_program().display()))
}

/// The output of a command without whose success the test cannot go on.
fn succeed(command: &mut Command) -> String {
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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;

    use super::*;

    fn query(url: &str, sql: &str) -> String {
        let mut psql = Command::new(program("psql"));
        let answer = succeed(psql.args([
            "--no-psqlrc",
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
            url,
            "-c",
            sql,
        ]));
        answer.trim().to_owned()
    }

    fn answers(server: &ThrowawayPostgres) -> bool {
        let mut ask = Command::new(program("pg_isready"));
        ask.args(["--quiet", "--timeout=1", "--dbname", &server.url()]);
        ask.status().is_ok_and(|status| status.success())
    }

    fn listens(port: u16) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    #[test]
    fn a_started_server_answers_queries() {
        let server = ThrowawayPostgres::start();
        assert_eq!(query(&server.url(), "select 1"), "1");
        assert_eq!(query(&server.url(), "show server_encoding"), "UTF8");
        assert_eq!(query(&server.url(), "show lc_collate"), "C");
    }

    #[test]
    fn each_database_is_its_own() {
        let server = ThrowawayPostgres::start();
        let (one, other) = (server.create_database(), server.create_database());
        query(&one, "create table only_here ()");
        assert_eq!(
            query(&other, "select to_regclass('only_here') is null"),
            "t"
        );
    }

    #[test]
    fn a_restart_keeps_port_and_data() {
        let mut server = ThrowawayPostgres::start();
        let url = server.url();
        query(&url, "create table kept as select 42 as answer");
        server.stop();
        assert!(!listens(server.port));
        server.stop();
        server.restart();
        assert_eq!(server.url(), url);
        assert_eq!(query(&url, "select answer from kept"), "42");
        server.restart();
        assert_eq!(query(&url, "select answer from kept"), "42");
    }

    #[test]
    fn a_frozen_server_listens_but_does_not_answer() {
        let mut server = ThrowawayPostgres::start();
        server.freeze();
        assert!(listens(server.port));
        assert!(!answers(&server));
        server.thaw();
        assert!(answers(&server));
        server.freeze();
        server.stop();
        assert!(!listens(server.port));
    }

    #[test]
    fn two_servers_run_side_by_side() {
        let start = || std::thread::spawn(ThrowawayPostgres::start);
        let both = [start(), start()].map(|thread| thread.join().expect("a server starts"));
        assert!(both.iter().all(answers));
        let [one, other] = both;
        assert_ne!(one.port, other.port);
    }

    #[test]
    fn a_dropped_server_leaves_nothing() {
        let server = ThrowawayPostgres::start();
        let (port, dir) = (server.port, server.dir.path().to_owned());
        assert!(dir.exists());
        drop(server);
        assert!(!listens(port));
        assert!(!dir.exists());
    }

    #[test]
    fn a_killed_test_leaves_nothing() {
        const VICTIM: &str = "THROWAWAY_POSTGRES_VICTIM";
        if std::env::var_os(VICTIM).is_some() {
            let mut server = ThrowawayPostgres::start();
            server.freeze();
            println!(
                "
server {} {}",
                server.port,
                server.dir.path().display()
            );
            sleep(START_LIMIT);
            return;
        }
        let this_test = std::env::current_exe().expect("a test knows its own program");
        let mut victim = Command::new(this_test);
        victim.args([
            "--exact",
            "tests::a_killed_test_leaves_nothing",
            "--nocapture",
        ]);
        let mut victim = spawn(victim.env(VICTIM, "").stdout(Stdio::piped()));
        let output = victim.stdout.take().expect("the output is piped");
        let (port, dir) = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (port, dir) = line.strip_prefix("server ")?.split_once(' ')?;
                Some((port.parse().ok()?, PathBuf::from(dir)))
            })
            .expect("the victim tells where its server is");
        assert!(listens(port));
        victim.kill().expect("the victim can be killed");
        victim.wait().expect("the victim ends");
        let begun = Instant::now();
        while dir.exists() {
            assert!(
                begun.elapsed() < START_LIMIT,
                "the watchdog did not remove {}",
                dir.display()
            );
            sleep(POLL);
        }
        assert!(!listens(port));
    }

    #[test]
    fn a_borrowed_server_gets_its_database_dropped() {
        let server = ThrowawayPostgres::start();
        let database = TestDatabase::borrow(server.url());
        assert_ne!(database.url(), server.url());
        assert_eq!(query(database.url(), "select 1"), "1");
        let count = "select count(*) from pg_database where datname like 'test%'";
        assert_eq!(query(&server.url(), count), "1");
        drop(database);
        assert_eq!(query(&server.url(), count), "0");
    }

    #[test]
    fn a_test_without_a_server_gets_its_own() {
        assert_eq!(query(TestDatabase::own().url(), "select 1"), "1");
    }

    #[test]
    fn the_database_is_replaced_in_every_form_of_address() {
        let cases = [
            ("postgres://u:p@h:1/db", "postgres://u:p@h:1/new"),
            ("postgresql://h", "postgresql://h/new"),
            (
                "postgres:///db?host=/run/postgresql",
                "postgres:///new?host=/run/postgresql",
            ),
            (
                "postgres://h?sslmode=disable",
                "postgres://h/new?sslmode=disable",
            ),
        ];
        for (server, expected) in cases {
            assert_eq!(with_database(server, "new"), expected);
        }
    }
}
