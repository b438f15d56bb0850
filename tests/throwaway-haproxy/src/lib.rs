//! A real HAProxy that lives as long as the test that asked for it.
//!
//! Everything here panics instead of returning errors, and the panic names the fix.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test has no use for going on without its proxy"
)]

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A HAProxy on a loopback socket, which runs until it is dropped.
#[derive(Debug)]
pub struct HaProxy {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl HaProxy {
    /// Starts HAProxy with this configuration, in front of two servers.
    ///
    /// The configuration is written as in the guide: HAProxy listens on port 8080, and the servers on port 3000 of 10.0.0.1 and
    /// 10.0.0.2.
    ///
    /// # Panics
    /// If HAProxy is missing or refuses the configuration.
    #[must_use]
    pub fn start(configuration: &str, servers: [SocketAddr; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut written = configuration.to_owned();
        let [one, two] = servers.map(|server| server.to_string());
        for (guide, here) in [
            ("bind :8080", &*format!("bind {address}")),
            ("10.0.0.1:3000", &*one),
            ("10.0.0.2:3000", &*two),
        ] {
            assert!(written.contains(guide), "no {guide} in:\n{configuration}");
            written = written.replace(guide, here);
        }
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, &written).unwrap();
        let log = folder.path().join("log");
        let mut process = Command::new(program())
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("haproxy can't be started ({error}): run scripts/setup")
            });
        // It ends if somebody else has the port.
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.try_wait().unwrap() {
                let said = fs::read_to_string(&log).unwrap_or_default();
                panic!("HAProxy ended ({status}): {said}\n{written}");
            }
            assert!(Instant::now() < until, "HAProxy does not start:\n{written}");
            sleep(Duration::from_millis(5));
        }
        Self {
            address,
            process,
            _folder: folder,
        }
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where Debian has programs that are for the superuser.
fn program() -> &'static str {
    let places = [
        "/usr/sbin/haproxy",
        "/usr/local/sbin/haproxy",
        "/opt/homebrew/bin/haproxy",
    ];
    let mut places = places.into_iter();
    places
        .find(|path| Path::new(path).exists())
        .unwrap_or("haproxy")
}
