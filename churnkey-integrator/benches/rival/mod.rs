//! The same route without this crate's framework: one handler that does every check in line, with the same crates.
//! Only the model is shared.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the library's own rules; here every rejection is handled in place"
)]

use std::{
    any::Any,
    collections::hash_map::RandomState,
    error::Error,
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
    extract::{OriginalUri, Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::any,
};
use churnkey_integrator::{
    CustomerId, MODE_HEADER, Mode, SIGNATURE_HEADER, TIMESTAMP_HEADER, async_trait, model::Customer,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use tokio::time::timeout_at;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, Span, field};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_ID_BYTES: usize = 255;
const DEADLINE: Duration = Duration::from_secs(10);
const TOLERANCE_SECONDS: u64 = 300;

/// The store, as it would be behind a trait of the merchant's own.
#[async_trait]
pub(crate) trait Customers: Send + Sync + 'static {
    async fn retrieve(
        &self,
        cx: &Context,
        id: &CustomerId,
    ) -> Result<Option<Customer>, Box<dyn Error + Send + Sync>>;
}

/// What a store may want to know of a request.
#[expect(dead_code, reason = "the store of the benchmark wants nothing")]
pub(crate) struct Context {
    pub(crate) mode: Mode,
    pub(crate) request_id: String,
    pub(crate) deadline: Instant,
    pub(crate) extensions: Extensions,
}

struct App {
    key: Hmac<Sha256>,
    now: Box<dyn Fn() -> i64 + Send + Sync>,
    customers: Arc<dyn Customers>,
    request_key: RandomState,
    requests: AtomicU64,
}

/// A status and a message for the caller.
type AuthenticationError = (StatusCode, &'static str);

const INTERNAL: AuthenticationError = (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
const METHOD_NOT_ALLOWED: AuthenticationError =
    (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
const NOT_FOUND: AuthenticationError = (StatusCode::NOT_FOUND, "Not Found");
const TOO_LARGE: AuthenticationError = (StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large");
const UNAUTHORIZED: AuthenticationError = (StatusCode::UNAUTHORIZED, "Unauthorized");

pub(crate) fn router(
    token: &str,
    now: impl Fn() -> i64 + Send + Sync + 'static,
    customers: impl Customers,
) -> Router {
    let app = App {
        key: Hmac::new_from_slice(token.as_bytes()).unwrap(),
        now: Box::new(now),
        customers: Arc::new(customers),
        request_key: RandomState::new(),
        requests: AtomicU64::new(0),
    };
    Router::new()
        .route("/churnkey/customers/{id}", any(retrieve))
        .route("/churnkey/{*rest}", any(not_found))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(Arc::new(app))
}

async fn retrieve(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let request_id = request_id(&app, request.headers());
    let span = tracing::info_span!(
        "churnkey",
        operation = "customers.retrieve",
        request_id = request_id.as_str(),
        mode = field::Empty,
        status = field::Empty,
        duration_ms = field::Empty,
    );
    let echoed = HeaderValue::from_str(&request_id);
    let answer = async {
        let deadline = started + DEADLINE;
        let (mut parts, body) = request.into_parts();
        let mode = prove(&app, &parts, body, deadline).await?;
        Span::current().record("mode", mode.as_str());
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(METHOD_NOT_ALLOWED);
        }
        let Ok(Path(id)) = id else {
            return Err((
                StatusCode::BAD_REQUEST,
                "The path is not percent-encoded UTF-8",
            ));
        };
        if id.len() > MAX_ID_BYTES {
            return Err((
                StatusCode::BAD_REQUEST,
                "id must not be longer than 255 bytes",
            ));
        }
        let id = CustomerId::new(id).map_err(|_| (StatusCode::BAD_REQUEST, "id is invalid"))?;
        let cx = Context {
            mode,
            request_id,
            deadline,
            extensions: std::mem::take(&mut parts.extensions),
        };
        let Ok(found) = timeout_at(deadline.into(), app.customers.retrieve(&cx, &id)).await else {
            return Err((StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"));
        };
        match found {
            Ok(Some(customer)) if *customer.id() == id => Ok(customer),
            Ok(None) => Err((StatusCode::NOT_FOUND, "Customer not found")),
            Ok(Some(_)) => Err(INTERNAL),
            Err(error) => {
                tracing::error!(?error, "failed");
                Err(INTERNAL)
            }
        }
    }
    .instrument(span.clone())
    .await;
    let mut response = match answer {
        Ok(customer) => json(StatusCode::OK, &customer),
        Err(refusal) => refused(refusal),
    };
    span.in_scope(|| {
        if !span.is_disabled() {
            span.record("status", response.status().as_u16());
            span.record("duration_ms", started.elapsed().as_secs_f64() * 1000.0);
            tracing::info!("answered");
        }
    });
    if let Ok(id) = echoed {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Without a credential, nobody learns what is there and what is not.
async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let echoed = HeaderValue::from_str(&request_id(&app, request.headers()));
    let (parts, body) = request.into_parts();
    let proven = prove(&app, &parts, body, Instant::now() + DEADLINE).await;
    let mut response = refused(proven.err().unwrap_or(NOT_FOUND));
    if let Ok(id) = echoed {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    refused(INTERNAL)
}

fn request_id(app: &App, headers: &HeaderMap) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    match headers.get(&REQUEST_ID).map(HeaderValue::to_str) {
        Some(Ok(id)) if (1..=128).contains(&id.len()) && id.bytes().all(safe) => id.to_owned(),
        _ => {
            let count = app.requests.fetch_add(1, Ordering::Relaxed);
            format!("{:016x}", app.request_key.hash_one(count))
        }
    }
}

async fn prove(
    app: &App,
    parts: &Parts,
    body: Body,
    deadline: Instant,
) -> Result<Mode, AuthenticationError> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(TOO_LARGE);
    }
    let mode = only(&parts.headers, &MODE_HEADER)?.unwrap_or(b"live");
    let signatures = only(&parts.headers, &SIGNATURE_HEADER)?.ok_or(UNAUTHORIZED)?;
    let timestamp = only(&parts.headers, &TIMESTAMP_HEADER)?.ok_or(UNAUTHORIZED)?;
    if !timestamp.iter().all(u8::is_ascii_digit) {
        return Err(UNAUTHORIZED);
    }
    let seconds = std::str::from_utf8(timestamp)
        .ok()
        .and_then(|text| text.parse().ok());
    if (app.now)().abs_diff(seconds.ok_or(UNAUTHORIZED)?) > TOLERANCE_SECONDS {
        return Err(UNAUTHORIZED);
    }
    let body = if body.is_end_stream() {
        Bytes::new()
    } else {
        match timeout_at(
            deadline.into(),
            Limited::new(body, MAX_BODY_BYTES).collect(),
        )
        .await
        {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(TOO_LARGE),
            Ok(Err(_)) => return Err((StatusCode::BAD_REQUEST, "Bad Request")),
            Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "Request Timeout")),
        }
    };
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    let mut mac = app.key.clone();
    for part in [
        b"v1",
        timestamp,
        parts.method.as_str().as_bytes(),
        uri.path_and_query()
            .map_or("/", |path| path.as_str())
            .as_bytes(),
        mode,
    ] {
        mac.update(part);
        mac.update(b"\n");
    }
    mac.update(&body);
    let expected: [u8; 32] = mac.finalize().into_bytes().into();
    let mut accepted = Choice::from(0);
    for candidate in signatures.split(|byte| *byte == b',') {
        let mut bytes = [0; 32];
        if let Some(digits) = candidate.trim_ascii().strip_prefix(b"v1=")
            && !digits.iter().any(u8::is_ascii_uppercase)
            && hex::decode_to_slice(digits, &mut bytes).is_ok()
        {
            accepted |= expected.ct_eq(&bytes);
        }
    }
    if !bool::from(accepted) {
        return Err(UNAUTHORIZED);
    }
    match mode {
        b"live" => Ok(Mode::Live),
        b"test" => Ok(Mode::Test),
        _ => Err((
            StatusCode::BAD_REQUEST,
            "X-Churnkey-Mode must be live or test",
        )),
    }
}

fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, AuthenticationError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(UNAUTHORIZED),
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
    }
}

#[derive(Serialize)]
struct ErrorBody {
    code: u16,
    message: &'static str,
}

fn refused((status, message): AuthenticationError) -> Response {
    let code = status.as_u16();
    let mut response = json(status, &ErrorBody { code, message });
    let (name, value) = match status {
        StatusCode::METHOD_NOT_ALLOWED => (header::ALLOW, "GET,HEAD"),
        StatusCode::SERVICE_UNAVAILABLE => (header::RETRY_AFTER, "1"),
        _ => return response,
    };
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
