//! Merchants whose integration is good, but whose gateway in front of it is not: only the suite at the URL sees that.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::Response,
};
use churnkey_integrator::testing::{Report, conformance::Rule, conformance_at};
use serde_json::Value;

use super::broken_merchants;
use crate::{
    merchants::{billing_fixtures, in_memory_store, token},
    socket::Server,
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    AddsTheToken,
    ForgetsTheMode,
    DropsIdempotencyKeys,
    RenumbersBadRequests,
    ExplainsErrorsInHtml,
    ConfirmsActionsInJson,
    ManifestOfAnOldRelease,
    ManifestWithoutPause,
    ManifestWithoutALookUp,
    ManifestOfOneSchedule,
}

async fn gateway(fault: Fault, mut request: Request, next: Next) -> Response {
    let is_manifest = request.uri().path().ends_with("/features");
    let is_action = request.method() == http::Method::POST;
    let headers = request.headers_mut();
    match fault {
        // So that its own pages can call the integration.
        Fault::AddsTheToken => {
            headers.remove("x-churnkey-signature");
            let token = HeaderValue::from_static("Bearer ck-demo-integration-token-0001");
            headers.insert(header::AUTHORIZATION, token);
        }
        Fault::ForgetsTheMode => drop(headers.remove("x-churnkey-mode")),
        Fault::DropsIdempotencyKeys => drop(headers.remove("idempotency-key")),
        _ => {}
    }
    let mut response = next.run(request).await;
    let status = response.status();
    match fault {
        Fault::RenumbersBadRequests if status == 400 => {
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            response
        }
        Fault::ExplainsErrorsInHtml if status == 404 => {
            let mut page = Response::new(Body::from("<h1>Oops</h1>"));
            *page.status_mut() = status;
            page
        }
        Fault::ConfirmsActionsInJson if is_action && status == 200 => {
            Response::new(Body::from("{\"ok\":true}"))
        }
        _ if is_manifest && status == 200 => {
            let (mut parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            let mut manifest: Value = serde_json::from_slice(&bytes).unwrap();
            rewrite(fault, &mut manifest);
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(manifest.to_string()))
        }
        _ => response,
    }
}

/// What a manifest says that was written by hand.
fn rewrite(fault: Fault, manifest: &mut Value) {
    match fault {
        Fault::ManifestOfAnOldRelease => {
            manifest["controllers"]["prices"]["type"] = "standalone".into();
        }
        Fault::ManifestWithoutPause => {
            manifest["actions"].as_object_mut().unwrap().remove("pause");
        }
        Fault::ManifestWithoutALookUp => {
            manifest["controllers"]["customers"]["findByPhone"] = false.into();
        }
        Fault::ManifestOfOneSchedule => {
            manifest["actions"]["cancel"]["schedules"]["end-of-period"] = false.into();
        }
        _ => {}
    }
}

async fn report_on(fault: Fault) -> Report {
    let integration = in_memory::churnkey::integration(&in_memory_store(), token()).unwrap();
    let app = Router::new()
        .merge(integration.into_router())
        .layer(from_fn(move |request, next| gateway(fault, request, next)));
    let server = Server::start(app, &token()).await;
    conformance_at(&server.url(), token(), &billing_fixtures())
        .await
        .unwrap()
}

broken_merchants! {
    a_gateway_that_lets_everybody_in: AddsTheToken breaks Unauthorized,
        "customers.retrieve broke unauthorized (contract, section 2.2): expected 401 {\"code\":401,\"message\":\"Unauthorized\"} without a credential; got 200; this costs publishing the integration: whoever finds it could call it";
    a_gateway_that_forgets_the_mode: ForgetsTheMode breaks UnknownMode, "expected 400 for the mode staging; got 401: Unauthorized; this costs test mode";
    a_gateway_that_drops_idempotency_keys: DropsIdempotencyKeys breaks IdempotencyKey, "expected 422 for an Idempotency-Key that was used for another body; got 200";
    a_gateway_that_renumbers_bad_bodies: RenumbersBadRequests breaks BadBody, "pause broke bad-body (contract, section 5.2): expected 400 for a body without duration; got 422: duration is missing";
    a_gateway_that_renumbers_bad_limits: RenumbersBadRequests breaks LimitBounds, "customers.list broke limit-bounds (contract, section 2.5): expected 400 for limit=0; got 422";
    a_gateway_that_renumbers_bad_cursors: RenumbersBadRequests breaks ForeignCursor, "expected 400 for a damaged cursor; got 422: Invalid cursor";
    a_gateway_that_explains_errors_in_html: ExplainsErrorsInHtml breaks Missing, "expected the contract's shape; got an answer 404 without `content-type: application/json`";
    a_gateway_that_confirms_actions_in_json: ConfirmsActionsInJson breaks ActionDone, "cancel broke action-done (contract, section 5.1): expected 200 with an empty body for what can be done; got an answer 200 without `cache-control: no-store`";
    a_manifest_of_an_old_release: ManifestOfAnOldRelease breaks DeclaredType, "prices.list broke declared-type (contract, section 4): expected price_pro_month to be of the type \"standalone\", as the manifest declares; got \"product\"";
    a_manifest_without_an_action: ManifestWithoutPause breaks ManifestMatchesRoutes, "pause broke manifest-matches-routes (contract, section 2.3): expected 404 for what the manifest does not list; got 400";
    a_manifest_without_a_look_up: ManifestWithoutALookUp breaks ManifestMatchesRoutes, "customers.find_by_phone broke manifest-matches-routes (contract, section 2.3): expected 404 for what the manifest does not list; got 200";
    a_manifest_of_one_schedule_too_few: ManifestOfOneSchedule breaks OutsideFeatures, "cancel broke outside-features (contract, section 5.1): expected 400 for a scheduledAt that the manifest does not declare; got 404";
}
