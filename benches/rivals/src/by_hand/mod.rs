//! The servers that a good engineer would write without the framework, for their own records.

pub(crate) mod bare;
mod cursor;
pub(crate) mod lean;
pub(crate) mod production;
mod query;
mod record;
mod signature;
mod store;

use axum::{
    body::Body,
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::Serialize;

pub use cursor::CursorKeys;
pub use signature::{Headers, SigningKey, now};

use self::{
    query::Asked,
    store::{Page, Store},
};
use crate::{BoxError, source::Source};

const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_ID_BYTES: usize = 255;
const NO_SUCH_CUSTOMER: Refusal = Refusal::new(StatusCode::NOT_FOUND, "Customer not found");

/// Which data a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real customers.
    Live,
    /// Test customers.
    Test,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// What the handlers of both forms need.
pub(crate) struct App {
    signing: SigningKey,
    cursors: CursorKeys,
    store: Store,
}

/// The parts of a request that are signed, besides its timestamp and mode.
struct Signed<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl App {
    pub(crate) fn new(source: &Source, token: &str) -> Result<Self, BoxError> {
        Ok(Self {
            signing: SigningKey::new(token),
            cursors: CursorKeys::new(token),
            store: Store::open(source)?,
        })
    }

    fn verify(&self, request: &Signed<'_>) -> Result<Mode, Refusal> {
        let path = request.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        self.signing
            .verify(request.method, path, request.headers, request.body)
    }

    async fn retrieve(
        &self,
        mode: Mode,
        id: Result<Path<String>, PathRejection>,
    ) -> Result<Response, Refusal> {
        let Ok(Path(id)) = id else {
            return Err(Refusal::bad_request(
                "The path is not percent-encoded UTF-8",
            ));
        };
        check_id(&id)?;
        match &self.store {
            Store::Memory(memory) => {
                let found = memory.by_id(mode, &id).ok_or(NO_SUCH_CUSTOMER)?;
                json(StatusCode::OK, &*found)
            }
            Store::Postgres(database) => {
                let found = database.by_id(mode, &id).await.map_err(failed)?;
                json(StatusCode::OK, &found.ok_or(NO_SUCH_CUSTOMER)?)
            }
        }
    }

    async fn list(&self, mode: Mode, uri: &Uri) -> Result<Response, Refusal> {
        let asked = Asked::read(uri.query(), &self.cursors, mode)?;
        match &self.store {
            Store::Memory(memory) => {
                let Page { data, last } = memory.page(mode, &asked);
                let data: Vec<_> = data.iter().map(AsRef::as_ref).collect();
                self.paged(mode, &data, last)
            }
            Store::Postgres(database) => {
                let page = database.page(mode, &asked).await.map_err(failed)?;
                self.paged(mode, &page.data, page.last)
            }
        }
    }

    fn paged(
        &self,
        mode: Mode,
        data: &[impl Serialize],
        last: Option<u64>,
    ) -> Result<Response, Refusal> {
        let next = last.map(|last| self.cursors.sign(mode, last));
        json(StatusCode::OK, &PageBody { data, next })
    }
}

fn check_id(id: &str) -> Result<(), Refusal> {
    match id.len() {
        ..=MAX_ID_BYTES => Ok(()),
        _ => Err(Refusal::bad_request("id must not be longer than 255 bytes")),
    }
}

#[derive(Serialize)]
struct PageBody<'a, R> {
    data: &'a [R],
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An answer that is an error (contract, section 2.6).
#[derive(Debug, Clone, Copy, Serialize)]
struct Refusal {
    #[serde(rename = "code", serialize_with = "as_number")]
    status: StatusCode,
    message: &'static str,
}

impl Refusal {
    const INTERNAL: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    const METHOD_NOT_ALLOWED: Self =
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "Not Found");
    const TIMED_OUT: Self = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
    const TOO_LARGE: Self = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large");
    const UNAUTHORIZED: Self = Self::new(StatusCode::UNAUTHORIZED, "Unauthorized");

    const fn new(status: StatusCode, message: &'static str) -> Self {
        Self { status, message }
    }

    const fn bad_request(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    fn into_response(self) -> Response {
        let mut response = json(self.status, &self).unwrap_or_default();
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => {
                let allowed = HeaderValue::from_static("GET,HEAD");
                response.headers_mut().insert(header::ALLOW, allowed);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = HeaderValue::from_static("1");
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
            _ => {}
        }
        response
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn failed(error: BoxError) -> Refusal {
    tracing::error!(error = %error, "failed");
    Refusal::INTERNAL
}

fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(body).map_err(|error| failed(error.into()))?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
