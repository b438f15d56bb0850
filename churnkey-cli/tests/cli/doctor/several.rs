//! Two faults at once: both are named, the one that shows first comes first.

use churnkey_integrator::diagnose::Cause;

use super::{
    in_front::forwarded_to,
    server::{OTHER_TOKEN, off_by},
    setup::{direct, limited, merchant, serving},
};

const STRIPPING: &str = "map $request_uri $without_api { ~^/api(?<rest>/.*)$ $rest; }\n\
    server { listen 8080; location /api/ { proxy_pass http://127.0.0.1:3000$without_api; } }";

#[test]
fn a_stripped_prefix_and_a_dropped_mode() {
    direct()
        .under("/api/churnkey")
        .behind_nginx(
            "map $request_uri $without_api { ~^/api(?<rest>/.*)$ $rest; }\n\
             server { listen 8080; location /api/ { proxy_pass http://127.0.0.1:3000$without_api;\n\
             proxy_set_header X-Churnkey-Mode ''; } }",
        )
        .is_all(&[Cause::PrefixStripped, Cause::ModeHeaderDropped]);
}

#[test]
fn a_prefix_that_is_stripped_by_a_slash_and_so_a_path_that_is_decoded() {
    direct()
        .under("/api/churnkey")
        .behind("location /api/ { proxy_pass http://127.0.0.1:3000/; }")
        .is_all(&[Cause::PrefixStripped, Cause::PathDecoded]);
}

#[test]
fn a_clock_that_is_off_and_a_dropped_query() {
    forwarded_to(serving(off_by(3_600)), "$path")
        .is_all(&[Cause::ClockOffset, Cause::QueryDropped]);
}

#[test]
fn a_decoded_path_and_a_body_cap() {
    direct()
        .behind(
            "client_max_body_size 300; location /churnkey/ { proxy_pass http://127.0.0.1:3000/churnkey/; }",
        )
        .is_all(&[Cause::PathDecoded, Cause::BodyCap]);
}

#[test]
fn a_dropped_mode_and_no_plain_tokens() {
    serving(merchant(|builder| builder.require_signature()))
        .behind(
            "location / { proxy_set_header X-Churnkey-Mode ''; proxy_pass http://127.0.0.1:3000; }",
        )
        .is_all(&[Cause::ModeHeaderDropped, Cause::AuthorizationDropped]);
}

#[test]
fn headers_that_are_not_on_the_list_of_what_is_forwarded() {
    direct()
        .behind(
            "location / { proxy_pass http://127.0.0.1:3000; proxy_pass_request_headers off;\n\
             proxy_set_header Authorization $http_authorization;\n\
             proxy_set_header Content-Length $content_length; proxy_set_header Content-Type $content_type; }",
        )
        // By the token alone, nothing tells that the mode does not arrive.
        .is_all(&[Cause::SignatureHeaderDropped]);
}

#[test]
fn a_stripped_prefix_and_no_plain_tokens() {
    serving(merchant(|builder| builder.require_signature()))
        .under("/api/churnkey")
        .behind_nginx(STRIPPING)
        .is_all(&[Cause::PrefixStripped, Cause::AuthorizationDropped]);
}

#[test]
fn a_stripped_prefix_and_another_token() {
    direct()
        .under("/api/churnkey")
        .behind_nginx(STRIPPING)
        .env("CK_INTEGRATION_TOKEN", OTHER_TOKEN)
        .is_all(&[Cause::WrongToken]);
}

#[test]
fn a_stripped_prefix_and_a_limit_of_requests() {
    direct()
        .under("/api/churnkey")
        .behind_nginx(STRIPPING)
        .behind_nginx(&limited("rate=2r/s", "burst=16"))
        .is(Cause::PrefixStripped);
}

#[test]
fn a_stripped_prefix_and_a_limit_of_requests_that_is_too_low_for_an_answer() {
    let said = direct()
        .under("/api/churnkey")
        .behind_nginx(STRIPPING)
        .behind_nginx(&limited("rate=1r/m", "burst=3"))
        .is(Cause::NotThisIntegration);
    let detail = said["cause"]["detail"].as_str().unwrap();
    assert!(detail.contains("limits the number of requests"), "{detail}");
}
