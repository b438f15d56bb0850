//! What differs from the example without being wrong.

use axum::{
    http::{HeaderValue, Version, header},
    middleware::map_response,
    response::Response,
};

use super::{
    certificates::{Authority, NAME, valid},
    not_ours,
    server::off_by,
    setup::{at, direct, limited, merchant, serving},
};
use crate::{merchants, tool::TOKEN};

/// As it is written in the guide.
const HONEST: &str =
    "location /churnkey/ { proxy_pass http://127.0.0.1:3000; proxy_set_header Host $host; }";

#[test]
fn the_examples_are_healthy() {
    merchants::each(|server| at(server.address()).is_healthy());
}

#[test]
fn another_way_to_write_the_url_is_healthy() {
    direct().under("/churnkey/").is_healthy();
    direct().named("localhost").is_healthy();
}

#[test]
fn test_mode_is_healthy() {
    direct().with(&["--mode", "test"]).is_healthy();
}

#[test]
fn an_integration_behind_nginx_is_healthy() {
    direct().behind(HONEST).is_healthy();
}

#[test]
fn an_nginx_that_strips_the_external_prefix_is_healthy() {
    serving(merchant(|builder| builder.external_prefix("/api")))
        .behind_nginx(
            "map $request_uri $without_api { ~^/api(?<rest>/.*)$ $rest; }\n\
             server { listen 8080; location /api/ { proxy_pass http://127.0.0.1:3000$without_api; } }",
        )
        .under("/api/churnkey")
        .is_healthy();
}

#[test]
fn another_prefix_is_healthy() {
    let app = merchant(|builder| builder.prefix("/billing/retention"));
    serving(app).under("/billing/retention").is_healthy();
    serving(not_ours::integration("", TOKEN))
        .under("")
        .is_healthy();
}

#[test]
fn an_integration_that_is_not_ours_is_healthy() {
    serving(not_ours::integration("/churnkey", TOKEN)).is_healthy();
}

#[test]
fn an_integration_without_a_manifest_is_healthy() {
    serving(not_ours::without_manifest(TOKEN)).is_healthy();
}

#[test]
fn a_trusted_certificate_is_healthy() {
    let authority = Authority::new("Acme");
    let setup = authority.serves(NAME, valid);
    setup.with(&["--ca", &authority.file()]).is_healthy();
}

#[test]
fn http_2_is_healthy() {
    let authority = Authority::new("Acme");
    let setup = authority.serves_with("ssl http2", NAME, valid);
    let setup = setup.with(&["--ca", &authority.file()]);
    assert!(setup.call().stderr.contains(" -> 200 HTTP/2.0, "));
    setup.is_healthy();
}

#[test]
fn an_integration_without_test_data_is_healthy() {
    serving(merchant(|builder| builder.live_only())).is_healthy();
}

#[test]
fn a_limit_of_requests_is_healthy() {
    let limited = limited("rate=2r/s", "burst=6");
    direct().behind_nginx(&limited).is_healthy();
    // As nginx answers unless set otherwise.
    let limited = limited.replace("limit_req_status 429;", "");
    direct().behind_nginx(&limited).is_healthy();
}

#[test]
fn a_small_offset_of_the_clock_is_healthy() {
    for offset in [200, -200] {
        serving(off_by(offset)).is_healthy();
    }
}

#[test]
fn a_connection_for_each_request_is_healthy() {
    direct()
        .behind(&format!("keepalive_timeout 0; {HONEST}"))
        .is_healthy();
}

#[test]
fn compressed_answers_are_healthy() {
    let compressing = format!(
        "gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_http_version 1.0; {HONEST}"
    );
    direct().behind(&compressing).is_healthy();
    // Whether the caller asked for it or not.
    let unasked = direct().behind(&compressing).behind(
        "location / { proxy_pass http://127.0.0.1:3000; proxy_set_header Accept-Encoding gzip; }",
    );
    let text = &unasked.call().json()["answers"][0]["text"];
    assert!(text.as_str().unwrap().starts_with('\u{1f}'), "{text}");
    unasked.is_healthy();
}

#[test]
fn http_1_0_is_healthy() {
    // nginx asks what is behind it by HTTP/1.0.
    direct()
        .behind("proxy_http_version 1.0; location / { proxy_pass http://127.0.0.1:3000; }")
        .is_healthy();
    let app = merchant(|builder| builder);
    let old = serving(app.layer(map_response(async |mut response: Response| {
        *response.version_mut() = Version::HTTP_10;
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
        response
    })));
    assert!(old.call().stderr.contains(" -> 200 HTTP/1.0, "));
    old.is_healthy();
}
