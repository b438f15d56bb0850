//! The merchants that every test of the wire runs against.

use std::future::Future;

use axum::Router;
use churnkey_conformance::{Client, Fixtures};
use churnkey_integrator::{
    CancelAction, CustomersController, ExtendTrialAction, FamiliesController, Integration,
    IntegrationBuilder, IntegrationToken, PricesController, ProductsController, RequestContext,
    Result, SubscriptionsController,
    actions::{ExtendTrialFeatures, ExtendTrialRequest},
    controller,
};
use example_app::{Clock, Demo, demo_token};
use throwaway_postgres::{TestDatabase, test_database};

use crate::socket::Server;

pub(crate) fn token() -> IntegrationToken {
    demo_token().unwrap()
}

/// Calls an integration in this process, with the token of the demo.
pub(crate) fn client_of(integration: &Integration) -> Client {
    Client::new(integration.clone().into_router(), token())
}

pub(crate) fn in_memory_store() -> in_memory::store::Store {
    let demo = Demo::load().unwrap();
    let store = in_memory::store::Store::new(Clock::Frozen(demo.clock));
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    store
}

/// Runs a test against each example merchant, filled with the demo data, behind a socket.
pub(crate) async fn each<F: Future<Output = ()>>(test: impl Fn(&'static str, Server) -> F) {
    let in_memory = in_memory::churnkey::integration(&in_memory_store(), token());
    test("in-memory", server(in_memory.unwrap()).await).await;

    let database = test_database();
    let postgres = postgres::churnkey::integration(&postgres_store(&database).await, token());
    test("postgres", server(postgres.unwrap()).await).await;
}

/// An example with the demo data, at any time.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    at: Box<dyn Fn(Clock) -> Integration>,
    _database: Option<TestDatabase>,
}

impl Example {
    /// Calls it when its data's clock says so.
    pub(crate) fn at(&self, moment: &str) -> Client {
        client_of(&(self.at)(moment.parse().unwrap()))
    }
}

/// Both examples, each with data of its own.
pub(crate) async fn examples() -> [Example; 2] {
    let store = in_memory_store();
    let in_memory = Example {
        name: "in-memory",
        at: Box::new(move |clock| {
            in_memory::churnkey::integration(&store.at(clock), token()).unwrap()
        }),
        _database: None,
    };
    let database = test_database();
    let store = postgres_store(&database).await;
    let postgres = Example {
        name: "postgres",
        at: Box::new(move |clock| {
            postgres::churnkey::integration(&store.at(clock), token()).unwrap()
        }),
        _database: Some(database),
    };
    [in_memory, postgres]
}

pub(crate) async fn server(integration: Integration) -> Server {
    Server::start(Router::new().merge(integration.into_router()), &token()).await
}

pub(crate) async fn postgres_store(database: &TestDatabase) -> postgres::store::Store {
    let demo = Demo::load().unwrap();
    let store = empty_postgres_store(database, Clock::Frozen(demo.clock)).await;
    assert!(store.load_if_empty(&demo.live, &demo.test).await.unwrap());
    store
}

pub(crate) async fn empty_postgres_store(
    database: &TestDatabase,
    clock: Clock,
) -> postgres::store::Store {
    let store = postgres::store::Store::connect(database.url()).unwrap();
    store.migrate().await.unwrap();
    store.at(clock)
}

/// An example's store, with the demo data.
#[derive(Clone)]
pub(crate) enum Store {
    InMemory(in_memory::store::Store),
    Postgres(postgres::store::Store),
}

impl Store {
    /// An integration of these customers and of this action, which the examples have each in their own way.
    pub(crate) fn extending(
        &self,
        name: &str,
        action: impl ExtendTrialAction,
    ) -> IntegrationBuilder {
        self.served_by(Integration::builder(name, token()))
            .extend_trial(action)
    }

    /// Everything that extending a trial needs.
    pub(crate) fn served_by(&self, builder: IntegrationBuilder) -> IntegrationBuilder {
        match self.clone() {
            Self::InMemory(store) => reading(builder, store),
            Self::Postgres(store) => reading(builder, store.clone()).idempotency(store),
        }
    }
}

fn reading<S>(builder: IntegrationBuilder, store: S) -> IntegrationBuilder
where
    S: Clone + CustomersController + SubscriptionsController + PricesController,
    S: ProductsController + FamiliesController + CancelAction,
{
    builder
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .products(store.clone())
        .families(store.clone())
        .cancel(store)
}

#[controller]
impl ExtendTrialAction for Store {
    fn features(&self) -> ExtendTrialFeatures {
        match self {
            Self::InMemory(store) => ExtendTrialAction::features(store),
            Self::Postgres(store) => ExtendTrialAction::features(store),
        }
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        match self {
            Self::InMemory(store) => store.extend_trial(cx, request).await,
            Self::Postgres(store) => store.extend_trial(cx, request).await,
        }
    }
}

/// Runs a test against the store of each example, with the demo data.
pub(crate) async fn each_store<F: Future<Output = ()>>(test: impl Fn(&'static str, Store) -> F) {
    test("in-memory", Store::InMemory(in_memory_store())).await;
    let database = test_database();
    let store = postgres_store(&database).await;
    test("postgres", Store::Postgres(store)).await;
}

/// The records of the demo data that the suite uses.
pub(crate) fn demo_fixtures() -> Fixtures {
    Fixtures::new("cus_ada", "cus_nobody")
        .test_customer("cus_test")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .shared_email("shared@example.com")
        .shared_phone("+15550100001")
}

/// The same, for a merchant who serves everything.
pub(crate) fn reading_fixtures() -> Fixtures {
    demo_fixtures()
        .subscription("cus_linus", "sub_linus_seats")
        .price("price_pro_month")
        .coupon("coupon_stay20")
        .expired_coupon("coupon_expired")
        .product("prod_pro")
        .family("fam_core")
}

/// A store with a record for everything that the suite may change. See [`billing_fixtures`].
pub(crate) fn billing_store() -> in_memory::store::Store {
    let demo = suite_fixtures::demo().unwrap();
    let store = in_memory::store::Store::new(Clock::Frozen(demo.clock));
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    store
}

/// Everything that the suite can check of this store. It moves the store's clock.
pub(crate) fn billing_fixtures(store: &in_memory::store::Store) -> Fixtures {
    let store = store.clone();
    suite_fixtures::fixtures().advance_clock(move |moment| {
        store.set_clock(Clock::Frozen(moment));
        async {}
    })
}
