//! The integrations that the tool is pointed at.

use std::net::SocketAddr;

use axum::Router;
use churnkey_integrator::{Integration, IntegrationToken};
use example_app::{Clock, Demo, demo_token};
use throwaway_postgres::{TestDatabase, test_database};
use tokio::{net::TcpListener, runtime::Runtime};

/// A server on a loopback socket, which runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    _runtime: Runtime,
    database: Option<TestDatabase>,
}

impl Server {
    pub(crate) fn start(app: Router) -> Self {
        Self::serving(None, async { app })
    }

    fn serving(database: Option<TestDatabase>, app: impl Future<Output = Router>) -> Self {
        let runtime = Runtime::new().unwrap();
        let (listener, app) = runtime.block_on(async {
            let app = app.await;
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), app)
        });
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            _runtime: runtime,
            database,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its database, if it has one.
    pub(crate) fn database(&self) -> Option<&str> {
        self.database.as_ref().map(TestDatabase::url)
    }

    /// The URL with the prefix.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/churnkey", self.address)
    }
}

pub(crate) fn token() -> IntegrationToken {
    demo_token().unwrap()
}

fn router(integration: Integration) -> Router {
    Router::new().merge(integration.into_router())
}

pub(crate) fn in_memory_store() -> in_memory::store::Store {
    let demo = Demo::load().unwrap();
    let store = in_memory::store::Store::new(Clock::Frozen(demo.clock));
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    store
}

/// The router of the in-memory example with the demo data.
pub(crate) fn in_memory_app() -> Router {
    router(in_memory::churnkey::integration(&in_memory_store(), token()).unwrap())
}

/// The in-memory example with the demo data.
pub(crate) fn in_memory() -> Server {
    Server::start(in_memory_app())
}

/// The Postgres example with the demo data.
pub(crate) fn postgres() -> Server {
    let database = test_database();
    let url = database.url().to_owned();
    Server::serving(Some(database), async move {
        let demo = Demo::load().unwrap();
        let store = postgres::store::Store::connect(&url).unwrap();
        store.migrate().await.unwrap();
        let store = store.at(Clock::Frozen(demo.clock));
        assert!(store.load_if_empty(&demo.live, &demo.test).await.unwrap());
        router(postgres::churnkey::integration(&store, token()).unwrap())
    })
}

/// Runs a test against both examples.
pub(crate) fn each(test: impl Fn(&Server)) {
    test(&in_memory());
    test(&postgres());
}
