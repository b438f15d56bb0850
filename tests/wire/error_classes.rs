//! `classify_errors`: which status an error gets that a merchant's code returned by `?`.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use churnkey_integrator::{
    CancelAction, Currency, CustomerId, CustomersController, ErrorClass, HandlerError, Integration,
    IntegrationBuilder, RequestContext, Result,
    actions::{CancelFeatures, CancelRequest, Schedules},
    async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known},
    model::Customer,
};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::{sync::Notify, time::timeout};
use tracing::Level;

use crate::{
    demo,
    logs::log_while,
    merchants::{client_of, server, token},
    socket::{Reply, Server},
};

/// A merchant's error, which may be the source of others.
#[derive(Debug)]
enum Fault {
    Busy,
    Deadlock,
    Bug,
    Above(Box<Self>),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hunter2")
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Above(source) => Some(&**source),
            _ => None,
        }
    }
}

fn class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    match error.downcast_ref()? {
        Fault::Busy => Some(ErrorClass::Unavailable),
        Fault::Deadlock => Some(ErrorClass::Conflict),
        Fault::Bug | Fault::Above(_) => None,
    }
}

fn above(fault: Fault) -> Fault {
    Fault::Above(Box::new(fault))
}

struct Failing;

#[controller]
impl CustomersController for Failing {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "busy" => Err(Fault::Busy)?,
            "deadlock" => Err(Fault::Deadlock)?,
            "bug" => Err(Fault::Bug)?,
            "deep" => Err(above(above(Fault::Deadlock)))?,
            "deep-bug" => Err(above(Fault::Bug))?,
            "rejected" => Err(HandlerError::bad_request("no").with_source(Fault::Busy)),
            "missing" => Err(HandlerError::not_found("gone").with_source(Fault::Busy)),
            "later" => Err(HandlerError::unavailable(
                Duration::from_secs(30),
                Fault::Deadlock,
            )),
            "invalid" => Err(Currency::new("BTC").unwrap_err())?,
            "panic" => panic!("a broken rule"),
            "another" => Ok(Some(Customer::new(CustomerId::new("cus_1")?))),
            _ => Ok(None),
        }
    }
}

fn failing(build: impl FnOnce(IntegrationBuilder) -> IntegrationBuilder) -> Integration {
    let builder = Integration::builder("Failing", token()).customers(Failing);
    build(builder).build().unwrap()
}

async fn asked(server: &Server, id: &str) -> Reply {
    server.get(&format!("/churnkey/customers/{id}")).await
}

fn said(reply: &Reply) -> (u16, String, Option<&str>) {
    let (status, message) = reply.error();
    (status, message, reply.header("retry-after"))
}

#[tokio::test]
async fn an_error_gets_the_class_of_itself_or_of_what_caused_it() {
    let classified = server(failing(|builder| builder.classify_errors(class))).await;
    let plain = server(failing(|builder| builder)).await;
    let failure = (500, "Internal Server Error", None);
    for (id, expected) in [
        ("busy", (503, "Service Unavailable", Some("1"))),
        ("deadlock", (409, "Conflict", None)),
        ("deep", (409, "Conflict", None)),
        ("bug", failure),
        ("deep-bug", failure),
    ] {
        let (status, message, retry_after) = expected;
        let reply = asked(&classified, id).await;
        assert_eq!(
            said(&reply),
            (status, message.to_owned(), retry_after),
            "{id}"
        );
        assert_eq!(asked(&plain, id).await.status, 500, "{id}");
    }
}

#[tokio::test]
async fn the_outermost_cause_that_has_a_class_decides_and_then_the_first_function() {
    let by_layers = |error: &(dyn Error + 'static)| match error.downcast_ref()? {
        Fault::Above(inner) if matches!(**inner, Fault::Deadlock) => Some(ErrorClass::Unavailable),
        _ => class(error),
    };
    let layers = server(failing(|builder| builder.classify_errors(by_layers))).await;
    assert_eq!(asked(&layers, "deep").await.status, 503);
    assert_eq!(asked(&layers, "deadlock").await.status, 409);

    let all = |error: &(dyn Error + 'static)| error.is::<Fault>().then_some(ErrorClass::Conflict);
    let two = |builder: IntegrationBuilder| builder.classify_errors(class).classify_errors(all);
    let two = server(failing(two)).await;
    assert_eq!(asked(&two, "busy").await.status, 503);
    assert_eq!(asked(&two, "bug").await.status, 409);
    // The second function knows the error itself, the first one only its cause.
    let deep = |builder: IntegrationBuilder| {
        let outer = |error: &(dyn Error + 'static)| {
            let outer = matches!(error.downcast_ref(), Some(Fault::Above(_)));
            outer.then_some(ErrorClass::Unavailable)
        };
        builder.classify_errors(class).classify_errors(outer)
    };
    assert_eq!(
        asked(&server(failing(deep)).await, "deep").await.status,
        503
    );
}

#[tokio::test]
async fn what_is_decided_already_stays() {
    let all = |_: &(dyn Error + 'static)| Some(ErrorClass::Conflict);
    let server = server(failing(|builder| builder.classify_errors(all))).await;
    for (id, status, retry_after) in [
        ("rejected", 400, None),
        ("missing", 404, None),
        ("nobody", 404, None),
        ("later", 503, Some("30")),
        // The framework's own diagnoses.
        ("panic", 500, None),
        ("another", 500, None),
        // All errors of a merchant's code may have a class, those about a value too.
        ("invalid", 409, None),
    ] {
        let reply = asked(&server, id).await;
        assert_eq!(reply.status, status, "{id}");
        assert_eq!(reply.header("retry-after"), retry_after, "{id}");
    }
}

#[test]
fn a_panic_while_an_error_is_classified_is_a_500_that_the_log_explains() {
    let integration = failing(|builder| builder.classify_errors(|_| panic!("no such class")));
    let client = client_of(&integration);
    let log_at = |level| {
        log_while(level, async {
            let answer = client.get("/churnkey/customers/busy").await;
            assert_eq!(answer.status(), 500);
            assert_eq!(answer.message(), Some("Internal Server Error"));
        })
    };
    let log = log_at(Level::INFO);
    let reason = "failed reason=\"a function given to classify_errors panicked\"";
    assert!(log.contains(reason), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    assert!(log_at(Level::DEBUG).contains("hunter2"));
}

/// Cancels with these faults, one after the other, and then without one.
struct Cancelling {
    faults: Vec<fn() -> Fault>,
    calls: Arc<AtomicUsize>,
    may_act: Option<Arc<Notify>>,
}

#[controller]
impl CancelAction for Cancelling {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Immediate)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        if let Some(may_act) = &self.may_act {
            may_act.notified().await;
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.faults.get(call) {
            Some(fault) => Err(fault())?,
            None => Ok(()),
        }
    }
}

const CANCEL: &str = "/churnkey/actions/subscription/cancel";
const BODY: &str = r#"{"customerId":"cus_1","subscriptionId":"sub_1"}"#;

async fn cancelled(server: &Server) -> u16 {
    let bearer = format!("Bearer {}", "ck-demo-integration-token-0001");
    let call = server.request("POST", CANCEL).body(BODY);
    let call = call.header("Authorization", &bearer);
    let reply = call.header("Idempotency-Key", "k").send().await;
    reply.status
}

#[tokio::test]
async fn an_action_that_failed_with_a_class_is_tried_again_and_then_done_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let action = Cancelling {
        faults: vec![|| Fault::Busy, || above(Fault::Deadlock), || Fault::Bug],
        calls: Arc::clone(&calls),
        may_act: None,
    };
    let builder = demo::controllers(Integration::builder("Shop", token())).cancel(action);
    let server = server(builder.classify_errors(class).build().unwrap()).await;
    for status in [503, 409, 500, 200, 200] {
        assert_eq!(cancelled(&server).await, status);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

/// A store of records that can't begin.
struct Away;

#[async_trait]
impl IdempotencyStore for Away {
    async fn begin(&self, _: &RequestContext, _: &Attempt) -> Result<Known> {
        Err(Fault::Busy)?
    }

    async fn complete(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_error_of_the_idempotency_store_has_a_class_too() {
    let action = Cancelling {
        faults: Vec::new(),
        calls: Arc::default(),
        may_act: None,
    };
    let builder = demo::controllers(Integration::builder("Shop", token())).cancel(action);
    let builder = builder.idempotency(Away);
    let server = server(builder.classify_errors(class).build().unwrap()).await;
    assert_eq!(cancelled(&server).await, 503);
}

#[test]
fn an_action_whose_caller_has_left_is_logged_with_its_class() {
    let may_act = Arc::new(Notify::new());
    let action = Cancelling {
        faults: vec![|| Fault::Deadlock],
        calls: Arc::default(),
        may_act: Some(Arc::clone(&may_act)),
    };
    let builder = demo::controllers(Integration::builder("Shop", token())).cancel(action);
    let integration = builder.classify_errors(class).build().unwrap();
    let client = client_of(&integration);
    let log = log_while(Level::INFO, async {
        let left = timeout(Duration::from_millis(50), client.post(CANCEL, BODY)).await;
        assert!(left.is_err());
        may_act.notify_one();
        integration.running_actions().ended().await;
    });
    assert!(
        log.contains("an action was rejected after its caller had left status=409"),
        "{log}"
    );
}

/// The function of `docs/errors.md`, over sqlx itself. The page runs it over a stand-in.
mod of_sqlx {
    use std::error::Error;

    use churnkey_integrator::ErrorClass;

    #[rustfmt::skip]
    pub(super) fn class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
        match error.downcast_ref()? {
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) => Some(ErrorClass::Unavailable),
            sqlx::Error::Database(error) => match error.code()?.as_ref() {
                // Read-only, serialization failure, deadlock, disk full, too many connections, lock not
                // available, statement cancelled, shutdown.
                "25006" | "40001" | "40P01" | "53100" | "53300" | "55P03" | "57014" | "57P01" => {
                    Some(ErrorClass::Unavailable)
                }
                "23505" => Some(ErrorClass::Conflict), // a unique constraint
                _ => None,
            },
            _ => None,
        }
    }
}

#[test]
fn the_function_of_the_page_is_compiled_with_sqlx() {
    let page = include_str!("../../churnkey-integrator/docs/errors.md");
    let tested = include_str!("error_classes.rs").replace("\n    ", "\n");
    let (_, from) = page.split_once("\nfn class(").unwrap();
    let (function, _) = from.split_once("\n}\n").unwrap();
    assert!(tested.contains(&format!("fn class({function}\n}}\n")));
}

/// Asks a pool for a connection.
struct Pooled(SqlitePool);

#[controller]
impl CustomersController for Pooled {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        let connection = self.0.acquire().await?;
        drop(connection);
        Ok(None)
    }
}

/// What `docs/errors.md` says about a pool without a free connection.
#[test]
fn a_pools_own_wait_decides_only_if_it_is_shorter_than_the_deadline() {
    let [short, long] = [Duration::from_millis(200), Duration::from_secs(30)];
    for (wait, deadline, reason) in [
        (
            short,
            long,
            "the controller says that its store is unavailable",
        ),
        (
            long,
            short,
            "the controller did not answer before the deadline",
        ),
    ] {
        let log = log_while(Level::INFO, async {
            let options = SqlitePoolOptions::new().max_connections(1);
            let pool = options.acquire_timeout(wait).connect("sqlite::memory:");
            let pool = pool.await.unwrap();
            let taken = pool.acquire().await.unwrap();
            let builder = Integration::builder("Shop", token()).customers(Pooled(pool));
            let builder = builder.classify_errors(of_sqlx::class).deadline(deadline);
            let client = client_of(&builder.build().unwrap());
            assert_eq!(client.get("/churnkey/customers/cus_1").await.status(), 503);
            drop(taken);
        });
        assert!(log.contains(&format!("failed reason=\"{reason}")), "{log}");
    }
}
