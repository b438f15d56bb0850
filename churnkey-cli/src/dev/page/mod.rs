//! The tool's own pages: what Churnkey sees of the integration, and the cancel flow as a customer walks through it.
//!
//! Server-rendered, without scripts. The page holds no token: the tool signs.

mod cancel_flow;
mod customers;
mod difference;
mod layout;
mod money;
mod overview;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{Form, Path, Query, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use churnkey_integrator::Mode;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use maud::Markup;
use subtle::ConstantTimeEq;

use super::{Dev, browser::is_own_host, merchant::Refusal};
use crate::operations::segment;

const STYLE: &str = include_str!("style.css");

/// No script at all; nothing from elsewhere; in no frame; and what is shown is of a customer.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// The pages. What is none of them is for the browser API.
pub(super) fn routes(dev: &Arc<Dev>) -> Router<Arc<Dev>> {
    Router::new()
        .route("/", get(overview))
        .route("/customers", get(customers))
        .route("/customers/{customer}", get(customer))
        .route("/flow/{customer}/{subscription}", get(flow).post(accept))
        .route("/style.css", get(style))
        .route_layer(middleware::from_fn_with_state(Arc::clone(dev), guard))
}

/// What every page has to know.
#[derive(Debug, Clone, Copy)]
struct Shown<'a> {
    url: &'a str,
    mode: Mode,
    here: &'a str,
}

type Parameters = HashMap<String, String>;

fn mode_of(parameters: &Parameters) -> Mode {
    match parameters.get("mode").map(String::as_str) {
        Some("test") => Mode::Test,
        _ => Mode::Live,
    }
}

/// A parameter that is there and not empty.
fn given<'p>(parameters: &'p Parameters, name: &str) -> Option<&'p str> {
    let value = parameters.get(name)?.trim();
    (!value.is_empty()).then_some(value)
}

/// Another site may not read a page by giving its own name an address of this machine, and may not send its forms.
async fn guard(State(dev): State<Arc<Dev>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let refusal = if !is_own_host(&parts, dev.listens_at) {
        Some("this Host is not one of this tool: open it by 127.0.0.1 or localhost")
    } else if parts.method == Method::POST && !is_same_origin(&parts.headers) {
        Some("this form is of another site")
    } else {
        None
    };
    let mut response = match refusal {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(Request::from_parts(parts, body)).await,
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Browsers name the origin of a form, and say where a request comes from.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let is_own = text(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
    let site = text(HeaderName::from_static("sec-fetch-site"));
    is_own && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

fn page(content: Result<Markup, Refusal>, shown: Shown<'_>) -> Response {
    match content {
        Ok(content) => layout::page(shown, &content).into_response(),
        Err(refusal) => {
            let status = refusal.status;
            let content = layout::refusal(&refusal);
            (status, layout::page(shown, &content)).into_response()
        }
    }
}

async fn overview(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    let url = dev.merchant.url();
    let shown = Shown {
        url: &url,
        mode,
        here: "/",
    };
    page(overview::content(&dev, mode).await, shown)
}

async fn customers(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    let url = dev.merchant.url();
    let shown = Shown {
        url: &url,
        mode,
        here: "/customers",
    };
    page(customers::list(&dev, mode, &query).await, shown)
}

async fn customer(
    State(dev): State<Arc<Dev>>,
    Path(customer): Path<String>,
    Query(query): Query<Parameters>,
) -> Response {
    let mode = mode_of(&query);
    let url = dev.merchant.url();
    let here = format!("/customers/{}", segment(&customer));
    let shown = Shown {
        url: &url,
        mode,
        here: &here,
    };
    page(customers::one(&dev, mode, &customer).await, shown)
}

async fn flow(
    State(dev): State<Arc<Dev>>,
    Path((customer, subscription)): Path<(String, String)>,
    Query(query): Query<Parameters>,
) -> Response {
    let walk = cancel_flow::Walk::new(customer, subscription, mode_of(&query));
    let (url, here) = (dev.merchant.url(), walk.path());
    let shown = Shown {
        url: &url,
        mode: walk.mode(),
        here: &here,
    };
    page(walk.step(&dev, &query).await, shown)
}

async fn accept(
    State(dev): State<Arc<Dev>>,
    Path((customer, subscription)): Path<(String, String)>,
    Form(form): Form<Parameters>,
) -> Response {
    let walk = cancel_flow::Walk::new(customer, subscription, mode_of(&form));
    let (url, here) = (dev.merchant.url(), walk.path());
    let sent = given(&form, "csrf").unwrap_or_default();
    if !bool::from(dev.csrf.as_bytes().ct_eq(sent.as_bytes())) {
        // A page of an earlier run.
        return Redirect::to(&walk.link(&[])).into_response();
    }
    let shown = Shown {
        url: &url,
        mode: walk.mode(),
        here: &here,
    };
    page(walk.accept(&dev, &form).await, shown)
}
