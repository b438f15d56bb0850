//! The fields of a request's span, and that none holds what a caller chose, but for the ids of the caller's request and trace.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex},
};

use axum::Router;
use churnkey_conformance::Client;
use churnkey_integrator::{
    CustomerId, CustomersController, Integration, RequestContext, Result, controller,
    model::Customer,
};
use http::Method;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

use crate::{
    logs::listen,
    merchants::{in_memory_store, token},
};

/// The fields of the spans, by their names. There is one span at a time.
#[derive(Clone, Default)]
struct Fields(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0
            .lock()
            .unwrap()
            .insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Fields {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        span.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }
}

/// The fields of the span of one call, but for its request id.
fn fields_of<F: Future>(
    router: Router,
    call: impl FnOnce(Client) -> F,
) -> Vec<(&'static str, String)> {
    let fields = Fields::default();
    let subscriber = tracing_subscriber::registry().with(fields.clone());
    listen(subscriber, async {
        call(Client::new(router, token())).await;
    });
    let mut fields = fields.0.lock().unwrap().clone();
    assert_eq!(fields.remove("request_id").as_deref(), Some("req-1"));
    fields.into_iter().collect()
}

fn router() -> Router {
    let builder = Integration::builder("Shop", token()).customers(in_memory_store());
    builder.build().unwrap().into_router()
}

/// The fields of the span of a signed call.
fn of_call(router: Router, method: &str, path: &str) -> Vec<(&'static str, String)> {
    let method: Method = method.parse().unwrap();
    fields_of(router, |client| async move {
        let call = client.call(method, path).header("x-request-id", "req-1");
        call.signed().send_unchecked().await
    })
}

fn named(fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

#[test]
fn the_fields_are_those_of_the_conventions_and_nothing_else() {
    assert_eq!(
        of_call(
            router(),
            "GET",
            "/churnkey/customers/cus_ada?secret=hunter2"
        ),
        named(&[
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("http.route", "/churnkey/customers/{id}"),
            ("mode", "live"),
            ("operation", "customers.retrieve"),
            ("otel.kind", "server"),
            ("otel.name", "GET /churnkey/customers/{id}"),
        ])
    );
}

#[test]
fn a_path_that_is_not_served_has_no_route() {
    for path in ["/churnkey", "/churnkey/", "/churnkey/hunter2/cus_ada"] {
        assert_eq!(
            of_call(router(), "GET", path),
            named(&[
                ("http.request.method", "GET"),
                ("http.response.status_code", "404"),
                ("mode", "live"),
                ("operation", "none"),
                ("otel.kind", "server"),
                ("otel.name", "GET"),
            ])
        );
    }
}

#[test]
fn the_route_of_a_nested_router_is_the_whole_one() {
    let nested = Router::new().nest("/shops/{shop}", router());
    let fields = of_call(nested, "GET", "/shops/hunter2/churnkey/customers/cus_ada");
    let route = (
        "http.route",
        "/shops/{shop}/churnkey/customers/{id}".to_owned(),
    );
    let name = "GET /shops/{shop}/churnkey/customers/{id}".to_owned();
    assert!(fields.contains(&route), "{fields:?}");
    assert!(fields.contains(&("otel.name", name)), "{fields:?}");
    assert!(!format!("{fields:?}").contains("hunter2"), "{fields:?}");
}

#[test]
fn a_method_of_no_standard_is_not_named() {
    for (method, recorded, name) in [
        ("HUNTER2", "_OTHER", "HTTP /churnkey/customers/{id}"),
        ("get", "_OTHER", "HTTP /churnkey/customers/{id}"),
        ("PATCH", "PATCH", "PATCH /churnkey/customers/{id}"),
    ] {
        assert_eq!(
            of_call(router(), method, "/churnkey/customers/cus_ada"),
            named(&[
                ("http.request.method", recorded),
                ("http.response.status_code", "405"),
                ("http.route", "/churnkey/customers/{id}"),
                ("mode", "live"),
                ("operation", "customers.retrieve"),
                ("otel.kind", "server"),
                ("otel.name", name),
            ])
        );
    }
}

/// Finds nobody, but fails for one.
pub(crate) struct Failing;

#[controller]
impl CustomersController for Failing {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "cus_fails" => Err("hunter2".into()),
            _ => Ok(None),
        }
    }
}

#[test]
fn only_an_error_of_the_server_has_an_error_type() {
    let builder = Integration::builder("Failing", token()).customers(Failing);
    let router: Router = builder.build().unwrap().into_router();
    for (id, status, error) in [
        ("cus_nobody", "404", None),
        ("cus_fails", "500", Some("500")),
    ] {
        let fields = of_call(router.clone(), "GET", &format!("/churnkey/customers/{id}"));
        let fields: BTreeMap<_, _> = fields.into_iter().collect();
        assert_eq!(fields["http.response.status_code"], status);
        assert_eq!(fields.get("error.type").map(String::as_str), error);
    }
}

#[test]
fn the_callers_trace_is_taken_up_also_of_a_call_that_is_refused() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = "00f067aa0ba902b7";
    let call = |sent: String| {
        fields_of(router(), |client| async move {
            let call = client.call(Method::GET, "/churnkey/customers/cus_ada");
            let call = call.header("x-request-id", "req-1");
            call.header("traceparent", &sent).send_unchecked().await
        })
    };
    let refused = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "401"),
        ("http.route", "/churnkey/customers/{id}"),
        ("operation", "customers.retrieve"),
        ("otel.kind", "server"),
        ("otel.name", "GET /churnkey/customers/{id}"),
    ];
    let mut traced = refused.to_vec();
    traced.extend([("parent_id", parent), ("trace_id", trace)]);
    assert_eq!(call(format!("00-{trace}-{parent}-01")), named(&traced));
    assert_eq!(call(format!("00-{trace}-hunter2-01")), named(&refused));
}
