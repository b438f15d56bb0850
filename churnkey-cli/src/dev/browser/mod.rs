//! The browser API: what Churnkey's component in a customer's page calls.

mod caller;
mod origin;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use churnkey_integrator::Timestamp;
use http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

pub(crate) use self::{
    caller::{AppKeys, Caller},
    origin::Origins,
};
use super::{Dev, calls::Party, direct::BrowserAction, merchant::Refusal};
use crate::exchange::{Exchange, Received};

/// A session record has what a customer wrote; anything else is short.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What is called, by the end of the path: the base URL may be any.
enum Called {
    Config,
    Action(BrowserAction),
    Session,
}

/// Answers every request that is for no page of the tool, and keeps it with its answer.
pub(crate) async fn browser(State(dev): State<Arc<Dev>>, request: Request) -> Response {
    let (begun, clock) = (Timestamp::now(), Instant::now());
    let (request, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await.ok();
    let response = answered(&dev, &request, body.as_ref()).await;
    let (parts, content) = response.into_parts();
    // What the tool itself answers is in memory.
    let content = to_bytes(content, usize::MAX).await.unwrap_or_default();
    let received = Received {
        status: parts.status,
        version: parts.version,
        headers: parts.headers.clone(),
        body: content.clone(),
    };
    let mut headers = request.headers;
    // A browser that was led to a wrong path sends the password of the pages, and the cookies of other ports.
    for kept_by_nobody in [header::AUTHORIZATION, header::COOKIE] {
        headers.remove(kept_by_nobody);
    }
    let exchange = Exchange {
        method: request.method,
        path: request.uri.to_string(),
        headers,
        body: body.unwrap_or_default(),
        begun,
        took: clock.elapsed(),
        came: Ok(received),
    };
    dev.merchant.calls().add(Party::Browser, exchange);
    Response::from_parts(parts, Body::from(content))
}

async fn answered(dev: &Dev, request: &Parts, body: Option<&Bytes>) -> Response {
    let Ok(origin) = dev.origins.check(&request.headers) else {
        let message = "a page of this origin may not call: name it with --allow-origin";
        let mut response = refused(&Refusal::new(StatusCode::FORBIDDEN, message));
        response.headers_mut().extend(origin::cors(None));
        return response;
    };
    // A page whose preflight is refused never sees why, so a wrong `Host` is refused afterwards.
    let mut response = if request.method == Method::OPTIONS {
        (StatusCode::NO_CONTENT, origin::preflight(&request.headers)).into_response()
    } else if !is_own_host(request, dev.listens_at) {
        let message =
            "this Host is not one of this tool: call it by localhost or an address of its own";
        refused(&Refusal::new(StatusCode::FORBIDDEN, message))
    } else {
        match answer(dev, request, body).await {
            Ok(response) => response,
            Err(refusal) => refused(&refusal),
        }
    };
    response.headers_mut().extend(origin::cors(origin.as_ref()));
    response
}

fn refused(refusal: &Refusal) -> Response {
    let Refusal { status, message } = refusal;
    let body = json!({ "code": status.as_u16(), "message": message });
    (*status, Json(body)).into_response()
}

/// A page of another site can give its own name an address of this machine; the `Host` tells them apart. Beyond
/// loopback any address may be one of this machine, and none can be the name of a site.
pub(crate) fn is_own_host(request: &Parts, listens_at: SocketAddr) -> bool {
    let host = request.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let host = host.or(request.uri.authority().map(|authority| authority.as_str()));
    let host = host.and_then(|host| format!("http://{host}").parse::<Uri>().ok());
    let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_address = bare.parse::<IpAddr>().is_ok();
    origin::is_loopback_host(host) || (is_address && !listens_at.ip().is_loopback())
}

async fn answer(dev: &Dev, request: &Parts, body: Option<&Bytes>) -> Result<Response, Refusal> {
    let path = request.uri.path();
    let segments: Vec<&str> = path.split('/').collect();
    let (app, called) = match *segments {
        [.., "api", "orgs", app, "cancel-flow", "config"] => (Some(app), Called::Config),
        [.., "api", "orgs", app, "cancel-flow", "actions", action] => {
            let is_called = |known: &BrowserAction| known.segment() == action;
            let found = BrowserAction::ALL.into_iter().find(is_called);
            (
                Some(app),
                Called::Action(found.ok_or_else(|| nothing(path))?),
            )
        }
        [.., "api", "sessions", "sdk"] => (None, Called::Session),
        _ => return Err(nothing(path)),
    };
    if request.method != Method::POST {
        let message = "every call of the browser API is a POST";
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    if let Some(app) = app {
        let app = percent_decode_str(app).decode_utf8_lossy();
        if app != dev.keys.app_id {
            return Err(caller::other_app(&dev.keys));
        }
    }
    let caller = prove(dev, &request.headers, &called)?;
    let body = body.ok_or_else(|| {
        let message = "the body has more than 256 KiB, or did not come to its end";
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    })?;
    match (called, caller) {
        (Called::Config, Some(caller)) => {
            let config = dev.config(&caller).await?;
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            Ok((no_store, Json(config)).into_response())
        }
        (Called::Action(action), Some(caller)) => {
            dev.act(&caller, action, body).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        (Called::Session, caller) => {
            dev.record(caller, read(body)?).await;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        // Proven above.
        (Called::Config | Called::Action(_), None) => Err(nothing(path)),
    }
}

/// Only a session record may come without a session token.
fn prove(dev: &Dev, headers: &HeaderMap, called: &Called) -> Result<Option<Caller>, Refusal> {
    if matches!(called, Called::Session) && !caller::has_token(headers) {
        caller::check_app(headers, &dev.keys)?;
        return Ok(None);
    }
    Caller::prove(headers, &dev.keys).map(Some)
}

fn read(body: &Bytes) -> Result<serde_json::Map<String, Value>, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not a session record: {error}");
        Refusal::new(StatusCode::BAD_REQUEST, message)
    })
}

fn nothing(path: &str) -> Refusal {
    let message = format!(
        "{path} is no path of the browser API: the component's apiBaseUrl is this tool's address and /v1"
    );
    Refusal::new(StatusCode::NOT_FOUND, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(host: &str, listens_at: &str) -> bool {
        let request = Request::builder().header(header::HOST, host);
        let (request, _) = request.body(Body::empty()).unwrap().into_parts();
        is_own_host(&request, listens_at.parse().unwrap())
    }

    #[test]
    fn a_name_is_never_its_own_and_an_address_only_where_other_machines_call() {
        let beyond = [
            "0.0.0.0:8787",
            "[::]:8787",
            "192.0.2.7:8787",
            "[2001:db8::7]:8787",
        ];
        for listens_at in beyond {
            for host in [
                "192.0.2.7:8787",
                "192.0.2.7",
                "[2001:db8::7]:8787",
                "localhost:1",
            ] {
                assert!(is_own(host, listens_at), "{host} at {listens_at}");
            }
        }
        for listens_at in ["127.0.0.1:8787", "[::1]:8787"] {
            for host in ["127.0.0.1:8787", "127.9.8.7", "[::1]:8787", "LOCALHOST:1"] {
                assert!(is_own(host, listens_at), "{host} at {listens_at}");
            }
            assert!(!is_own("192.0.2.7:8787", listens_at));
            assert!(!is_own("[2001:db8::7]:8787", listens_at));
        }
        for listens_at in beyond.into_iter().chain(["127.0.0.1:8787"]) {
            for host in [
                "evil.example",
                "192.0.2.7.evil.example:8787",
                "localhost.evil.example",
                "",
            ] {
                assert!(!is_own(host, listens_at), "{host} at {listens_at}");
            }
        }
    }
}
