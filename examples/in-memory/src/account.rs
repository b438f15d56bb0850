//! The merchant's own site: the cancel flow of a signed-in customer, and the webhook that says how it ended.

use axum::{
    Json, Router,
    extract::{FromRef, Query, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use churnkey_integrator::{
    ApiKey, CustomerId, InvalidSecret, Mode, SubscriptionId, Timestamp, WebhookSecret,
    cancel_flow::{Session, auth_hash, session_token},
    webhooks::{Webhook, WebhookSecrets},
};
use serde::{Deserialize, Serialize};

use crate::store::Store;

/// What a merchant copies from Churnkey's dashboard for the cancel flow and webhooks.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The app's id, which is not secret.
    pub app_id: String,
    /// The key of the cancel flow.
    pub api_key: ApiKey,
    /// The secrets of the webhook; several during a rotation.
    pub webhook_secrets: WebhookSecrets,
}

impl Keys {
    /// Public values, for trying out.
    ///
    /// # Errors
    /// Never.
    pub fn demo() -> Result<Self, InvalidSecret> {
        Ok(Self {
            app_id: "demo-app".to_owned(),
            api_key: ApiKey::new("ck-demo-api-key")?,
            webhook_secrets: WebhookSecrets::new(WebhookSecret::new("ck-demo-webhook-secret")?),
        })
    }
}

#[derive(Clone)]
struct Site {
    store: Store,
    keys: Keys,
}

impl FromRef<Site> for WebhookSecrets {
    fn from_ref(site: &Site) -> Self {
        site.keys.webhook_secrets.clone()
    }
}

/// `GET /account/cancel-session` and `POST /webhooks/churnkey`.
pub fn routes(store: Store, keys: Keys) -> Router {
    Router::new()
        .route("/account/cancel-session", get(cancel_session))
        .route("/webhooks/churnkey", post(churnkey))
        .with_state(Site { store, keys })
}

/// What the page passes to Churnkey's script or React SDK.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelSession {
    app_id: String,
    customer_id: CustomerId,
    auth_hash: String,
    mode: &'static str,
    session_token: String,
}

/// Which subscription the session is for; a customer with one needs none.
#[derive(Deserialize)]
struct Wanted {
    subscription: Option<SubscriptionId>,
}

async fn cancel_session(
    State(site): State<Site>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Json<CancelSession>, StatusCode> {
    let customer = signed_in(&site.store, &headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let key = &site.keys.api_key;
    let session = Session::new(customer.clone(), Mode::Live, Timestamp::now());
    let session = session.with_subscription(wanted.subscription);
    Ok(Json(CancelSession {
        auth_hash: auth_hash(key, &customer),
        session_token: session_token(&site.keys.app_id, key, &session),
        app_id: site.keys.app_id,
        customer_id: customer,
        mode: Mode::Live.as_str(),
    }))
}

/// A placeholder for the site's own login, which alone must decide whose session this is. Here everybody who names a customer in
/// `X-Demo-Login` is believed. Never do that.
fn signed_in(store: &Store, headers: &HeaderMap) -> Option<CustomerId> {
    let id = headers.get("x-demo-login")?.to_str().ok()?;
    let id = CustomerId::new(id).ok()?;
    store
        .live
        .customers
        .by_id(&id)
        .map(|customer| customer.id().clone())
}

/// A webhook may come more than once, so the handling should be idempotent. This merchant only logs it.
async fn churnkey(webhook: Webhook) -> StatusCode {
    let session = webhook.session().ok();
    let result = session.as_ref().and_then(|event| event.session().result());
    tracing::info!(event = ?webhook.event(), ?result, "Churnkey reported the end of a session");
    StatusCode::OK
}
