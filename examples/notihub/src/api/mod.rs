//! Notihub's own HTTP API. Every answer is JSON, also errors and deletions, because the SDK parses them all.

mod authenticate;
mod body;
mod contacts;
mod customers;
mod error;
mod fields;
mod preferences;
mod token;

use std::convert::Infallible;

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request},
    http::{Uri, request::Parts, uri::PathAndQuery},
    middleware::{self, Next},
    response::Response,
    routing::{get, post, put},
};
use example_app::in_time;
use tower::{Service, ServiceExt};

use crate::store::Store;
use error::Error;

/// The API. It answers every path that the rest of the app does not serve.
pub fn service(
    store: Store,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let routes = Router::new()
        .route("/customers", post(customers::create).get(customers::list))
        .route(
            "/customers/{id}",
            get(customers::retrieve)
                .put(customers::update)
                .delete(customers::delete),
        )
        .route(
            "/customers/{id}/contacts",
            post(contacts::create).put(contacts::update_named_in_body),
        )
        .route(
            "/customers/{id}/contacts/{contact}",
            put(contacts::update).delete(contacts::delete),
        )
        .route(
            "/customers/{id}/preferences",
            post(preferences::set).get(preferences::list),
        )
        .fallback(async || Error::UnknownPath)
        .method_not_allowed_fallback(async || Error::WrongMethod)
        // Around all routes. So a caller without a token does not learn which paths there are.
        .layer(middleware::from_fn_with_state(
            store.clone(),
            authenticate::environment,
        ));
    let token = post(token::issue).fallback(async || Error::WrongMethod);
    let routes = routes.route("/token", token).with_state(store);
    routes
        .layer(middleware::from_fn(async |request: Request, next: Next| {
            in_time(next.run(request), Error::TooSlow).await
        }))
        .map_request(tidy)
}

/// A slash at the end is optional, and repeated slashes count as one (N3). The SDK sends `https://host//customers/`.
fn tidy(mut request: Request) -> Request {
    let uri = request.uri();
    let segments = uri.path().split('/').filter(|segment| !segment.is_empty());
    let mut tidied: String = segments.flat_map(|segment| ["/", segment]).collect();
    if tidied.is_empty() {
        tidied.push('/');
    }
    if let Some(query) = uri.query() {
        tidied.push('?');
        tidied.push_str(query);
    }
    if let Ok(tidied) = PathAndQuery::try_from(tidied) {
        *request.uri_mut() = Uri::from(tidied);
    }
    request
}

/// The ids in a path. A value that can't be an id, such as bytes that are not UTF-8, is read as empty.
struct Ids {
    customer: String,
    contact: String,
}

impl Ids {
    /// The contact's id, if it may be one.
    fn contact(&self) -> Option<i64> {
        self.contact.parse().ok()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let named = |name| {
            let mut params = params.iter().flatten();
            let found = params.find(|(key, _)| *key == name);
            found.map_or_else(String::new, |(_, value)| value.to_owned())
        };
        Ok(Self {
            customer: named("id"),
            contact: named("contact"),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn slashes_are_tidied_and_nothing_else() {
        for (sent, tidied) in [
            ("//customers//", "/customers"),
            (
                "/customers/a%2Fb/?limit=1&x=//",
                "/customers/a%2Fb?limit=1&x=//",
            ),
            ("//", "/"),
            ("/customers/../token", "/customers/../token"),
        ] {
            let request = Request::builder().uri(sent).body(Body::empty()).unwrap();
            assert_eq!(tidy(request).uri(), tidied);
        }
    }
}
