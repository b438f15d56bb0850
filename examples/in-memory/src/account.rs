//! What this merchant's own site has of Churnkey: the cancel flow for a signed-in customer, and the webhook that tells how
//! it ended.

use axum::{
    Json, Router,
    extract::{FromRef, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use churnkey_integrator::{
    ApiKey, CustomerId, InvalidSecret, Mode, Timestamp, WebhookSecret,
    cancel_flow::{Session, auth_hash, session_token},
    webhooks::{Webhook, WebhookSecrets},
};
use serde::Serialize;

use crate::store::Store;

/// What Churnkey's dashboard gives a merchant for the cancel flow and for webhooks.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The app's id, which is no secret.
    pub app_id: String,
    /// The cancel flow's key.
    pub api_key: ApiKey,
    /// The secrets of the webhook; several during a rotation.
    pub webhook_secrets: WebhookSecrets,
}

impl Keys {
    /// Public ones, for trying out.
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

/// What the page hands to Churnkey's script or React SDK.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelSession {
    app_id: String,
    customer_id: CustomerId,
    auth_hash: String,
    mode: &'static str,
    session_token: String,
}

async fn cancel_session(
    State(site): State<Site>,
    headers: HeaderMap,
) -> Result<Json<CancelSession>, StatusCode> {
    let customer = signed_in(&site.store, &headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let key = &site.keys.api_key;
    let session = Session::new(customer.clone(), Mode::Live, Timestamp::now());
    Ok(Json(CancelSession {
        auth_hash: auth_hash(key, &customer),
        session_token: session_token(&site.keys.app_id, key, &session),
        app_id: site.keys.app_id,
        customer_id: customer,
        mode: Mode::Live.as_str(),
    }))
}

/// Stands in for the site's own login, which is the one thing that must decide whose session this is: here whoever
/// names a customer in `X-Demo-Login` is believed. Never do that.
fn signed_in(store: &Store, headers: &HeaderMap) -> Option<CustomerId> {
    let id = headers.get("x-demo-login")?.to_str().ok()?;
    let id = CustomerId::new(id).ok()?;
    store
        .live
        .customers
        .by_id(&id)
        .map(|customer| customer.id().clone())
}

/// A webhook may come more than once, so what is done here should bear that. This merchant only takes note.
async fn churnkey(webhook: Webhook) -> StatusCode {
    let session = webhook.session().ok();
    let result = session.as_ref().and_then(|event| event.session().result());
    tracing::info!(event = ?webhook.event(), ?result, "Churnkey told how a session ended");
    StatusCode::OK
}
