//! The span of a request, in which each line about it is logged.
//!
//! The span has the operation, the request id, the tenant and the mode, and the fields of OpenTelemetry's conventions for the
//! span of an HTTP server. Of what the caller sent, it has the ids of the caller's request and trace, if they are well-formed.

use std::{fmt, sync::OnceLock};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
};
use tracing::{Level, Span, field};

use super::trace_parent::TraceParent;
use crate::{
    context::{Mode, RequestId},
    id::TenantId,
    operation::Operation,
};

/// What OpenTelemetry's conventions call a method that no standard has.
const OTHER_METHOD: &str = "_OTHER";

/// What is found out about a request while it is answered.
#[derive(Default)]
pub(super) struct Found {
    tenant: OnceLock<TenantId>,
    mode: OnceLock<Mode>,
}

impl Found {
    /// Notes the tenant, in the current span as well.
    pub(super) fn tenant(&self, tenant: &TenantId) {
        Span::current().record("tenant", tenant.as_str());
        // There is only one.
        let _ = self.tenant.set(tenant.clone());
    }

    /// Notes the mode, in the current span as well.
    pub(super) fn mode(&self, mode: Mode) {
        Span::current().record("mode", field::display(mode.as_str()));
        let _ = self.mode.set(mode);
    }
}

/// The span of a request, and what is needed to make it again.
///
/// Of a read it is at info level: making it takes a good part of the time that a read takes. Of an action, whose lines at
/// warn and error level may be the only trace of what it did, it is at error level.
pub(super) struct RequestSpan {
    span: Span,
    begun: Begun,
}

/// What the span says from the start. Of a path that is not served it has no route, because the path may be anything.
struct Begun {
    operation: Option<Operation>,
    method: &'static str,
    route: Option<MatchedPath>,
    parent: Option<TraceParent>,
}

impl RequestSpan {
    pub(super) fn new(
        operation: Option<Operation>,
        request: &Request,
        request_id: &RequestId,
    ) -> Self {
        let matched = operation.and_then(|_| request.extensions().get::<MatchedPath>());
        let begun = Begun {
            operation,
            method: method(request.method()),
            route: matched.cloned(),
            parent: TraceParent::of(request.headers()),
        };
        let request_id = request_id.as_str();
        let is_action = operation.is_some_and(|operation| operation.method() == Method::POST);
        let span = match is_action {
            true => begun.at_error(request_id),
            false => begun.at_info(request_id),
        };
        Self { span, begun }
    }

    /// The span in which the request is answered.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// The span of the lines about how the request ended. If nothing at info level is logged, then the span of a read that
    /// failed is made now, so that an error has its request id.
    pub(super) fn at_the_end(
        self,
        is_failure: bool,
        request_id: Option<&str>,
        found: &Found,
    ) -> Span {
        if !is_failure || !self.span.is_disabled() {
            return self.span;
        }
        let span = self.begun.at_error(request_id.unwrap_or_default());
        if let Some(tenant) = found.tenant.get() {
            span.record("tenant", tenant.as_str());
        }
        if let Some(mode) = found.mode.get() {
            span.record("mode", field::display(mode.as_str()));
        }
        span
    }
}

/// Notes how the request ended, in one call, because each call looks the span up.
pub(super) fn record_status(span: &Span, status: StatusCode) {
    tracing::record_all!(
        span,
        http.response.status_code = status.as_u16(),
        error.type = status.is_server_error().then(|| field::display(status.as_str())),
    );
}

macro_rules! span {
    ($level:expr, $begun:expr, $request_id:expr) => {{
        let begun: &Begun = $begun;
        let (method, route) = (begun.method, begun.route.as_ref().map(MatchedPath::as_str));
        // With `%`, as no caller can choose these texts: quoted texts are escaped, which is slower.
        tracing::span!(
            // So that a filter can name the span without the lines of the crate.
            target: "churnkey_integrator::request",
            $level,
            "churnkey",
            operation = %begun.operation.map_or("none", Operation::name),
            request_id = %$request_id,
            otel.name = %Name { method, route },
            otel.kind = %"server",
            http.request.method = %method,
            http.route = route.map(field::display),
            trace_id = begun.parent.map(|parent| field::display(parent.trace_id)),
            parent_id = begun.parent.map(|parent| field::display(parent.parent_id)),
            tenant = field::Empty,
            mode = field::Empty,
            http.response.status_code = field::Empty,
            error.type = field::Empty,
        )
    }};
}

impl Begun {
    fn at_info(&self, request_id: &str) -> Span {
        span!(Level::INFO, self, request_id)
    }

    fn at_error(&self, request_id: &str) -> Span {
        span!(Level::ERROR, self, request_id)
    }
}

/// The method, if it is one of the standards. Any other text is the caller's own.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => OTHER_METHOD,
    }
}

/// The name that OpenTelemetry's conventions give the span.
struct Name<'a> {
    method: &'a str,
    route: Option<&'a str>,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            OTHER_METHOD => "HTTP",
            method => method,
        })?;
        if let Some(route) = self.route {
            f.write_str(" ")?;
            f.write_str(route)?;
        }
        Ok(())
    }
}
