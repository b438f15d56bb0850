//! A signed client that calls an integration, in process or at a URL.

use std::{error::Error, fmt, sync::Arc};

use bytes::Bytes;
use churnkey_integrator::{
    IntegrationToken, Mode, Timestamp,
    testing::{bearer, sign_in_mode},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use tower::{Service, ServiceExt};

use crate::{
    answer::Answer,
    remote::{self, UrlError},
    transport::{RequestBody, Transport, chain, transport},
};

/// Calls an integration as Churnkey would: in process any [`Service`], such as a whole axum app with its layers, or
/// what listens at a URL.
///
/// It knows the integration's token, where it is mounted (`/churnkey` unless said otherwise), and what time it is.
///
/// [`Call::send`] checks every answer for what holds for all of them: JSON, and the error shape with the status repeated.
/// An answer that breaks a rule panics with a sentence that says so.
///
/// ```
/// # use churnkey_integrator::{CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result, controller, model::Customer};
/// use churnkey_conformance::Client;
/// use churnkey_integrator::Mode;
/// # struct Shop;
/// # #[controller]
/// # impl CustomersController for Shop {
/// #     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
/// #         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
/// #     }
/// # }
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let integration = Integration::builder("Acme", token.clone()).customers(Shop).build()?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
///
/// let client = Client::new(integration.into_router(), token);
/// let answer = client.get("/churnkey/customers/cus_1").await;
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.body()["id"], "cus_1");
///
/// let answer = client.in_mode(Mode::Test).get("/churnkey/customers/cus_2").await;
/// assert_eq!(answer.message(), Some("Customer not found"));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    token: IntegrationToken,
    mode: Mode,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// In process there is none.
    origin: String,
    prefix: String,
}

impl Client {
    /// Calls this service in live mode, and signs with this token: an axum [router][into_router], or a whole app with
    /// its layers.
    ///
    /// [into_router]: churnkey_integrator::Integration::into_router
    #[must_use]
    pub fn new<S, B>(service: S, token: IntegrationToken) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self {
            transport: transport(service),
            token,
            mode: Mode::Live,
            clock: Arc::new(Timestamp::now),
            origin: String::new(),
            prefix: "/churnkey".to_owned(),
        }
    }

    /// Calls what listens at a URL such as `https://staging.example.com`, from within a tokio runtime. If the integration
    /// is not mounted at `/churnkey`, the URL has the path as well. Nothing is sent yet. An answer with the status 0
    /// means that nobody answered.
    ///
    /// HTTP/1.1, over TLS for `https`: the server's certificate has to be one that this machine trusts. Redirects are not
    /// followed, and proxies are not used, so that the token gets to this host alone. An answer has 15 seconds, and
    /// 64 MiB at most. For anything else, give a client of your own to [`new`](Self::new).
    ///
    /// # Errors
    /// [`UrlError`] if it is not such a URL, or if the machine has no root certificates for `https`.
    pub fn at(url: &str, token: IntegrationToken) -> Result<Self, UrlError> {
        let (origin, path) = remote::split(url)?;
        let service = remote::service(origin.clone(), remote::roots(&origin)?)?;
        let client = Self {
            origin,
            ..Self::new(service, token)
        };
        Ok(match path.as_str() {
            "" => client,
            path => client.mounted_at(path),
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

    /// The same client of an integration that is mounted at this path, such as `/api/churnkey`.
    #[must_use]
    pub fn mounted_at(mut self, prefix: &str) -> Self {
        prefix.trim_end_matches('/').clone_into(&mut self.prefix);
        self
    }

    /// The same client of an integration with this [clock](churnkey_integrator::IntegrationBuilder::clock).
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The path at which the integration is mounted.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The path, behind the origin if there is one.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Sends a signed GET. The path includes the prefix and the query, percent-encoded.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).signed().send().await
    }

    /// Sends a signed POST with a JSON body. The same call in the same second is the same request: see
    /// [`idempotency`](churnkey_integrator::idempotency).
    pub async fn post(&self, path: &str, json: &str) -> Answer {
        let call = self.call(Method::POST, path);
        let call = call.header("content-type", "application/json").body(json);
        call.signed().send().await
    }

    /// The path may be made of what another answer held, and so it may not be one.
    pub(crate) async fn get_unchecked(&self, path: &str) -> Answer {
        self.call(Method::GET, path).signed().answer().await
    }

    pub(crate) fn now(&self) -> Timestamp {
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
            .field("origin", &self.origin)
            .field("prefix", &self.prefix)
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
    /// Adds a header, beside those of the same name. A name or value that a header can't have is left out.
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

    /// Signs what is there now, for the time on the client's clock. The signature does not cover what is changed
    /// afterwards.
    pub fn signed(self) -> Self {
        let now = self.client.now();
        self.signed_at(now)
    }

    /// Adds the token itself as `Authorization: Bearer`.
    pub fn with_token(mut self) -> Self {
        let value = bearer(&self.client.token);
        self.headers.append(header::AUTHORIZATION, value);
        self
    }

    /// Signs what is there now, for another time.
    pub fn signed_at(self, at: Timestamp) -> Self {
        let mode = self.client.mode.as_str();
        self.signed_in_mode(mode, at)
    }

    /// Signs what is there now, for a mode that need not be one.
    pub(crate) fn signed_in_mode(mut self, mode: &str, at: Timestamp) -> Self {
        let token = &self.client.token;
        let signature = sign_in_mode(token, &self.method, &self.path, mode, &self.body, at);
        self.headers.extend(signature.headers());
        self
    }

    /// Sends the request and checks the answer for what holds for every answer.
    ///
    /// # Panics
    /// If the answer breaks one of those rules, or if the path is not a URI. The message has the path, which may hold an
    /// address.
    #[expect(clippy::panic, reason = "for tests, where a panic is the result")]
    pub async fn send(self) -> Answer {
        let request = format!("{} {}", self.method, self.path);
        let prefix = self.client.prefix.clone();
        let answer = self.send_unchecked().await;
        if let Err(broken) = answer.check() {
            let has_id = answer.header("x-request-id").is_some();
            let is_elsewhere = answer.status() == 404 && !has_id && !answer.is_json();
            let hint = match is_elsewhere {
                true => format!(
                    "; nothing of the integration is there: a path begins with where it is mounted, which is {prefix} \
                     unless Client::mounted_at says otherwise"
                ),
                false => String::new(),
            };
            panic!("{request}: {broken}{hint}");
        }
        answer
    }

    /// Sends the request and returns whatever comes.
    ///
    /// # Panics
    /// If the path is not a URI.
    #[expect(clippy::expect_used, reason = "for tests, where a panic is the result")]
    pub async fn send_unchecked(self) -> Answer {
        self.path
            .parse::<Uri>()
            .expect("the path of a test's request must be a URI: percent-encode it");
        self.answer().await
    }

    async fn answer(self) -> Answer {
        let request = Request::builder().method(self.method.clone());
        let body = RequestBody::new(Bytes::from(self.body));
        let Ok(mut request) = request.uri(&self.path).body(body) else {
            return Answer::none(self.method, "the path is not a URI".to_owned());
        };
        *request.headers_mut() = self.headers;
        match self.client.transport.clone().oneshot(request).await {
            Ok(came) => Answer::new(
                self.method,
                came.status,
                came.headers,
                came.bytes.to_vec(),
                came.cause,
            ),
            Err(error) => Answer::none(self.method, chain(&*error)),
        }
    }
}
