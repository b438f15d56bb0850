//! What the log says about a request, and what it never contains.

use std::{
    error::Error,
    fmt,
    future::{Future, pending},
    io,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use churnkey_integrator::{
    CustomerId, CustomersController, Email, HandlerError, Integration, Operation, Page,
    PageRequest, PauseAction, Phone, RequestContext, Result,
    actions::{Durations, PauseFeatures, PauseRequest, Schedules},
    controller,
    idempotency::InMemoryIdempotency,
    model::Customer,
};
use tracing::{Dispatch, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt::MakeWriter, prelude::*};

use crate::{
    demo,
    merchants::{client_of, token},
};

/// Everything in its errors is private.
struct Chatty;

#[controller]
impl CustomersController for Chatty {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "cus_fails" => {
                Err("SELECT name FROM people; password=hunter2\n\u{1b}[31mERROR forged".into())
            }
            "cus_rejected" => Err(HandlerError::bad_request("not today").with_source("hunter2")),
            "cus_away" => Err(HandlerError::unavailable(Duration::from_secs(1), "hunter2")),
            "cus_invalid" => {
                let invalid = CustomerId::new("hunter2\0").unwrap_err();
                Err(invalid.into())
            }
            "cus_wrapped" => {
                let invalid = Email::new("hunter2\0").unwrap_err();
                Err(Context(Box::new(Context(Box::new(invalid)))).into())
            }
            "cus_other" => Ok(Some(Customer::new(CustomerId::new("cus_private")?))),
            _ => Ok(None),
        }
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        tracing::warn!("a line of the merchant's own");
        Ok(Page::new(Vec::new(), None))
    }

    async fn find_by_email(&self, _: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        Err(format!("no row for {} hunter2", email.as_str()).into())
    }

    async fn find_by_phone(&self, _: &RequestContext, _: &Phone) -> Result<Option<Customer>> {
        Ok(None)
    }
}

/// What a merchant's own error adds to the one below it.
#[derive(Debug)]
struct Context(Box<dyn Error + Send + Sync>);

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading hunter2")
    }
}

impl Error for Context {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Listens to nothing. With one listener alone, tracing would ask the thread that comes to a line first, which may be
/// another test's, whether anybody listens.
static SECOND_LISTENER: LazyLock<Dispatch> = LazyLock::new(|| {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::OFF)
        .finish()
        .into()
});

/// Does the work while this subscriber listens.
pub(crate) fn listen<S>(subscriber: S, work: impl Future<Output = ()>)
where
    S: Subscriber + Send + Sync + 'static,
{
    LazyLock::force(&SECOND_LISTENER);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // One, so that what it has to do is done in order, and all of it before the log is read.
        .max_blocking_threads(1)
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        // A log line that another test reached for the first time while this subscriber was added may be off for it.
        tracing::callsite::rebuild_interest_cache();
        runtime.block_on(async {
            work.await;
            tokio::task::spawn_blocking(|| ()).await.unwrap();
        });
    });
}

/// What is logged at this level and above while this runs.
pub(crate) fn log_while(level: Level, work: impl Future<Output = ()>) -> String {
    log_through(Targets::new().with_default(level), work)
}

/// Lets warnings and errors through, and the spans of all requests.
pub(crate) fn warnings_with_spans() -> Targets {
    Targets::new()
        .with_default(Level::WARN)
        .with_target("churnkey_integrator::request", Level::INFO)
}

/// What this filter lets through while this runs.
pub(crate) fn log_through(filter: Targets, work: impl Future<Output = ()>) -> String {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(lines.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    listen(subscriber.with(filter), work);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

/// The log of one request, at this level and above.
fn log_of(level: Level, path: &str) -> String {
    filtered_log_of(Targets::new().with_default(level), path)
}

/// The log of one request that this filter lets through.
fn filtered_log_of(filter: Targets, path: &str) -> String {
    // Built before the log is recorded, so that the readiness is not in it.
    let integration = Integration::builder("Chatty", token())
        .customers(Chatty)
        .build()
        .unwrap();
    let client = client_of(&integration);
    log_through(filter, async {
        let call = client
            .call(http::Method::GET, path)
            .header("x-request-id", "req-1");
        let call = if path.contains("unsigned") {
            call
        } else {
            call.signed()
        };
        call.send().await;
    })
}

/// The lines without their duration, the only part that varies. Of a request, the line that says how it ended has one.
pub(crate) fn lines_of(log: &str) -> Vec<String> {
    let without = |line: &str| {
        let is_end = ["answered", "rejected", "failed"]
            .iter()
            .any(|end| line.contains(&format!("::observe: {end}")));
        let Some((before, duration)) = line.split_once(" duration_ms=") else {
            assert!(!is_end, "without its duration: {line}");
            return line.to_owned();
        };
        assert!(is_end && duration.parse::<f64>().unwrap() > 0.0, "{line}");
        before.to_owned()
    };
    // At its most detailed level, axum says that a connection was accepted.
    let own = log.lines().filter(|line| !line.contains(" axum::serve: "));
    own.map(without).collect()
}

fn only_line(log: &str) -> String {
    let [line] = &*lines_of(log) else {
        panic!("one line a request: {log}");
    };
    line.clone()
}

/// How the span of an operation begins in a line.
fn begun(method: &str, operation: &str) -> String {
    let mut operations = Operation::all();
    let served = operations.find(|served| served.name() == operation);
    let (name, route) = match served.map(|served| format!("/churnkey{}", served.path())) {
        Some(route) => (format!("{method} {route}"), format!(" http.route={route}")),
        None => (method.to_owned(), String::new()),
    };
    format!(
        "churnkey{{operation={operation} request_id=req-1 otel.name={name} otel.kind=server \
         http.request.method={method}{route}"
    )
}

/// A line about a GET request, whose span ends with these fields.
fn line_ending(level: &str, operation: &str, fields: &str, says: &str) -> String {
    let begun = begun("GET", operation);
    format!("{level:>5} {begun} {fields}}}: churnkey_integrator::http::observe: {says}")
}

/// A line about a GET request of live mode.
fn line(level: &str, operation: &str, status: u16, says: &str) -> String {
    let error = match status {
        500.. => format!(" error.type={status}"),
        _ => String::new(),
    };
    let fields = format!("mode=live http.response.status_code={status}{error}");
    line_ending(level, operation, &fields, says)
}

/// The line about a request without a credential.
fn rejected() -> String {
    let says = "rejected reason=\"no credential: if the token is in another header than Authorization, name it with token_header\"";
    let fields = "http.response.status_code=401";
    line_ending("WARN", "customers.retrieve", fields, says)
}

#[test]
fn a_request_is_one_line_with_operation_request_id_route_mode_and_status() {
    let retrieve = "customers.retrieve";
    for (path, expected) in [
        (
            "/churnkey/customers/cus_nobody",
            " INFO churnkey{operation=customers.retrieve request_id=req-1 \
             otel.name=GET /churnkey/customers/{id} otel.kind=server http.request.method=GET \
             http.route=/churnkey/customers/{id} mode=live http.response.status_code=404}: \
             churnkey_integrator::http::observe: answered"
                .to_owned(),
        ),
        (
            "/churnkey/customers/cus_fails",
            "ERROR churnkey{operation=customers.retrieve request_id=req-1 \
             otel.name=GET /churnkey/customers/{id} otel.kind=server http.request.method=GET \
             http.route=/churnkey/customers/{id} mode=live http.response.status_code=500 error.type=500}: \
             churnkey_integrator::http::observe: failed"
                .to_owned(),
        ),
        (
            "/churnkey/customers/cus_other",
            line("ERROR", retrieve, 500, &format!("failed reason=\"{ANOTHER_ID}\"")),
        ),
        ("/churnkey/customers/unsigned", rejected()),
        (
            "/churnkey/nothing/here",
            " INFO churnkey{operation=none request_id=req-1 otel.name=GET otel.kind=server \
             http.request.method=GET mode=live http.response.status_code=404}: \
             churnkey_integrator::http::observe: answered"
                .to_owned(),
        ),
    ] {
        assert_eq!(only_line(&log_of(Level::INFO, path)), expected);
    }
}

#[test]
fn warnings_and_errors_have_their_request_even_if_nothing_below_is_logged() {
    let retrieve = "customers.retrieve";
    let away = "failed reason=\"the controller says that its store is unavailable\"";
    for (level, path, expected) in [
        (
            Level::ERROR,
            "/churnkey/customers/cus_fails",
            line("ERROR", retrieve, 500, "failed"),
        ),
        (
            Level::ERROR,
            "/churnkey/customers/cus_away",
            line("ERROR", retrieve, 503, away),
        ),
        (Level::WARN, "/churnkey/customers/unsigned", rejected()),
    ] {
        assert_eq!(only_line(&log_of(level, path)), expected);
    }
    assert_eq!(log_of(Level::WARN, "/churnkey/customers/cus_nobody"), "");
}

#[test]
fn below_info_a_read_has_no_span_unless_the_filter_names_it() {
    let path = "/churnkey/customers";
    let says = "wire::logs: a line of the merchant's own\n";
    assert_eq!(log_of(Level::WARN, path), format!(" WARN {says}"));
    let begun = begun("GET", "customers.list");
    assert_eq!(
        filtered_log_of(warnings_with_spans(), path),
        format!(" WARN {begun} mode=live}}: {says}")
    );
}

const ANOTHER_ID: &str = "retrieve returned a record with another id than the one that was asked for, so nothing was served: compare ids byte by byte";

#[test]
fn no_line_above_debug_has_the_text_of_a_merchants_error() {
    let retrieve = "customers.retrieve";
    let another_id = format!("failed reason=\"{ANOTHER_ID}\"");
    // What is wrong with a value is this crate's own text, which does not hold the value.
    let invalid = |what| format!("failed reason=\"{what} must not contain control characters\"");
    let away = "failed reason=\"the controller says that its store is unavailable\"";
    for (path, expected) in [
        (
            "/churnkey/customers/cus_fails",
            line("ERROR", retrieve, 500, "failed"),
        ),
        (
            "/churnkey/customers/cus_rejected",
            line("INFO", retrieve, 400, "answered"),
        ),
        (
            "/churnkey/customers/cus_away",
            line("ERROR", retrieve, 503, away),
        ),
        (
            "/churnkey/customers/cus_other",
            line("ERROR", retrieve, 500, &another_id),
        ),
        (
            "/churnkey/customers/email/ada%40example.com",
            line("ERROR", "customers.find_by_email", 500, "failed"),
        ),
        (
            "/churnkey/customers/cus_invalid",
            line("ERROR", retrieve, 500, &invalid("a customer id")),
        ),
        (
            "/churnkey/customers/cus_wrapped",
            line("ERROR", retrieve, 500, &invalid("an e-mail address")),
        ),
    ] {
        assert_eq!(only_line(&log_of(Level::INFO, path)), expected);
    }
}

#[test]
fn at_debug_level_the_cause_is_logged_and_can_not_forge_a_line() {
    let log = log_of(Level::DEBUG, "/churnkey/customers/cus_fails");
    let cause = r#"SELECT name FROM people; password=hunter2\n\u{1b}[31mERROR forged"#;
    let cause = format!("the underlying error cause=\"{cause}\"");
    assert_eq!(
        lines_of(&log),
        [
            line("ERROR", "customers.retrieve", 500, "failed"),
            line("DEBUG", "customers.retrieve", 500, &cause),
        ]
    );
}

#[test]
fn the_message_of_a_4xx_is_in_the_log_at_debug_level_only() {
    let path = "/churnkey/customers/cus_rejected";
    let answered = line("INFO", "customers.retrieve", 400, "answered");
    let told = "the message that the caller got answer=\"not today\"";
    let cause = "the underlying error cause=\"hunter2\"";
    assert_eq!(
        lines_of(&log_of(Level::DEBUG, path)),
        [
            answered.clone(),
            line("DEBUG", "customers.retrieve", 400, told),
            line("DEBUG", "customers.retrieve", 400, cause),
        ]
    );
    assert_eq!(lines_of(&log_of(Level::INFO, path)), [answered]);
}

#[test]
fn at_no_level_is_anything_logged_that_a_caller_sent() {
    let told = |answer: &str| format!("the message that the caller got answer=\"{answer}\"");
    for (path, operation, status, answer) in [
        (
            "/churnkey/customers/cus_nobody",
            "customers.retrieve",
            404,
            "Customer not found",
        ),
        (
            "/churnkey/customers/phone/%2B441632960001",
            "customers.find_by_phone",
            404,
            "Customer not found",
        ),
        (
            "/churnkey/customers?limit=abc&cursor=c0ffee",
            "customers.list",
            400,
            "limit must be a positive integer",
        ),
        (
            "/churnkey/customers?cursor=c0ffee",
            "customers.list",
            400,
            "Invalid cursor",
        ),
    ] {
        assert_eq!(
            lines_of(&log_of(Level::TRACE, path)),
            [
                line("INFO", operation, status, "answered"),
                line("DEBUG", operation, status, &told(answer)),
            ]
        );
    }
}

/// Pauses after its caller has left, and ends in a way that depends on the duration.
struct Slow;

#[controller]
impl PauseAction for Slow {
    fn features(&self) -> PauseFeatures {
        PauseFeatures::new(Schedules::Immediate, Durations::Period)
    }

    async fn pause(&self, _: &RequestContext, request: &PauseRequest) -> Result<()> {
        let how = format!("{:?}", request.duration());
        tokio::time::sleep(Duration::from_millis(50)).await;
        match how.as_str() {
            "Period { amount: 1, unit: Day }" => Ok(()),
            "Period { amount: 2, unit: Day }" => Err(HandlerError::already_paused()),
            "Period { amount: 3, unit: Day }" => Err("hunter2".into()),
            "Period { amount: 4, unit: Day }" => panic!("a broken rule"),
            _ => pending().await,
        }
    }
}

#[test]
fn an_action_whose_caller_has_left_says_how_it_ended() {
    let builder = Integration::builder("Slow", token());
    let builder = demo::cancelling(builder).pause(Slow);
    let builder = builder.deadline(Duration::from_secs(1));
    let integration = builder.action_deadline(Duration::from_secs(1)).build();
    let integration = integration.unwrap();
    let (client, running) = (client_of(&integration), integration.running_actions());
    for (days, expected) in [
        (
            1,
            " INFO .. an action ended after its caller had left status=200",
        ),
        (
            2,
            " INFO .. an action was rejected after its caller had left status=400",
        ),
        (
            3,
            "ERROR .. an action failed after its caller had left status=500",
        ),
        (
            4,
            "ERROR .. an action failed after its caller had left status=500 reason=\"the controller panicked\"",
        ),
        (
            5,
            "ERROR .. an action failed after its caller had left status=503 reason=\"the action did not end before its \
             deadline and was dropped: look at what it waits for, or raise action_deadline\"",
        ),
    ] {
        let log = log_while(Level::INFO, async {
            let body = format!(
                r#"{{"customerId":"cus_1","subscriptionId":"sub_1","duration":{{"amount":{days},"unit":"day"}}}}"#
            );
            let path = "/churnkey/actions/subscription/pause";
            let call = client.call(http::Method::POST, path).body(body);
            let call = call.header("x-request-id", "req-1").signed().send();
            let left = tokio::time::timeout(Duration::from_millis(10), call).await;
            assert!(left.is_err(), "the caller has its answer");
            running.ended().await;
        });
        let begun = begun("POST", "pause");
        let of_request = format!("{begun} mode=live}}: churnkey_integrator::http::idempotency:");
        assert_eq!(log.trim_end().replace(&of_request, ".."), expected);
    }
}

#[test]
fn a_full_memory_of_actions_is_logged_once_with_the_fix() {
    let builder = demo::cancelling(Integration::builder("Full", token()));
    let full = builder.idempotency(InMemoryIdempotency::with_capacity(2));
    let client = client_of(&full.build().unwrap());
    let log = log_while(Level::WARN, async {
        for n in 0..5 {
            let path = format!("/churnkey/actions/subscription/cancel?call={n}");
            let cancel =
                r#"{"customerId":"cus_1","subscriptionId":"sub_1","scheduledAt":"immediate"}"#;
            assert_eq!(client.post(&path, cancel).await.status(), 200);
        }
    });
    let (request, warning) = log
        .split_once("}: churnkey_integrator::idempotency: ")
        .unwrap();
    // Of an action, all lines have the span, at every level.
    let begun = " WARN churnkey{operation=cancel request_id=";
    assert!(request.starts_with(begun), "{log}");
    assert_eq!(
        warning,
        "the idempotency records are full, so the oldest are removed before their day is over, and a retry would run its \
         action again: raise InMemoryIdempotency::with_capacity, or give .idempotency(..) a store over your database \
         capacity=2\n"
    );
}
