//! The span of a request in the caller's trace, as the OpenTelemetry SDK exports it.

use std::collections::BTreeMap;

use axum::{Router, middleware::from_fn};
use churnkey_conformance::Client;
use churnkey_integrator::Integration;
use http::Method;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId, TracerProvider};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
};
use tracing_subscriber::prelude::*;

use crate::{logs::listen, merchants::token, spans::Failing};

/// The program of the guide.
mod app {
    // ANCHOR: layer
    use axum::{extract::Request, middleware::Next, response::Response};
    use opentelemetry::global;
    use opentelemetry_http::HeaderExtractor;
    use tracing::Instrument;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    /// Takes the caller's trace up, and puts a span around the request.
    pub(crate) async fn trace(request: Request, next: Next) -> Response {
        let caller = global::get_text_map_propagator(|propagator| {
            propagator.extract(&HeaderExtractor(request.headers()))
        });
        let span = tracing::info_span!("shop");
        // An error says that nothing is exported.
        let _ = span.set_parent(caller);
        next.run(request).instrument(span).await
    }
    // ANCHOR_END: layer
}

/// The two spans of a call: that of the app's layer, and ours.
fn spans_of(path: &str, traceparent: &str) -> [SpanData; 2] {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
    let provider = provider.build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("shop"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_level(false)
        .with_tracked_inactivity(false);
    let integration = Integration::builder("Failing", token()).customers(Failing);
    let router: Router = integration.build().unwrap().into_router();
    let client = Client::new(router.layer(from_fn(app::trace)), token());
    listen(tracing_subscriber::registry().with(layer), async {
        let call = client.call(Method::GET, path);
        let call = call.header("traceparent", traceparent);
        call.header("x-request-id", "req-1")
            .signed()
            .send_unchecked()
            .await;
    });
    let mut spans = exporter.get_finished_spans().unwrap();
    spans.sort_by_key(|span| span.name != "shop");
    spans.try_into().unwrap()
}

#[test]
fn the_span_is_a_servers_in_the_callers_trace() {
    let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let traceparent = format!("00-{trace}-{caller}-01");
    let [app, ours] = spans_of("/churnkey/customers/cus_nobody", &traceparent);
    let trace_id = TraceId::from_hex(trace).unwrap();
    assert_eq!(app.span_context.trace_id(), trace_id);
    assert_eq!(app.parent_span_id, SpanId::from_hex(caller).unwrap());
    assert_eq!(ours.span_context.trace_id(), trace_id);
    assert_eq!(ours.parent_span_id, app.span_context.span_id());
    assert_eq!(ours.name, "GET /churnkey/customers/{id}");
    assert_eq!(
        (ours.span_kind, ours.status),
        (SpanKind::Server, Status::Unset)
    );
    let attributes = ours.attributes.iter();
    let attributes =
        attributes.map(|attribute| (attribute.key.as_str(), attribute.value.to_string()));
    let attributes: BTreeMap<_, _> = attributes.collect();
    let expected = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "404"),
        ("http.route", "/churnkey/customers/{id}"),
        ("mode", "live"),
        ("operation", "customers.retrieve"),
        ("parent_id", caller),
        ("request_id", "req-1"),
        ("trace_id", trace),
    ];
    assert_eq!(
        attributes,
        expected.map(|(key, value)| (key, value.to_owned())).into()
    );
}

#[test]
fn only_an_error_of_the_server_fails_the_span() {
    let [_, ours] = spans_of("/churnkey/customers/cus_fails", "");
    assert_eq!(ours.status, Status::error(""));
    let error = ours
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == "error.type");
    assert_eq!(error.unwrap().value.as_str(), "500");
    let [_, ours] = spans_of("/churnkey/customers/cus_nobody", "");
    assert_eq!(ours.status, Status::Unset);
}

#[test]
fn the_layer_is_that_of_the_guide() {
    let (_, layer) = include_str!("traces.rs")
        .split_once("// ANCHOR: layer\n")
        .unwrap();
    let (layer, _) = layer.split_once("    // ANCHOR_END: layer").unwrap();
    let lines = layer
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line));
    let layer = lines.collect::<Vec<_>>().join("\n");
    let guide = include_str!("../../churnkey-integrator/docs/metrics.md");
    assert!(guide.contains(&format!("```rust\n{layer}\n```")), "{layer}");
}
