//! The tool's own pages: what Churnkey sees of the integration, and the cancel flow as a customer walks through it.
//!
//! Server-rendered. One script, which shows what is new. The page holds no token: the tool signs.

mod calls;
mod cancel_flow;
mod check;
mod contract;
mod customers;
mod difference;
mod json;
mod layout;
mod live;
mod live_data;
mod money;
mod overview;
mod parts;
mod password;
mod refused;
mod subscription;
mod webhooks;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Form, Path, Query, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use churnkey_integrator::Mode;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use maud::Markup;
use subtle::ConstantTimeEq;

pub(crate) use self::password::Password;
use self::{calls::Sent, layout::with_mode};
use super::{Dev, browser::is_own_host, merchant::Refusal};
use crate::operations::segment;

/// A page asks for several records, one after the other. A person does not wait longer.
const DEADLINE: Duration = Duration::from_secs(20);

const STYLE: &str = include_str!("style.css");

/// No script but the tool's own; nothing from elsewhere; in no frame; and what is shown is of a customer.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer`, browsers would send `Origin: null` with the page's own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// The pages. What is none of them is for the browser API.
pub(super) fn routes(dev: &Arc<Dev>) -> Router<Arc<Dev>> {
    Router::new()
        .route("/", get(overview))
        .route("/customers", get(customers))
        .route("/customers/{customer}", get(customer))
        .route("/flow/{customer}/{subscription}", get(flow).post(accept))
        .route("/calls", get(all_calls))
        .route("/calls/{number}", get(one_call))
        .route("/calls/{number}/again", post(send_again))
        .route("/check", get(check).post(begin_check))
        .route("/check/{report}", get(report))
        .route("/webhooks", get(webhooks))
        .route("/refused", get(refused).post(find_out))
        .route("/events", get(live::events))
        .route("/contract", get(contract))
        .route("/live.js", get(live::script))
        .route("/style.css", get(style))
        // Browsers ask for it unasked.
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .route_layer(middleware::from_fn_with_state(Arc::clone(dev), guard))
}

/// What every page has to know.
#[derive(Debug, Clone, Copy)]
struct Shown<'a> {
    url: &'a str,
    mode: Mode,
    here: &'a str,
    /// Whether the page shows what is new as it comes.
    is_live: bool,
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
    let mut response = match refusal(&dev, &parts).await {
        Some(refused) => refused,
        None => {
            let shown = next.run(Request::from_parts(parts, body));
            match tokio::time::timeout(DEADLINE, shown).await {
                Ok(response) => response,
                Err(_) => given_up(&dev),
            }
        }
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn given_up(dev: &Dev) -> Response {
    let (url, seconds) = (dev.merchant.url(), DEADLINE.as_secs());
    let message = format!(
        "the integration at {url} has not answered all that this page asks for within {seconds} s: Calls shows how long \
         each call took"
    );
    let refusal = Refusal::new(StatusCode::GATEWAY_TIMEOUT, message);
    still(dev, Mode::Live, "/", Err(refusal))
}

async fn refusal(dev: &Dev, request: &Parts) -> Option<Response> {
    let forbidden = |why: &'static str| Some((StatusCode::FORBIDDEN, why).into_response());
    match &dev.password {
        Some(password) => {
            if let Some(refused) = password.refusal(&request.headers).await {
                return Some(refused);
            }
        }
        None if !is_own_host(request, dev.listens_at) => {
            return forbidden(
                "this Host is not one of this tool: open it by 127.0.0.1 or localhost",
            );
        }
        None => {}
    }
    if request.method == Method::POST && !is_same_origin(&request.headers) {
        return forbidden("this form is of another site");
    }
    None
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

/// A page of the tool, which is not live.
fn still(dev: &Dev, mode: Mode, here: &str, content: Result<Markup, Refusal>) -> Response {
    let url = dev.merchant.url();
    let shown = Shown {
        url: &url,
        mode,
        here,
        is_live: false,
    };
    page(content, shown)
}

fn live_page(dev: &Dev, mode: Mode, here: &str, content: Markup) -> Response {
    let url = dev.merchant.url();
    let shown = Shown {
        url: &url,
        mode,
        here,
        is_live: true,
    };
    page(Ok(content), shown)
}

/// A form of a page of another run has another value.
fn is_of_this_run(dev: &Dev, form: &Parameters) -> bool {
    let sent = given(form, "csrf").unwrap_or_default();
    dev.csrf.as_bytes().ct_eq(sent.as_bytes()).into()
}

async fn overview(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    let content = overview::content(&dev, mode).await;
    still(&dev, mode, "/", content)
}

async fn customers(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    let content = customers::list(&dev, mode, &query).await;
    still(&dev, mode, "/customers", content)
}

async fn contract(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    still(&dev, mode_of(&query), "/contract", Ok(contract::content()))
}

async fn customer(
    State(dev): State<Arc<Dev>>,
    Path(customer): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let mode = mode_of(&query);
    let here = format!("/customers/{}", segment(&customer));
    let content = customers::one(&dev, mode, &customer, &headers).await;
    still(&dev, mode, &here, content)
}

async fn flow(
    State(dev): State<Arc<Dev>>,
    Path((customer, subscription)): Path<(String, String)>,
    Query(query): Query<Parameters>,
) -> Response {
    let walk = cancel_flow::Walk::new(customer, subscription, mode_of(&query));
    let content = walk.step(&dev, &query).await;
    still(&dev, walk.mode(), &walk.path(), content)
}

async fn accept(
    State(dev): State<Arc<Dev>>,
    Path((customer, subscription)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<Parameters>,
) -> Response {
    let walk = cancel_flow::Walk::new(customer, subscription, mode_of(&form));
    if !is_of_this_run(&dev, &form) {
        return Redirect::to(&walk.link(&[])).into_response();
    }
    let content = walk.accept(&dev, &form, &headers).await;
    still(&dev, walk.mode(), &walk.path(), content)
}

async fn all_calls(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    let content = calls::list(&dev, mode, &query);
    live_page(&dev, mode, "/calls", content)
}

async fn one_call(
    State(dev): State<Arc<Dev>>,
    Path(number): Path<u64>,
    Query(query): Query<Parameters>,
) -> Response {
    let mode = mode_of(&query);
    let content = calls::one(&dev, mode, number);
    still(&dev, mode, &format!("/calls/{number}"), content)
}

async fn send_again(
    State(dev): State<Arc<Dev>>,
    Path(number): Path<u64>,
    Form(form): Form<Parameters>,
) -> Response {
    let (mode, here) = (mode_of(&form), format!("/calls/{number}"));
    if !is_of_this_run(&dev, &form) {
        return Redirect::to(&here).into_response();
    }
    match calls::send_again(&dev, mode, number, &form).await {
        Ok(Sent::Now(path)) => Redirect::to(&path).into_response(),
        Ok(Sent::Asks(question)) => still(&dev, mode, &here, Ok(question)),
        Err(refusal) => still(&dev, mode, &here, Err(refusal)),
    }
}

async fn check(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    live_page(&dev, mode, "/check", check::content(&dev, mode))
}

async fn begin_check(State(dev): State<Arc<Dev>>, Form(form): Form<Parameters>) -> Response {
    if is_of_this_run(&dev, &form) {
        dev.begin_check(given(&form, "sure").is_some());
    }
    Redirect::to(&with_mode("/check", mode_of(&form))).into_response()
}

async fn report(State(dev): State<Arc<Dev>>, Path(file): Path<String>) -> Response {
    match check::report(&dev, &file) {
        Ok(report) => report.into_response(),
        Err(refusal) => still(&dev, Mode::Live, "/check", Err(refusal)),
    }
}

async fn webhooks(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    live_page(&dev, mode, "/webhooks", webhooks::content(&dev, mode))
}

async fn refused(State(dev): State<Arc<Dev>>, Query(query): Query<Parameters>) -> Response {
    let mode = mode_of(&query);
    live_page(&dev, mode, "/refused", refused::content(&dev, mode))
}

async fn find_out(State(dev): State<Arc<Dev>>, Form(form): Form<Parameters>) -> Response {
    if is_of_this_run(&dev, &form) {
        dev.begin_diagnosis();
    }
    Redirect::to(&with_mode("/refused", mode_of(&form))).into_response()
}
