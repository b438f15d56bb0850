//! A signed client that calls an integration, in process or over HTTP.

use std::{fmt, sync::Arc};

use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::Value;

use super::{
    answer::Answer,
    transport::{Received, Transport},
};
use crate::{
    auth::sign_for_mode, context::Mode, http::Clock, integration::Integration,
    secret::IntegrationToken, time::Timestamp,
};

/// Calls an integration as Churnkey would, without a socket; with the feature `testing-http` also over one.
///
/// Every answer is checked for what holds for all of them: JSON, a request id, `no-store`, and the error shape
/// with the status repeated. An answer that breaks a rule panics with a sentence that says so.
///
/// ```
/// # use churnkey_integrator::{CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result, controller, model::Customer};
/// use churnkey_integrator::{Mode, testing::Client};
/// # struct Shop;
/// # #[controller]
/// # impl CustomersController for Shop {
/// #     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
/// #         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
/// #     }
/// # }
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let integration = Integration::builder("Acme", token).customers(Shop).build()?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
///
/// let client = Client::new(&integration);
/// let answer = client.get("/churnkey/customers/cus_1").await;
/// assert_eq!(answer.status, 200);
/// assert_eq!(answer.body["id"], "cus_1");
///
/// let answer = client.in_mode(Mode::Test).get("/churnkey/customers/cus_2").await;
/// assert_eq!(answer.body["message"], "Customer not found");
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    token: IntegrationToken,
    mode: Mode,
    clock: Clock,
}

impl Client {
    /// Calls this integration, in live mode, signing with its own token.
    #[must_use]
    pub fn new(integration: &Integration) -> Self {
        Self {
            transport: Transport::in_process(integration.clone().into_router()),
            token: integration.token().clone(),
            mode: Mode::Live,
            clock: integration.clock(),
        }
    }

    /// Calls a whole app that an integration is mounted in, so that the app's own layers take part.
    #[must_use]
    pub fn for_router(router: Router, token: IntegrationToken) -> Self {
        Self {
            transport: Transport::in_process(router),
            token,
            mode: Mode::Live,
            clock: Arc::new(Timestamp::now),
        }
    }

    /// Calls what listens at an origin such as `http://127.0.0.1:3000`, from within a tokio runtime. Nothing is sent
    /// yet. An answer with the status 0 means that nobody answered.
    ///
    /// # Errors
    /// [`UrlError`](super::UrlError) if it is none, or one with a path, or if it is `https://`.
    #[cfg(feature = "testing-http")]
    pub fn at(origin: &str, token: IntegrationToken) -> Result<Self, super::UrlError> {
        Ok(Self {
            transport: Transport::over_http(origin)?,
            token,
            mode: Mode::Live,
            clock: Arc::new(Timestamp::now),
        })
    }

    /// The same client in another mode.
    #[must_use]
    pub fn in_mode(&self, mode: Mode) -> Self {
        Self {
            mode,
            ..self.clone()
        }
    }

    /// Sends a signed GET. The path includes the prefix and the query, percent-encoded.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).signed().send().await
    }

    /// Sends a signed POST with a JSON body. The same call in the same second is the same request: see
    /// [`idempotency`](crate::idempotency).
    pub async fn post(&self, path: &str, json: &str) -> Answer {
        let call = self.call(Method::POST, path);
        let call = call.header("content-type", "application/json").body(json);
        call.signed().send().await
    }

    /// The path may be made of what another answer held, so that it may be none.
    pub(super) async fn get_unchecked(&self, path: &str) -> Answer {
        self.call(Method::GET, path).signed().answer().await
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Starts a request by hand: without a credential until it is given one.
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call {
            client: self,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// A request in the making. `Debug` shows its method only: the rest may hold a token or an address.
#[must_use = "a call does nothing before `send`"]
pub struct Call<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// Adds a header, beside those of the same name. A name or value that no header can have is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = (HeaderName::try_from(name), HeaderValue::from_str(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Sets a header in the place of those of the same name.
    pub fn replacing(mut self, name: &str, value: &str) -> Self {
        if let Ok(name) = HeaderName::try_from(name) {
            self.headers.remove(name);
        }
        self.header(name, value)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Signs what is there now, for the time on the integration's clock. What is changed afterwards spoils the
    /// signature.
    pub fn signed(self) -> Self {
        let now = self.client.now();
        self.signed_at(now)
    }

    /// Adds the token itself as `Authorization: Bearer`.
    pub fn with_token(self) -> Self {
        let token = self.client.token.expose().to_vec();
        self.header(
            "authorization",
            &format!("Bearer {}", String::from_utf8_lossy(&token)),
        )
    }

    /// Signs what is there now, for another time.
    pub fn signed_at(self, at: Timestamp) -> Self {
        let mode = self.client.mode.as_str();
        self.signed_in_mode(mode, at)
    }

    /// Signs what is there now, for a mode that may be none.
    pub(super) fn signed_in_mode(mut self, mode: &str, at: Timestamp) -> Self {
        let token = &self.client.token;
        let signature = sign_for_mode(token, &self.method, &self.path, mode, &self.body, at);
        self.headers.extend(signature.headers());
        self
    }

    /// Sends the request and checks the answer for what holds for every answer.
    ///
    /// # Panics
    /// If the answer breaks one of those rules, or if the path is no URI.
    #[expect(clippy::panic, reason = "for tests, where a panic is the verdict")]
    pub async fn send(self) -> Answer {
        let answer = self.send_unchecked().await;
        if let Err(broken) = answer.check() {
            panic!("{broken}");
        }
        answer
    }

    /// Sends the request and returns whatever comes.
    ///
    /// # Panics
    /// If the path is no URI.
    #[expect(
        clippy::expect_used,
        reason = "for tests, where a panic is the verdict"
    )]
    pub async fn send_unchecked(self) -> Answer {
        self.path
            .parse::<Uri>()
            .expect("the path of a test's request must be a URI: percent-encode it");
        self.answer().await
    }

    async fn answer(self) -> Answer {
        let request = Request::builder().method(self.method.clone());
        let received = match request.uri(&self.path).body(self.body) {
            Ok(mut request) => {
                *request.headers_mut() = self.headers;
                self.client.transport.send(request).await
            }
            Err(_) => Err("the path is no URI".to_owned()),
        };
        let received = received.unwrap_or_else(Received::nothing);
        Answer {
            status: received.status,
            body: serde_json::from_slice(&received.bytes).unwrap_or(Value::Null),
            cause: received.cause,
            headers: received.headers,
            bytes: received.bytes,
            method: self.method,
        }
    }
}
