//! Merchants whose integration is good, but whose gateway in front of it is not: only the suite at the URL sees that.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{OriginalUri, Request},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::Response,
};
use churnkey_conformance::{Client, Report, Rule, check};
use churnkey_integrator::Integration;
use in_memory::store::Store;
use serde_json::{Value, json};

use super::broken_merchants;
use crate::{
    merchants::{billing_fixtures, billing_store, demo_fixtures, in_memory_store, token},
    socket::Server,
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    AddsTheToken,
    ForgetsTheMode,
    DropsIdempotencyKeys,
    ReadsAPlusAsABlank,
    RenumbersBadRequests,
    ExplainsErrorsInHtml,
    ConfirmsActionsInJson,
    ManifestOfAnOldRelease,
    ManifestWithoutPause,
    ManifestWithoutALookUp,
    ManifestOfOneSchedule,
    ManifestOfACouponsController,
    ManifestWithoutFamilies,
    CountriesInWords,
    EmptyPageInTheMiddle,
}

async fn gateway(fault: Fault, mut request: Request, next: Next) -> Response {
    let is_manifest = request.uri().path().ends_with("/features");
    let is_action = request.method() == http::Method::POST;
    let query = request.uri().query().unwrap_or_default();
    let is_second_page =
        request.uri().path().ends_with("/customers") && query.contains("limit=2&cursor");
    if fault == Fault::ReadsAPlusAsABlank {
        let uri = request.uri().to_string().replace('+', "%20");
        let as_sent = OriginalUri(uri.parse().unwrap());
        request.extensions_mut().insert(as_sent);
    }
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
        // A column that the checkout of long ago filled.
        Fault::CountriesInWords if status == 200 => {
            rewritten(response, |body| {
                body.replace("\"country\":\"GB\"", "\"country\":\"United Kingdom\"")
            })
            .await
        }
        // Rows are left out after the page was read.
        Fault::EmptyPageInTheMiddle if is_second_page && status == 200 => {
            rewritten(response, |body| {
                let mut page: Value = serde_json::from_str(&body).unwrap();
                if page.get("next").is_some() {
                    page["data"] = json!([]);
                }
                page.to_string()
            })
            .await
        }
        _ if is_manifest && status == 200 => {
            rewritten(response, |body| {
                let mut manifest: Value = serde_json::from_str(&body).unwrap();
                rewrite(fault, &mut manifest);
                manifest.to_string()
            })
            .await
        }
        _ => response,
    }
}

/// The same answer with another body.
async fn rewritten(response: Response, rewrite: impl FnOnce(String) -> String) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let body = rewrite(String::from_utf8(bytes.to_vec()).unwrap());
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
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
        Fault::ManifestOfACouponsController => {
            manifest["controllers"]["coupons"] = json!({ "retrieve": true, "list": true });
        }
        Fault::ManifestWithoutFamilies => {
            let controllers = manifest["controllers"].as_object_mut().unwrap();
            controllers.remove("families");
        }
        _ => {}
    }
}

async fn report_on(fault: Fault) -> Report {
    let store = match fault {
        Fault::ManifestOfACouponsController | Fault::ManifestWithoutFamilies => in_memory_store(),
        _ => billing_store(),
    };
    let (integration, fixtures) = match fault {
        Fault::ManifestOfACouponsController => (without_coupons(store), demo_fixtures()),
        // No family is known, so that a look-up finds none in any case.
        Fault::ManifestWithoutFamilies => {
            (of_families(store), demo_fixtures().coupon("coupon_stay20"))
        }
        _ => {
            let integration = in_memory::churnkey::integration(&store, token());
            (integration.unwrap(), billing_fixtures(&store))
        }
    };
    let app = Router::new()
        .merge(integration.into_router())
        .layer(from_fn(move |request, next| gateway(fault, request, next)));
    let server = Server::start(app, &token()).await;
    check(&Client::at(&server.url(), token()).unwrap(), &fixtures)
        .await
        .unwrap()
}

fn without_coupons(store: Store) -> Integration {
    let builder = Integration::builder("Broken", token()).customers(store);
    builder.build().unwrap()
}

fn of_families(store: Store) -> Integration {
    let builder = Integration::builder("Broken", token()).customers(store.clone());
    let builder = builder.coupons(store.clone());
    builder.families(store).build().unwrap()
}

/// What a 400 that comes as another status breaks.
const RENUMBERED: [&str; 6] = [
    "bad-body: apply_coupon cancel cancel_all change_price extend_trial pause pause_all",
    "foreign-cursor: coupons.list customers.list families.list prices.list products.list subscriptions.list",
    "limit-bounds: coupons.list customers.list families.list prices.list products.list subscriptions.list",
    "odd-input: coupons.retrieve customers.find_by_email customers.find_by_phone customers.retrieve families.retrieve prices.retrieve products.retrieve subscriptions.list subscriptions.retrieve",
    "rejected: apply_coupon change_price extend_trial pause pause_all",
    "unknown-mode: apply_coupon cancel cancel_all change_price coupons.list coupons.retrieve customers.find_by_email customers.find_by_phone customers.list customers.retrieve extend_trial families.list families.retrieve features pause pause_all prices.list prices.retrieve products.list products.retrieve subscriptions.list subscriptions.retrieve",
];

broken_merchants! {
    a_gateway_that_lets_everybody_in: AddsTheToken breaks Unauthorized,
        "customers.retrieve broke unauthorized (contract, section 2.2): expected 401 {\"code\":401,\"message\":\"Unauthorized\"} without a credential; got 200; this costs publishing the integration: whoever finds it could call it",
        in [
            "repeat-changes-nothing: extend_trial",
            "unauthorized: apply_coupon cancel cancel_all change_price coupons.list coupons.retrieve \
             customers.find_by_email customers.find_by_phone customers.list customers.retrieve extend_trial \
             families.list families.retrieve features pause pause_all prices.list prices.retrieve products.list \
             products.retrieve subscriptions.list subscriptions.retrieve",
        ];
    a_gateway_that_forgets_the_mode: ForgetsTheMode breaks UnknownMode, "expected 400 for the mode staging; got 401: Unauthorized; this costs test mode",
        in [
            "foreign-cursor: coupons.list customers.list families.list prices.list products.list subscriptions.list",
            "found: customers.retrieve",
            "modes-apart: apply_coupon cancel cancel_all change_price coupons.retrieve customers.find_by_email \
             customers.find_by_phone customers.retrieve extend_trial families.retrieve pause pause_all \
             prices.retrieve products.retrieve subscriptions.retrieve",
            "page-within-limit: coupons.list customers.list families.list prices.list products.list \
             subscriptions.list",
            "unknown-mode: apply_coupon cancel cancel_all change_price coupons.list coupons.retrieve \
             customers.find_by_email customers.find_by_phone customers.list customers.retrieve extend_trial \
             families.list families.retrieve features pause pause_all prices.list prices.retrieve products.list \
             products.retrieve subscriptions.list subscriptions.retrieve",
        ];
    a_gateway_that_drops_idempotency_keys: DropsIdempotencyKeys breaks IdempotencyKey, "expected 422 for an Idempotency-Key that was used for another body; got 200",
        in ["idempotency-key: apply_coupon cancel cancel_all change_price extend_trial pause pause_all"];
    a_gateway_that_reads_a_plus_as_a_blank: ReadsAPlusAsABlank breaks Found, "expected 200 and the customer cus_zoe for a plus in the path that is not percent-encoded; got 401: Unauthorized",
        in ["found: customers.find_by_email customers.find_by_phone"];
    a_gateway_that_renumbers_bad_bodies: RenumbersBadRequests breaks BadBody, "pause broke bad-body (contract, section 5.2): expected 400 for a body without duration; got 422: duration is missing",
        in RENUMBERED;
    a_gateway_that_renumbers_bad_limits: RenumbersBadRequests breaks LimitBounds, "customers.list broke limit-bounds (contract, section 2.5): expected 400 for limit=0; got 422",
        in RENUMBERED;
    a_gateway_that_renumbers_bad_cursors: RenumbersBadRequests breaks ForeignCursor, "expected 400 for a damaged cursor; got 422: Invalid cursor",
        in RENUMBERED;
    a_gateway_that_explains_errors_in_html: ExplainsErrorsInHtml breaks Missing, "expected the contract's shape; got an answer 404 without `content-type: application/json`",
        in [
            "missing: apply_coupon cancel cancel_all change_price coupons.retrieve customers.find_by_email \
             customers.find_by_phone customers.retrieve extend_trial families.retrieve pause pause_all \
             prices.retrieve products.retrieve subscriptions.retrieve",
        ];
    a_gateway_that_confirms_actions_in_json: ConfirmsActionsInJson breaks ActionDone,
        "cancel broke action-done (contract, section 5.1): expected 200 with an empty body for what can be done to the subscription sub_ada_pro; got an answer 200 to an action with a body",
        in ["action-done: apply_coupon cancel cancel_all change_price extend_trial pause pause_all"];
    a_manifest_of_an_old_release: ManifestOfAnOldRelease breaks DeclaredType, "prices.list broke declared-type (contract, section 4): expected price_pro_month to be of the type \"standalone\", as the manifest declares; got \"product\"",
        in ["declared-type: prices.list prices.retrieve"];
    a_manifest_without_an_action: ManifestWithoutPause breaks ManifestMatchesRoutes, "pause broke manifest-matches-routes (contract, section 2.3): expected 404 for what the manifest does not list; got 400",
        in ["manifest-matches-routes: pause pause_all"];
    a_manifest_without_a_look_up: ManifestWithoutALookUp breaks ManifestMatchesRoutes, "customers.find_by_phone broke manifest-matches-routes (contract, section 2.3): expected 404 for what the manifest does not list; got 200",
        in ["manifest-matches-routes: customers.find_by_phone"];
    a_manifest_of_a_controller_that_is_not_there: ManifestOfACouponsController breaks ManifestMatchesRoutes, "coupons.list broke manifest-matches-routes (contract, section 2.3): expected another answer than 404 for what the manifest lists; got 404: Not Found",
        in [
            "fixture-given: coupons.retrieve",
            "manifest-matches-routes: coupons.list coupons.retrieve",
            "page-within-limit: coupons.list",
            "reference-resolves: customers.list",
        ];
    a_manifest_without_a_controller_whose_records_are_not_known: ManifestWithoutFamilies breaks ManifestMatchesRoutes, "families.retrieve broke manifest-matches-routes (contract, section 2.3): expected 404 for what the manifest does not list; got 405",
        in ["manifest-matches-routes: families.list families.retrieve"];
    a_country_in_words: CountriesInWords breaks WellFormed,
        "customers.list broke well-formed (contract, section 3.1): expected the customer cus_ada in the shape of its model; got addresses[0].country: `country` is not a valid ISO 3166-1 alpha-2 code: use one like GB; this costs segments and campaigns over all customers",
        in [
            "found: customers.retrieve",
            "well-formed: customers.list",
        ];
    an_empty_page_in_the_middle: EmptyPageInTheMiddle breaks NoEmptyPage,
        "customers.list broke no-empty-page (contract, section 2.5): expected some of the customers on every page that has a next; got an empty page 2 with a next",
        in ["each-record-once: customers.list", "no-empty-page: customers.list"];
    a_manifest_of_one_schedule_too_few: ManifestOfOneSchedule breaks OutsideFeatures, "cancel broke outside-features (contract, section 5.1): expected 400 for a scheduledAt that the manifest does not declare; got 404",
        in ["outside-features: cancel cancel_all"];
}
