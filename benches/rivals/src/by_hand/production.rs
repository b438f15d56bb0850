//! axum with what a service in production has besides: a request id, a span with OpenTelemetry's fields, a line for each
//! answer, a 500 for a panic, a deadline. As in the framework, the steps are one function around the handlers, because a layer costs more.

use std::{
    any::Any,
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::get,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout_at;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, Span, field};

use super::{App, MAX_BODY_BYTES, Mode, Refusal, Signed};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Service {
    app: Arc<App>,
    ids: Arc<RequestIds>,
}

struct RequestIds {
    key: RandomState,
    count: AtomicU64,
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let ids = RequestIds {
        key: RandomState::new(),
        count: AtomicU64::new(0),
    };
    Router::new()
        .route("/churnkey/customers", get(list))
        .route("/churnkey/customers/{id}", get(retrieve))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(Service {
            app,
            ids: Arc::new(ids),
        })
}

async fn retrieve(
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let answer = async |mode, _: Parts| service.app.retrieve(mode, id).await;
    let route = "/churnkey/customers/{id}";
    service
        .answer("customers.retrieve", route, request, answer)
        .await
}

async fn list(State(service): State<Service>, request: Request) -> Response {
    let answer = async |mode, request: Parts| service.app.list(mode, &request.uri).await;
    let route = "/churnkey/customers";
    service
        .answer("customers.list", route, request, answer)
        .await
}

async fn not_found(State(service): State<Service>, request: Request) -> Response {
    let answer = async |_, _| Err(Refusal::NOT_FOUND);
    service.answer("none", "", request, answer).await
}

async fn method_not_allowed(State(service): State<Service>, request: Request) -> Response {
    let answer = async |_, _| Err(Refusal::METHOD_NOT_ALLOWED);
    service.answer("none", "", request, answer).await
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    Refusal::INTERNAL.into_response()
}

impl Service {
    async fn answer(
        &self,
        operation: &'static str,
        route: &'static str,
        request: Request,
        handle: impl AsyncFnOnce(Mode, Parts) -> Result<Response, Refusal>,
    ) -> Response {
        let started = Instant::now();
        let request_id = self.ids.of(request.headers());
        let method = request.method();
        let span = tracing::info_span!(
            "request",
            operation = %operation,
            request_id = %request_id,
            otel.name = %format_args!("{method} {route}"),
            otel.kind = %"server",
            http.request.method = %method,
            http.route = %route,
            mode = field::Empty,
            http.response.status_code = field::Empty,
        );
        let answered = async {
            let deadline = (started + DEADLINE).into();
            let answered = timeout_at(deadline, async {
                let (request, body) = request.into_parts();
                let body = read(body).await?;
                let mode = self.app.verify(&Signed {
                    method: &request.method,
                    uri: &request.uri,
                    headers: &request.headers,
                    body: &body,
                })?;
                Span::current().record("mode", field::display(mode.as_str()));
                handle(mode, request).await
            });
            let answer = answered.await.unwrap_or(Err(Refusal::TIMED_OUT));
            let response = answer.unwrap_or_else(Refusal::into_response);
            log(response.status(), started);
            response
        };
        let mut response = answered.instrument(span).await;
        if let Ok(request_id) = HeaderValue::try_from(request_id) {
            response.headers_mut().insert(REQUEST_ID, request_id);
        }
        response
    }
}

fn log(status: StatusCode, started: Instant) {
    let duration_ms = || started.elapsed().as_secs_f64() * 1000.0;
    Span::current().record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        tracing::error!(duration_ms = duration_ms(), "failed");
    } else {
        tracing::info!(duration_ms = duration_ms(), "answered");
    }
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TOO_LARGE),
        Err(_) => Err(Refusal::bad_request("Bad Request")),
    }
}

impl RequestIds {
    /// The caller's id, if it can't forge a line of the log, or one that is new.
    fn of(&self, headers: &HeaderMap) -> String {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        match headers.get(&REQUEST_ID).map(HeaderValue::to_str) {
            Some(Ok(id)) if (1..=128).contains(&id.len()) && id.bytes().all(is_safe) => {
                id.to_owned()
            }
            _ => {
                let count = self.count.fetch_add(1, Ordering::Relaxed);
                format!("{:016x}", self.key.hash_one(count))
            }
        }
    }
}
