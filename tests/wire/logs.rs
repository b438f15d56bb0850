//! What the log says of a request, and what it never says.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use churnkey_integrator::{
    CustomerId, CustomersController, Email, HandlerError, Integration, Phone, RequestContext,
    Result, controller, model::Customer, testing::Client,
};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use crate::merchants::token;

/// Everything in its errors is private.
struct Chatty;

#[controller]
impl CustomersController for Chatty {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "cus_fails" => {
                Err("SELECT name FROM people; password=hunter2\n\u{1b}[31mERROR forged".into())
            }
            "cus_refused" => Err(HandlerError::bad_request("not today").with_source("hunter2")),
            "cus_away" => Err(HandlerError::unavailable(Duration::from_secs(1), "hunter2")),
            "cus_other" => Ok(Some(Customer::new(CustomerId::new("cus_private")?))),
            _ => Ok(None),
        }
    }

    async fn find_by_email(&self, _: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        Err(format!("no row for {} hunter2", email.as_str()).into())
    }

    async fn find_by_phone(&self, _: &RequestContext, _: &Phone) -> Result<Option<Customer>> {
        Ok(None)
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

/// The log of one request, at this level and above.
fn log_of(level: Level, path: &str) -> String {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(lines.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    // Built before anybody listens: what is still missing is another test's matter.
    let integration = Integration::builder("Chatty", token())
        .customers(Chatty)
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let client = Client::new(&integration);
        let call = client
            .call(http::Method::GET, path)
            .header("x-request-id", "req-1");
        let call = if path.contains("unsigned") {
            call
        } else {
            call.signed()
        };
        runtime.block_on(call.send());
    });
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

/// The line without its duration, the only part that varies.
fn only_line(log: &str) -> String {
    let mut lines = log.lines();
    let line = lines.next().unwrap();
    assert_eq!(lines.next(), None, "one line a request: {log}");
    let (before, after) = line.split_once(" duration_ms=").unwrap();
    let after =
        after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == 'e' || c == '-');
    format!("{before}{after}")
}

#[test]
fn a_request_is_one_line_with_operation_mode_status_and_request_id() {
    for (path, expected) in [
        (
            "/churnkey/customers/cus_nobody",
            " INFO churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" mode=\"live\" status=404}: \
             churnkey_integrator::http::observe: answered",
        ),
        (
            "/churnkey/customers/cus_fails",
            "ERROR churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" mode=\"live\" status=500}: \
             churnkey_integrator::http::observe: failed",
        ),
        (
            "/churnkey/customers/cus_other",
            "ERROR churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" mode=\"live\" status=500}: \
             churnkey_integrator::http::observe: failed reason=\"retrieve returned a record with another id than \
             the one that was asked for; nothing was served\"",
        ),
        (
            "/churnkey/customers/unsigned",
            " WARN churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" status=401}: \
             churnkey_integrator::http::observe: refused reason=\"no credential\"",
        ),
        (
            "/churnkey/nothing/here",
            " INFO churnkey{operation=\"none\" request_id=\"req-1\" mode=\"live\" status=404}: \
             churnkey_integrator::http::observe: answered",
        ),
    ] {
        assert_eq!(only_line(&log_of(Level::INFO, path)), expected);
    }
}

#[test]
fn whoever_logs_nothing_but_warnings_or_errors_still_has_those_with_their_request() {
    for (level, path, expected) in [
        (
            Level::ERROR,
            "/churnkey/customers/cus_fails",
            "ERROR churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" mode=\"live\" status=500}: \
             churnkey_integrator::http::observe: failed",
        ),
        (
            Level::ERROR,
            "/churnkey/customers/cus_away",
            "ERROR churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" mode=\"live\" status=503}: \
             churnkey_integrator::http::observe: failed reason=\"the controller says that its store is unavailable\"",
        ),
        (
            Level::WARN,
            "/churnkey/customers/unsigned",
            " WARN churnkey{operation=\"customers.retrieve\" request_id=\"req-1\" status=401}: \
             churnkey_integrator::http::observe: refused reason=\"no credential\"",
        ),
    ] {
        assert_eq!(only_line(&log_of(level, path)), expected);
    }
    assert_eq!(log_of(Level::WARN, "/churnkey/customers/cus_nobody"), "");
}

#[test]
fn no_line_above_debug_says_what_a_merchants_error_says() {
    for path in [
        "/churnkey/customers/cus_fails",
        "/churnkey/customers/cus_refused",
        "/churnkey/customers/cus_away",
        "/churnkey/customers/cus_other",
        "/churnkey/customers/email/ada%40example.com",
    ] {
        let log = log_of(Level::INFO, path);
        for private in ["hunter2", "SELECT", "ada", "cus_", "not today"] {
            assert!(!log.contains(private), "{private} in {log}");
        }
    }
}

#[test]
fn at_debug_level_the_cause_is_there_and_can_not_forge_a_line() {
    let log = log_of(Level::DEBUG, "/churnkey/customers/cus_fails");
    let cause = log.lines().find(|line| line.contains("cause=")).unwrap();
    assert!(
        cause.contains("password=hunter2\\n\\u{1b}[31mERROR forged"),
        "{cause}"
    );
    assert!(!log.contains('\u{1b}'));
}

#[test]
fn what_a_refused_caller_was_told_is_in_the_log_at_debug_level_only() {
    let path = "/churnkey/customers/cus_refused";
    let told = "what the caller was told answer=\"not today\"";
    let log = log_of(Level::DEBUG, path);
    assert!(log.contains(told), "{log}");
    let log = log_of(Level::INFO, path);
    assert!(!log.contains("not today"), "{log}");
}

#[test]
fn at_no_level_is_there_anything_that_a_caller_sent() {
    for path in [
        "/churnkey/customers/cus_nobody",
        "/churnkey/customers/phone/%2B441632960001",
        "/churnkey/customers?limit=abc&cursor=c0ffee",
    ] {
        let log = log_of(Level::TRACE, path);
        for sent in [
            "cus_nobody",
            "441632960001",
            "abc",
            "c0ffee",
            "ck-demo",
            "v1=",
        ] {
            assert!(!log.contains(sent), "{sent} in {log}");
        }
    }
}
