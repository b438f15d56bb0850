//! Explains a refused request in the log, once a second at most ([`IntegrationBuilder::explain_refusals`]).
//!
//! [`IntegrationBuilder::explain_refusals`]: crate::IntegrationBuilder::explain_refusals

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, request::Parts},
    response::Response,
};
use tokio::runtime::Handle;
use tracing::{Span, dispatcher};

use super::Shared;
use crate::{
    auth::{AcceptedTokens, AuthenticationError, RequestHead, Schemes},
    diagnose::{Finding, Refusals, Refused},
    tenants::Merchant,
    time::Timestamp,
};

/// What an explanation needs of a refused request, as an extension of its response.
#[derive(Clone)]
struct Unexplained(Arc<Request>);

struct Request {
    refusals: Arc<Refusals>,
    schemes: Schemes,
    merchant: Option<Arc<Merchant>>,
    error: AuthenticationError,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    now: Timestamp,
}

/// Keeps what the explanation of this refusal will need, if one is due.
pub(super) fn keep(
    response: &mut Response,
    shared: &Shared,
    error: AuthenticationError,
    (request, path, body): (&Parts, &str, &Bytes),
    merchant: Option<&Arc<Merchant>>,
    now: Timestamp,
) {
    let Some(refusals) = &shared.refusals else {
        return;
    };
    if refusals.is_due(error, now) {
        let request = Request {
            refusals: Arc::clone(refusals),
            schemes: shared.schemes.clone(),
            merchant: merchant.cloned(),
            error,
            method: request.method.clone(),
            path: path.to_owned(),
            headers: request.headers.clone(),
            body: body.clone(),
            now,
        };
        let unexplained = Unexplained(Arc::new(request));
        response.extensions_mut().insert(unexplained);
    }
}

/// Explains the refusal on another thread, so that the answer does not wait for it and tells nothing by its time.
pub(super) fn explain(response: &mut Response, span: &Span) {
    let Some(Unexplained(request)) = response.extensions_mut().remove() else {
        return;
    };
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let span = span.clone();
    let listener = dispatcher::get_default(Clone::clone);
    // Nobody waits for it: the log line is all that comes of it.
    drop(runtime.spawn_blocking(move || {
        dispatcher::with_default(&listener, || span.in_scope(|| request.explain()));
    }));
}

impl Request {
    fn explain(&self) {
        let Some(finding) = self.finding() else {
            return;
        };
        let Finding {
            cause,
            also,
            detail,
        } = finding;
        tracing::warn!(
            cause = cause.name(),
            also = also.map(|cause| cause.name()),
            detail,
            advice = cause.advice(),
            "explained"
        );
    }

    fn finding(&self) -> Option<Finding> {
        let names = self.schemes.headers();
        let head = RequestHead::new(&self.method, &self.path, &self.headers, names, self.now);
        let tokens = self.merchant.as_ref().map(|merchant| merchant.tokens());
        self.refusals.explain(&Refused {
            error: self.error,
            head: &head.ok()?,
            schemes: &self.schemes,
            body: &self.body,
            tokens: tokens.unwrap_or(AcceptedTokens::new(&[])),
        })
    }
}
