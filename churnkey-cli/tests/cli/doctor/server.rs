//! The server has other settings than the caller, or it fails.

use std::{
    io,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::map_response,
    response::Response,
};
use churnkey_integrator::{
    CustomerId, CustomersController, Integration, IntegrationBuilder, IntegrationToken, Page,
    PageRequest, RequestContext, Result, Timestamp, controller, diagnose::Cause, model::Customer,
};
use tower::{ServiceExt, service_fn};

use super::{
    not_ours,
    setup::{Setup, direct, merchant, serving},
};
use crate::{
    merchants::{in_memory_store, token},
    tool::TOKEN,
};

pub(super) const OTHER_TOKEN: &str = "ck-another-integration-token-0002";
const HOUR: i64 = 60 * 60;

/// The caller has another token than the server.
fn with_another_token() -> Setup {
    direct().env("CK_INTEGRATION_TOKEN", OTHER_TOKEN)
}

/// The example with a clock that differs by so many seconds, and so does the `Date` of its answers.
pub(super) fn off_by(seconds: i64) -> Router {
    off_by_with(seconds, |builder| builder)
}

fn off_by_with(
    seconds: i64,
    more: impl FnOnce(IntegrationBuilder) -> IntegrationBuilder,
) -> Router {
    let now = move || {
        let now = Timestamp::now().unix_seconds();
        Timestamp::from_unix_seconds(now + seconds).unwrap()
    };
    let app = merchant(|builder| more(builder.clock(now)));
    app.layer(map_response(move |mut response: Response| {
        let date =
            SystemTime::UNIX_EPOCH + Duration::from_secs(now().unix_seconds().unsigned_abs());
        let date = HeaderValue::from_str(&httpdate::fmt_http_date(date)).unwrap();
        response.headers_mut().insert(header::DATE, date);
        async { response }
    }))
}

/// Live data and test data have a token each.
fn with_a_token_for_each_mode() -> Router {
    let other = IntegrationToken::new(OTHER_TOKEN).unwrap();
    let [live, test] = [token(), other].map(|token| {
        let integration = in_memory::churnkey::integration(&in_memory_store(), token).unwrap();
        Router::<()>::new().merge(integration.into_router())
    });
    Router::new().fallback_service(service_fn(move |request: Request| {
        let mode = request.headers().get("x-churnkey-mode");
        let app = match mode.is_some_and(|mode| mode == "test") {
            true => &test,
            false => &live,
        };
        app.clone().oneshot(request)
    }))
}

/// A merchant whose database is away.
struct Down;

#[controller]
impl CustomersController for Down {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Err(io::Error::other("the database is away").into())
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        Err(io::Error::other("the database is away").into())
    }
}

fn down() -> Router {
    let integration = Integration::builder("Acme", token()).customers(Down);
    Router::new().merge(integration.build().unwrap().into_router())
}

sabotages! {
    WrongToken the_token_is_another: with_another_token();
    TokenWhitespace the_server_has_a_line_feed_behind_the_token:
        serving(not_ours::integration("/churnkey", &format!("{TOKEN}\n")));
    TokenWhitespace the_server_has_a_line_end_of_windows_behind_the_token:
        serving(not_ours::integration("/churnkey", &format!("{TOKEN}\r\n")));
    TokenWhitespace the_server_has_a_blank_behind_the_token:
        serving(not_ours::integration("/churnkey", &format!("{TOKEN} ")));
    TokenWhitespace the_server_has_a_blank_in_front_of_the_token:
        serving(not_ours::integration("/churnkey", &format!(" {TOKEN}")));
    OtherMode the_token_is_that_of_live_mode:
        serving(with_a_token_for_each_mode()).with(&["--mode", "test"]);
    OtherMode the_token_is_that_of_test_mode:
        serving(with_a_token_for_each_mode()).env("CK_INTEGRATION_TOKEN", OTHER_TOKEN);
    ReplacedToken the_server_has_the_replaced_token:
        with_another_token().env("OLD_TOKEN", TOKEN).with(&["--old-token-env", "OLD_TOKEN"]);
    ServerError the_database_is_away: serving(down());
    AuthorizationDropped only_signed_requests_are_accepted:
        serving(merchant(|builder| builder.require_signature()));
    ClockOffset the_clock_is_ahead: serving(off_by(HOUR));
    ClockOffset the_clock_is_behind: serving(off_by(-HOUR));
    ClockOffset the_server_allows_less_than_its_clock_is_off:
        serving(off_by_with(60, |builder| builder.tolerance(Duration::from_secs(30))));
    ClockOffset the_clock_is_ahead_and_the_date_is_that_of_nginx:
        serving(off_by(HOUR)).behind("location / { proxy_pass http://127.0.0.1:3000; }");
    ClockOffset the_clock_is_a_day_behind_and_the_date_is_that_of_nginx:
        serving(off_by(-24 * HOUR)).behind("location / { proxy_pass http://127.0.0.1:3000; }");
}

#[test]
fn more_can_be_tried_than_requests_may_be_sent() {
    serving(not_ours::without_manifest(TOKEN))
        .with(&["--try-prefix", "/a", "--try-prefix", "/b"])
        .with(&["--try-prefix", "/c", "--try-prefix", "/d"])
        .env("CK_INTEGRATION_TOKEN", OTHER_TOKEN)
        .is(Cause::WrongToken);
}

#[test]
fn the_offset_is_positive_if_the_server_is_ahead() {
    for offset in [HOUR, -HOUR] {
        let said = serving(off_by(offset)).is(Cause::ClockOffset);
        let seen = said["clock_offset_seconds"].as_i64().unwrap();
        assert!((seen - offset).abs() <= 5, "{said:#}");
    }
}

#[test]
fn a_plain_token_that_is_refused_has_two_explanations() {
    let said =
        serving(merchant(|builder| builder.require_signature())).is(Cause::AuthorizationDropped);
    let detail = said["cause"]["detail"].as_str().unwrap();
    assert!(detail.contains("Authorization"), "{detail}");
    assert!(detail.contains("signed requests only"), "{detail}");
}
