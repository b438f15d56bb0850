//! axum with the checks of the contract, and nothing else.

use std::sync::Arc;

use axum::{
    Router,
    body::to_bytes,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::get,
};
use http::request::Parts;

use super::{App, MAX_BODY_BYTES, Mode, Refusal, Signed};

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/churnkey/customers", get(list))
        .route("/churnkey/customers/{id}", get(retrieve))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

async fn retrieve(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let answer = match verify(&app, request).await {
        Ok((mode, _)) => app.retrieve(mode, id).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(Refusal::into_response)
}

async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    let answer = match verify(&app, request).await {
        Ok((mode, request)) => app.list(mode, &request.uri).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(Refusal::into_response)
}

async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let refusal = verify(&app, request).await.err();
    refusal.unwrap_or(Refusal::NOT_FOUND).into_response()
}

async fn method_not_allowed(State(app): State<Arc<App>>, request: Request) -> Response {
    let refusal = verify(&app, request).await.err();
    refusal
        .unwrap_or(Refusal::METHOD_NOT_ALLOWED)
        .into_response()
}

async fn verify(app: &App, request: Request) -> Result<(Mode, Parts), Refusal> {
    let (request, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|_| Refusal::TOO_LARGE)?;
    let mode = app.verify(&Signed {
        method: &request.method,
        uri: &request.uri,
        headers: &request.headers,
        body: &body,
    })?;
    Ok((mode, request))
}
