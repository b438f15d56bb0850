//! A proxy between the program and PostgreSQL. It counts statements, and it can stop everything around a COMMIT.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use crate::with_parameter;

/// Where to stop a program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trap {
    /// It has sent its COMMIT, which has not reached PostgreSQL.
    BeforeCommit = 1,
    /// PostgreSQL has committed, and its answer has not reached the program.
    AfterCommit = 2,
}

pub(crate) struct Proxy {
    url: String,
    shared: Arc<Shared>,
    sprung: mpsc::Receiver<()>,
}

struct Shared {
    trap: AtomicU8,
    sprung: mpsc::Sender<()>,
    trapped: Mutex<Vec<Arc<Connection>>>,
    statements: AtomicUsize,
    transactions: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy for the server at this address.
    pub(crate) fn start(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let (user, server) = match host.rsplit_once('@') {
            Some((user, server)) => (format!("{user}@"), server.to_owned()),
            None => (String::new(), host.to_owned()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, sprung) = mpsc::channel();
        let shared = Arc::new(Shared {
            trap: AtomicU8::new(0),
            sprung: sender,
            trapped: Mutex::default(),
            statements: AtomicUsize::new(0),
            transactions: AtomicUsize::new(0),
        });
        thread::spawn({
            let shared = shared.clone();
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    Connection::open(client, &server, &shared);
                }
            }
        });
        Self {
            // It forwards messages without TLS.
            url: with_parameter(
                &format!("{scheme}://{user}{address}/{path}"),
                "sslmode=disable",
            ),
            shared,
            sprung,
        }
    }

    /// The database's address by way of the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops the program at its next COMMIT.
    pub(crate) fn set(&self, trap: Trap) {
        self.shared.trap.store(trap as u8, Ordering::SeqCst);
    }

    /// Waits until a program is stopped at the trap. It then receives nothing any more.
    pub(crate) fn wait(&self) {
        self.sprung.recv_timeout(Duration::from_secs(30)).unwrap();
    }

    /// Closes the connection of the stopped program, which then continues.
    pub(crate) fn cut(&self) {
        for connection in self.shared.trapped.lock().unwrap().drain(..) {
            connection.close();
        }
    }

    /// How many prepared statements were run, and how many plain ones such as BEGIN and COMMIT, since it was asked last.
    pub(crate) fn counted(&self) -> (usize, usize) {
        (
            self.shared.statements.swap(0, Ordering::SeqCst),
            self.shared.transactions.swap(0, Ordering::SeqCst),
        )
    }
}

/// One connection of the program, with the one to the server that belongs to it.
struct Connection {
    client: TcpStream,
    server: TcpStream,
    trapped: AtomicU8,
}

impl Connection {
    fn open(client: TcpStream, server: &str, shared: &Arc<Shared>) {
        let Ok(server) = TcpStream::connect(server) else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let connection = Arc::new(Self {
            client,
            server,
            trapped: AtomicU8::new(0),
        });
        for direction in [Self::to_server, Self::to_client] {
            let (connection, shared) = (connection.clone(), shared.clone());
            thread::spawn(move || {
                // An error is the end of the connection, like its close.
                let _ = direction(&connection, &shared);
                connection.close();
            });
        }
    }

    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    /// Forwards messages one by one. The first one has no kind, but a length like all others.
    fn to_server(self: &Arc<Self>, shared: &Shared) -> io::Result<()> {
        let mut is_first = true;
        loop {
            let mut message = Vec::new();
            if !is_first {
                message.push(self.byte()?);
            }
            is_first = false;
            let kind = message.first().copied();
            let mut length = [0; 4];
            (&self.client).read_exact(&mut length)?;
            message.extend(length);
            let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
            (&self.client).read_exact(&mut rest)?;
            match kind {
                Some(b'B') => drop(shared.statements.fetch_add(1, Ordering::SeqCst)),
                Some(b'Q') => drop(shared.transactions.fetch_add(1, Ordering::SeqCst)),
                _ => {}
            }
            if kind == Some(b'Q') && rest == b"COMMIT\0" {
                let trap = shared.trap.swap(0, Ordering::SeqCst);
                self.trapped.store(trap, Ordering::SeqCst);
                if trap > 0 {
                    shared.trapped.lock().unwrap().push(self.clone());
                }
                if trap == Trap::BeforeCommit as u8 {
                    let _ = shared.sprung.send(());
                    // Until the program is killed.
                    self.byte()?;
                }
            }
            message.extend(rest);
            (&self.server).write_all(&message)?;
        }
    }

    fn byte(&self) -> io::Result<u8> {
        let mut byte = [0];
        (&self.client).read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn to_client(self: &Arc<Self>, shared: &Shared) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = (&self.server).read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            if self.trapped.load(Ordering::SeqCst) == Trap::AfterCommit as u8 {
                // The answer to the COMMIT is not forwarded.
                let _ = shared.sprung.send(());
                // Until the program is killed, which the other direction notices.
                while (&self.server).read(&mut buffer)? > 0 {}
                return Ok(());
            }
            (&self.client).write_all(&buffer[..read])?;
        }
    }
}
