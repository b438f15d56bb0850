//! A database of a test's own, on whichever server there is.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use crate::programs::{borrowed_server, program, succeed};
use crate::server::ThrowawayPostgres;

/// A database of a test's own, gone once this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Shared(#[expect(dead_code, reason = "held for its drop")] Arc<ThrowawayPostgres>),
    Borrowed { server: String, name: String },
}

/// Gives a test a fresh database: on the server that `TEST_DATABASE_URL` names,
/// or else on a throw-away one that the tests of a program share.
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

    pub(crate) fn own() -> Self {
        let server = shared_server();
        Self {
            url: server.create_database(),
            origin: Origin::Shared(server),
        }
    }

    pub(crate) fn borrow(server: String) -> Self {
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
            // left behind does no harm.
            let _ = drop.stdin(Stdio::null()).output();
        }
    }
}

/// Creating a server takes a second, creating a database a tenth of it. The
/// server goes with the last database on it.
fn shared_server() -> Arc<ThrowawayPostgres> {
    static SHARED: Mutex<Weak<ThrowawayPostgres>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(ThrowawayPostgres::start());
    *shared = Arc::downgrade(&server);
    server
}

/// Names differ between runs too, because a borrowed server outlives them.
pub(crate) fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_nanos();
    format!("test_{now}_{}_{count}", std::process::id())
}

pub(crate) fn create_database(server: &str, name: &str) {
    let mut create = Command::new(program("createdb"));
    // From template0, which allows no connections: tests that create
    // databases at the same time would stand in each other's way on template1.
    create.args(["--template=template0", "--encoding=UTF8", "--locale=C"]);
    succeed(create.args(["--maintenance-db", server, name]));
}

pub(crate) fn with_database(server: &str, name: &str) -> String {
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
