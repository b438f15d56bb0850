//! The helpdesk's own HTTP API, `/api/v2/customer`. This file routes a call to its endpoint.
//!
//! It checks the key, then path and method, then the key's permission, then the body. So a caller without permission learns nothing
//! from errors.

mod answer;
mod body;
mod create;
mod endpoint;
mod form;
mod identify;
mod read;
mod remove;
mod sync;
mod timeline;
mod update;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing::{any, get},
};
use example_app::{Clock, in_time};

use self::{
    answer::{Refused, Result},
    endpoint::{Endpoint, find},
    form::Form,
};
use crate::{
    crm::Crm,
    store::{Permissions, Store, stamp},
};

const ROOT: &str = "/api/v2/customer";

/// The state of the API.
#[derive(Debug, Clone)]
pub struct Api {
    /// The store.
    pub store: Store,
    /// The clock of the data.
    pub clock: Clock,
    /// The client for the brands' own customer databases.
    pub crm: Crm,
}

impl Api {
    /// The routes of the API, a greeting, and errors for everything else.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/", get(|| async { "Omnidesk's customers.\n" }))
            .route(ROOT, any(call))
            .route(&format!("{ROOT}/{{*path}}"), any(call))
            .fallback(|| async { Refused::no_such_path() })
            .method_not_allowed_fallback(|| async { Refused::wrong_method("GET, HEAD") })
            .layer(middleware::from_fn(async |request: Request, next: Next| {
                in_time(next.run(request), Refused::too_slow()).await
            }))
            .with_state(self)
    }

    fn now(&self) -> String {
        stamp(self.clock.now())
    }

    async fn permissions(&self, headers: &HeaderMap, query: Option<&Form>) -> Result<Permissions> {
        let header = headers.get("apikey").map(|key| key.to_str().unwrap_or(""));
        let key = header.or_else(|| query?.sent("apiKey"));
        let found = match key {
            Some(key) => self.store.permissions(key).await?,
            None => None,
        };
        found.ok_or_else(|| Refused::new(StatusCode::UNAUTHORIZED, "A valid apiKey is required."))
    }
}

async fn call(State(api): State<Api>, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let query = Form::from_query(parts.uri.query().unwrap_or_default());
    let permissions = api.permissions(&parts.headers, query.as_ref().ok()).await?;
    let path = parts.uri.path().strip_prefix(ROOT).unwrap_or_default();
    let endpoint = find(&parts.method, path)?;
    if !endpoint.is_open_to(permissions) {
        let message = "This apiKey lacks the permission that is needed here.";
        return Err(Refused::new(StatusCode::FORBIDDEN, message));
    }
    serve(&api, endpoint, &query?, &parts, body).await
}

async fn serve(
    api: &Api,
    endpoint: Endpoint,
    query: &Form,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    let form = async || body::read(&parts.headers, body).await;
    match endpoint {
        Endpoint::Index => read::index(api, query).await,
        Endpoint::Item(id) => read::item(api, id).await,
        Endpoint::SearchByExternalId => read::search_by_external_id(api, &form().await?).await,
        Endpoint::SearchByAddress => read::search_by_address(api, &form().await?).await,
        Endpoint::Timeline => timeline::timeline(api, query).await,
        Endpoint::Create => create::find_or_create(api, &form().await?).await,
        Endpoint::CreateStrictly => create::create_strictly(api, &form().await?).await,
        Endpoint::UpdateNamed => update::named(api, &form().await?).await,
        Endpoint::UpdateItem(id) => update::item(api, id, &form().await?).await,
        Endpoint::UpdateByExternalId => update::by_external_id(api, &form().await?).await,
        Endpoint::AddChannel => update::add_channel(api, &form().await?).await,
        Endpoint::DeleteItem(id) => remove::item(api, id).await,
        Endpoint::DeleteChannel(id) => remove::channel(api, id).await,
        Endpoint::Purge(id) => remove::purge(api, id).await,
        Endpoint::PurgeNamed => remove::purge_named(api, query, &form().await?).await,
        Endpoint::AddEvent => timeline::add_event(api, &form().await?).await,
        Endpoint::SyncWithCrm => sync::sync_with_crm(api, &form().await?).await,
    }
}
