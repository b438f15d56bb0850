//! [`AuthenticatedRequest`]: checks a request's size, credential and mode. A wrong signature or token is answered 401 here.

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    body::Bytes,
    extract::{FromRequestParts, OriginalUri, RawPathParams, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, request::Parts},
    response::Response,
};

use super::{
    Shared,
    metrics::{self, Refusal},
    payload::{Unread, read, unless_announced_too_large},
    replay::is_replay,
    response::{self, Cause},
    span::Found,
    tenant::resolve,
};
use crate::{
    auth::{Authenticated, AuthenticationError, Credential, MODE_HEADER, RequestHead},
    context::{Mode, RequestId},
    error::HandlerError,
    tenants::{Merchant, Merchants},
    time::Timestamp,
};

/// A request with a valid credential. Routes take nothing else, and only [`authenticate`](Self::authenticate) creates one.
pub(super) struct AuthenticatedRequest {
    request: Parts,
    body: Bytes,
    credential: Credential,
    merchant: Arc<Merchant>,
    request_id: RequestId,
    mode: Mode,
    deadline: Instant,
}

impl AuthenticatedRequest {
    /// Checks size, headers, timestamp, tenant, signature, mode and replay, in this order: the cheapest check first. Without a tenant
    /// no check is skipped, so that the time does not reveal which tenants exist.
    pub(super) async fn authenticate(
        shared: &Shared,
        request: Request,
        request_id: RequestId,
        deadline: Instant,
        own_parameters: usize,
        found: &Found,
    ) -> Result<Self, Response> {
        let (mut request, body) = request.into_parts();
        let max_bytes = shared.limits.body_bytes;
        let body = unless_announced_too_large(&request.headers, body, max_bytes);
        let body = body.await.map_err(unread)?;
        let parameters = match shared.merchants {
            Merchants::One(_) => None,
            Merchants::Many { .. } => RawPathParams::from_request_parts(&mut request, &())
                .await
                .ok(),
        };
        let path = path_as_sent(&request, shared);
        let now = (shared.clock)();
        let names = shared.schemes.headers();
        let refused = |error, merchant: Option<&Arc<Merchant>>, body: &Bytes| {
            let request = (&request, &*path, body);
            unauthorized(shared, error, request, merchant, now)
        };
        let unread_body = Bytes::new();
        let head = RequestHead::new(&request.method, &path, &request.headers, names, now);
        let head = head.map_err(|error| refused(error, None, &unread_body))?;
        let deciding = shared.schemes.of(&head);
        let (credential, scheme) = deciding.map_err(|error| refused(error, None, &unread_body))?;
        let merchant = match &shared.merchants {
            Merchants::One(merchant) => Some(Arc::clone(merchant)),
            Merchants::Many { resolver, .. } => {
                let parameters = parameters.as_ref();
                resolve(
                    &**resolver,
                    &request,
                    &path,
                    parameters,
                    own_parameters,
                    deadline,
                )
                .await
                .map_err(|error| failed(Refusal::TenantResolverFailed, error))?
            }
        };
        if let Some(tenant) = merchant.as_ref().and_then(|merchant| merchant.id()) {
            found.tenant(tenant);
        }
        let verify = |body: &[u8]| match &merchant {
            Some(merchant) => scheme.verify(&head, body, merchant.tokens()),
            None => {
                let _ = scheme.verify(&head, body, shared.merchants.decoy());
                Err(AuthenticationError::UnknownTenant)
            }
        };
        let without_body = match scheme.needs_body() {
            true => None,
            false => {
                let verified = verify(b"");
                let refused = |error| refused(error, merchant.as_ref(), &unread_body);
                Some(verified.map_err(refused)?)
            }
        };
        let within = deadline.saturating_duration_since(Instant::now());
        let body = read(body, max_bytes, within).await.map_err(unread)?;
        let authenticated: Authenticated<'_> = match without_body {
            Some(authenticated) => authenticated,
            None => verify(&body).map_err(|error| refused(error, merchant.as_ref(), &body))?,
        };
        let token = authenticated.position();
        let unknown = || refused(AuthenticationError::UnknownTenant, None, &body);
        let merchant = merchant.ok_or_else(unknown)?;
        merchant.token_was_used(token, now);
        let mode = mode(head.mode(), &names.mode, shared.live_only)
            .map_err(|error| failed(Refusal::InvalidMode, error))?;
        let sent = (&request, &*path, &body);
        let is_replay = is_replay(shared, credential, sent, &merchant, mode, now, deadline);
        if is_replay
            .await
            .map_err(|error| failed(Refusal::ReplayStoreFailed, error))?
        {
            let replayed = AuthenticationError::Replayed;
            return Err(refused(replayed, Some(&merchant), &body));
        }
        Ok(Self {
            request,
            body,
            credential,
            merchant,
            request_id,
            mode,
            deadline,
        })
    }

    pub(super) fn method(&self) -> &Method {
        &self.request.method
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// The path and query that the caller sent, before a proxy or an outer router removed a prefix.
    pub(super) fn path_as_sent(&self, shared: &Shared) -> Cow<'_, str> {
        path_as_sent(&self.request, shared)
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn is_signed(&self) -> bool {
        self.credential == Credential::Signature
    }

    pub(super) fn merchant(&self) -> &Arc<Merchant> {
        &self.merchant
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// For axum's extractors, which take the parts by a mutable reference.
    pub(super) fn parts_mut(&mut self) -> &mut Parts {
        &mut self.request
    }

    pub(super) fn into_parts(self) -> (Parts, Bytes, RequestId) {
        (self.request, self.body, self.request_id)
    }
}

fn path_as_sent<'a>(request: &'a Parts, shared: &Shared) -> Cow<'a, str> {
    let original = request.extensions.get::<OriginalUri>();
    let uri = original.map_or(&request.uri, |OriginalUri(uri)| uri);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match shared.external_prefix.as_str() {
        "" => Cow::Borrowed(path),
        prefix => Cow::Owned(format!("{prefix}{path}")),
    }
}

fn failed(refusal: Refusal, error: HandlerError) -> Response {
    metrics::refused(refusal);
    response::from_error(error)
}

fn unread(unread: Unread) -> Response {
    metrics::refused(Refusal::Unread(unread));
    response::error(unread.status())
}

fn mode(
    sent: Option<&HeaderValue>,
    header: &HeaderName,
    live_only: bool,
) -> Result<Mode, HandlerError> {
    match sent.map(HeaderValue::as_bytes) {
        None | Some(b"live") => Ok(Mode::Live),
        Some(b"test") if live_only => Err(HandlerError::bad_request(
            "This integration serves live data only",
        )),
        Some(b"test") => Ok(Mode::Test),
        Some(_) if *header == MODE_HEADER => Err(HandlerError::bad_request(
            "X-Churnkey-Mode must be live or test",
        )),
        Some(_) => Err(HandlerError::bad_request(format!(
            "{header} must be live or test"
        ))),
    }
}

/// The same bytes for every error: the reason is for the merchant's log only.
#[cfg_attr(
    not(feature = "diagnose"),
    expect(unused_variables, reason = "only an explanation looks at the request")
)]
fn unauthorized(
    shared: &Shared,
    error: AuthenticationError,
    request: (&Parts, &str, &Bytes),
    merchant: Option<&Arc<Merchant>>,
    now: Timestamp,
) -> Response {
    metrics::refused(Refusal::Unauthenticated(error));
    let mut response = response::error(StatusCode::UNAUTHORIZED);
    response
        .extensions_mut()
        .insert(Cause::Unauthenticated(error));
    #[cfg(feature = "diagnose")]
    super::refusal::keep(&mut response, shared, error, request, merchant, now);
    response
}
