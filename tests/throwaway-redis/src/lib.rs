//! A real Redis that lives as long as the test that asked for it, and that the test can take away.
//!
//! Everything here panics instead of returning errors, and the panic names the fix.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test has no use for going on without its Redis"
)]

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// A Redis on a port of 127.0.0.1, which runs until it is dropped. It writes down every change before it answers, so that a
/// crash loses none.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    port: u16,
    /// The port on which nodes of a cluster talk to each other, if this is one.
    bus: Option<u16>,
    process: Option<Child>,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Panics
    /// If Redis is missing or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::listening(false)
    }

    /// Starts a cluster of one node, which has all slots. It refuses a script whose keys are in several slots.
    ///
    /// # Panics
    /// If Redis is missing or does not start.
    #[must_use]
    pub fn start_cluster() -> Self {
        let redis = Self::listening(true);
        redis.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        let until = Instant::now() + START_LIMIT;
        while !redis.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
            assert!(Instant::now() < until, "the cluster does not start");
            sleep(POLL);
        }
        redis
    }

    fn listening(is_cluster: bool) -> Self {
        let mut redis = Self {
            folder: tempfile::tempdir().unwrap(),
            port: 0,
            bus: None,
            process: None,
        };
        for _ in 0..5 {
            redis.port = free_port();
            redis.bus = is_cluster.then(free_port);
            if redis.launch() {
                return redis;
            }
        }
        panic!("every free port was taken before Redis could listen on it; run the test again")
    }

    /// Where to connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Takes the server away as a crash would: its connections break, and nothing listens on its port.
    ///
    /// # Panics
    /// If the system can't end the process.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Brings the server back with the same port and data, after [`kill`](Self::kill).
    ///
    /// # Panics
    /// If the server does not start.
    pub fn restart(&mut self) {
        self.kill();
        let until = Instant::now() + START_LIMIT;
        while !self.launch() {
            let port = self.port;
            assert!(
                Instant::now() < until,
                "port {port} was taken while Redis was away; run the test again"
            );
            sleep(POLL);
        }
    }

    /// Suspends the server: connections stay open and the kernel accepts new ones, but nothing answers.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Resumes a frozen server.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Sent through the shell, whose `kill` is there where the program is not.
    fn signal(&self, name: &str) {
        let process = self.process.as_ref().map(Child::id);
        let process = process.unwrap_or_else(|| panic!("Redis does not run"));
        let mut kill = Command::new("sh");
        kill.args(["-c", r#"kill "$@""#, "sh", name, &process.to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// Whether the server listens, which it does not if somebody else has the port.
    fn launch(&mut self) -> bool {
        let folder = self.folder.path();
        let log = folder.join("log");
        let output = File::create(&log).unwrap();
        let mut server = Command::new(program());
        server.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        server.args(["--save", "", "--appendonly", "yes"]);
        server
            .args(["--appendfsync", "always", "--dir"])
            .arg(folder);
        if let Some(bus) = self.bus {
            server.args(["--cluster-enabled", "yes", "--cluster-port"]);
            server.arg(bus.to_string());
        }
        let server = server.stdin(Stdio::null()).stdout(output).spawn();
        let process = self.process.insert(server.unwrap_or_else(|error| {
            panic!("redis-server can't be started ({error}): run scripts/setup")
        }));
        let own = format!("process_id:{}\r\n", process.id());
        let until = Instant::now() + START_LIMIT;
        while Instant::now() < until {
            if ask(self.port, &["INFO", "server"]).is_ok_and(|info| info.contains(&own))
                && ask(self.port, &["DBSIZE"]).is_ok_and(|answer| answer.starts_with(':'))
            {
                return true;
            }
            if process.try_wait().unwrap().is_some() {
                break;
            }
            sleep(POLL);
        }
        self.kill();
        let log = fs::read_to_string(log).unwrap_or_default();
        assert!(
            log.contains("Address already in use"),
            "Redis does not start:\n{log}"
        );
        false
    }

    fn ask(&self, command: &[&str]) -> String {
        let answer = ask(self.port, command);
        answer.unwrap_or_else(|error| panic!("Redis does not answer: {error}"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One command on a connection of its own. What comes back is as Redis writes it.
fn ask(port: u16, command: &[&str]) -> io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(START_LIMIT))?;
    let arguments = command
        .iter()
        .map(|text| format!("${}\r\n{text}\r\n", text.len()));
    let text: String = arguments.collect();
    let quit = "*1\r\n$4\r\nQUIT\r\n";
    write!(connection, "*{}\r\n{text}{quit}", command.len())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap().port()
}

fn program() -> PathBuf {
    let places = ["/usr/bin/redis-server", "/opt/homebrew/bin/redis-server"];
    let mut places = places.iter().map(Path::new);
    let found = places.find(|path| path.exists());
    found.unwrap_or(Path::new("redis-server")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loses_nothing() {
        let mut redis = Redis::start();
        let url = redis.url();
        assert!(redis.ask(&["SET", "kept", "42"]).starts_with("+OK"));
        redis.kill();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port)).is_err());
        redis.restart();
        assert_eq!(redis.url(), url);
        assert!(redis.ask(&["GET", "kept"]).starts_with("$2\r\n42\r\n"));
    }

    #[test]
    fn a_frozen_server_listens_and_does_not_answer() {
        let redis = Redis::start();
        redis.freeze();
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port)).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        connection.write_all(b"PING\r\n").unwrap();
        let mut answer = [0; 7];
        assert!(connection.read_exact(&mut answer).is_err());
        redis.thaw();
        connection.set_read_timeout(Some(START_LIMIT)).unwrap();
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+PONG\r\n");
    }

    #[test]
    fn a_cluster_refuses_keys_of_two_slots() {
        let redis = Redis::start_cluster();
        let answer = redis.ask(&["DEL", "a", "b"]);
        assert!(answer.starts_with("-CROSSSLOT"), "{answer}");
        assert!(redis.ask(&["DEL", "{a}1", "{a}2"]).starts_with(":0"));
    }

    #[test]
    fn a_dropped_server_leaves_nothing() {
        let redis = Redis::start();
        let (port, folder) = (redis.port, redis.folder.path().to_owned());
        drop(redis);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(!folder.exists());
    }
}
