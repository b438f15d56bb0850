//! The router in an actix app.

// ANCHOR: handler
use actix_web::{
    HttpRequest, HttpResponse,
    error::{ErrorBadRequest, ErrorInternalServerError},
    http::StatusCode,
    web,
};
use axum::{Router, body::Body, extract::Request};
use tower::ServiceExt;

/// Passes a request to the router, and its response back.
///
/// # Errors
/// A message that only one of the two accepts.
pub async fn churnkey(
    router: web::Data<Router>,
    request: HttpRequest,
    body: web::Bytes,
) -> actix_web::Result<HttpResponse> {
    // actix has its own version of the types, so their texts are converted.
    let mut builder = Request::builder()
        .method(request.method().as_str())
        .uri(request.uri().to_string());
    for (name, value) in request.headers() {
        builder = builder.header(name.as_str(), value.as_bytes());
    }
    let request = builder.body(Body::from(body)).map_err(ErrorBadRequest)?;

    let Ok(answer) = router.get_ref().clone().oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).map_err(ErrorInternalServerError)?;
    let mut response = HttpResponse::build(status);
    for (name, value) in &parts.headers {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    let body = axum::body::to_bytes(body, usize::MAX).await;
    Ok(response.body(body.map_err(ErrorInternalServerError)?))
}
// ANCHOR_END: handler

// ANCHOR: server
use std::{io, net::TcpListener};

use actix_web::{App, HttpServer, dev::Server};

/// An actix app with the router in it, and routes of its own.
///
/// # Errors
/// What the listener says.
pub fn server(listener: TcpListener, router: Router) -> io::Result<Server> {
    let app = move || {
        App::new()
            .app_data(web::Data::new(router.clone()))
            // More than the router's own limit, so that the router answers a body that is too large.
            .app_data(web::PayloadConfig::new(1024 * 1024))
            .route("/", web::get().to(async || "my own page"))
            .service(web::scope("/churnkey").default_service(web::to(churnkey)))
    };
    Ok(HttpServer::new(app).listen(listener)?.run())
}
// ANCHOR_END: server
