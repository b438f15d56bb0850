//! A real nginx that lives as long as the test that asked for it.
//!
//! Everything here panics instead of returning errors, and the panic names the fix.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test has no use for going on without its proxy"
)]

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// An nginx on a loopback socket, which runs until it is dropped.
#[derive(Debug)]
pub struct Nginx {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts nginx with this content of its `http` block, in front of a server.
    ///
    /// The configuration is written as in the guide: nginx listens on port 8080, and the server on 127.0.0.1:3000.
    ///
    /// # Panics
    /// If nginx is missing or refuses the configuration.
    #[must_use]
    pub fn start(configuration: &str, server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        assert!(configuration.contains("listen 8080"), "{configuration}");
        let configuration = configuration
            .replace("listen 8080", &format!("listen {address}"))
            .replace("127.0.0.1:3000", &server.to_string());
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {name};\n"));
        let whole = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\naccess_log off;\n{}{configuration}}}\n",
            temporary.concat()
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, &whole).unwrap();
        let mut process = Command::new(program())
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx can't be started ({error}): run scripts/setup"));
        // It writes the file once it listens, and ends if somebody else has the port.
        let pid = folder.path().join("nginx.pid");
        let until = Instant::now() + Duration::from_secs(20);
        while !pid.exists() {
            if let Some(status) = process.try_wait().unwrap() {
                panic!("nginx ended ({status}), and its message is above:\n{whole}");
            }
            assert!(Instant::now() < until, "nginx does not start:\n{whole}");
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

impl Drop for Nginx {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where Debian has programs that are for the superuser.
fn program() -> &'static str {
    let places = [
        "/usr/sbin/nginx",
        "/usr/local/sbin/nginx",
        "/opt/homebrew/bin/nginx",
    ];
    let mut places = places.into_iter();
    places
        .find(|path| Path::new(path).exists())
        .unwrap_or("nginx")
}
