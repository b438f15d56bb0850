//! A server of a test's own, from its data directory to its end.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::database::{create_database, fresh_name, with_database};
use crate::programs::{fix, program, spawn, succeed};

pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// A PostgreSQL server on a free port of 127.0.0.1, with a data directory of
/// its own; both are gone once this is dropped.
///
/// It never waits for the disk, so committed data survives
/// [`stop`](Self::stop) but not a crash of the machine. When the test process
/// is killed and drops nothing, a watchdog removes the server all the same.
#[derive(Debug)]
pub struct ThrowawayPostgres {
    pub(crate) dir: TempDir,
    account: Option<Account>,
    pub(crate) port: u16,
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
        Self::create(&std::env::temp_dir()).listening()
    }

    /// The same with the data directory in this one, such as a small disk.
    /// Every account has to be able to enter it.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does.
    #[must_use]
    pub fn start_in(directory: &Path) -> Self {
        Self::create(directory).listening()
    }

    /// The same, with TLS for those who ask for it: with a certificate and its
    /// private key, both in PEM form. Who does not ask is served without.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does, and when PostgreSQL refuses them.
    #[must_use]
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        let server = Self::create(&std::env::temp_dir());
        // Under the names that PostgreSQL expects.
        server.write("server.crt", certificate);
        server.write("server.key", key);
        let settings = server.data().join("postgresql.auto.conf");
        fs::write(settings, "ssl = on\n")
            .unwrap_or_else(|error| panic!("PostgreSQL cannot be told to use TLS: {error}"));
        server.listening()
    }

    fn create(directory: &Path) -> Self {
        let initdb = program("initdb");
        let dir = tempfile::Builder::new()
            .prefix("throwaway-postgres-")
            .tempdir_in(directory)
            .unwrap_or_else(|error| panic!("no temporary directory for PostgreSQL: {error}"));
        let account = account_instead_of_root(dir.path());
        let server = Self {
            dir,
            account,
            port: 0,
            running: None,
        };
        let mut create = server.command(&initdb);
        create.args(["--locale=C", "--encoding=UTF8", "--auth=trust", "--no-sync"]);
        create.args(["-U", "postgres", "-D"]).arg(server.data());
        succeed(&mut create);
        server
    }

    fn listening(mut self) -> Self {
        for _ in 0..5 {
            self.port = free_port();
            if self.launch() {
                return self;
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
    /// nothing listens on its port. Stopping a stopped server does nothing.
    pub fn stop(&mut self) {
        // A frozen server would not receive the signal.
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

    /// Whether the server is there, or was stopped or has ended by itself.
    pub fn is_running(&mut self) -> bool {
        let running = self.running.as_mut();
        running.is_some_and(|running| is_running(&mut running.postmaster))
    }

    /// Suspends every process of the server: connections stay open and the
    /// kernel accepts new ones, but nothing answers.
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

    /// Resumes a frozen server.
    pub fn thaw(&mut self) {
        if let Some(running) = &mut self.running {
            signal("-CONT", &std::mem::take(&mut running.frozen));
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Adds a file that only the server's account may read, as PostgreSQL
    /// demands of a private key.
    fn write(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        let written = fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o600)))
            .and_then(|()| match self.account {
                Some(account) => chown(&path, Some(account.uid), Some(account.gid)),
                None => Ok(()),
            });
        written.unwrap_or_else(|error| panic!("PostgreSQL cannot have its {name}: {error}"));
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The account may have no access to the directory the test runs in.
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    /// Returns `false` when the port is taken, the only failure that is worth
    /// another attempt.
    fn launch(&mut self) -> bool {
        let (data, port) = (self.data(), self.port.to_string());
        let log = File::create(self.log())
            .unwrap_or_else(|error| panic!("PostgreSQL cannot have a log file: {error}"));
        let mut postgres = self.command(&program("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(&data);
        postgres.args(["-p", &port, "-h", "127.0.0.1", "-N", "400", "-B", "64MB"]);
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
            fix()
        );
    };
    chown(dir, Some(account.uid), Some(account.gid))
        .unwrap_or_else(|error| panic!("cannot give {} to `postgres`: {error}", dir.display()));
    Some(account)
}
