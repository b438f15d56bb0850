//! What is in front of the integration changes requests, or answers itself.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, header},
};
use serde_json::Value;

use super::{
    certificates::Authority,
    not_ours,
    setup::{Setup, direct, merchant, rewritten, serving},
};
use crate::tool::TOKEN;

/// `$path` and, with its question mark, `$query` of the request as it came. nginx's own variables are decoded.
const AS_IT_CAME: &str = "map $request_uri $path { ~^(?<path_>[^?]*) $path_; }\n\
                          map $request_uri $query { ~(?<query_>\\?.*)$ $query_; }\n";

/// nginx forwards a request to this path, which may be made of `$path` and `$query`.
pub(super) fn forwarded_to(setup: Setup, path: &str) -> Setup {
    setup.behind_nginx(&format!(
        "{AS_IT_CAME} server {{ listen 8080; proxy_pass_header Date;\n\
         location / {{ proxy_pass http://127.0.0.1:3000{path}; }} }}"
    ))
}

fn forwarding_to(path: &str) -> Setup {
    forwarded_to(direct(), path)
}

/// nginx forwards a request as it came, with these directives.
fn forwarding_with(directives: &str) -> Setup {
    direct().behind(&format!(
        "location / {{ {directives} proxy_pass http://127.0.0.1:3000; }}"
    ))
}

/// nginx answers everything itself.
fn answering(directives: &str) -> Setup {
    direct().behind(&format!("location / {{ {directives} }}"))
}

/// Something that changes a request's path and query.
fn with_path(rewrite: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> Setup {
    let app = merchant(|builder| builder);
    serving(rewritten(app, move |mut request: Request| {
        let path = request.uri().path_and_query().unwrap().as_str();
        *request.uri_mut() = rewrite(path).parse().unwrap();
        async { request }
    }))
}

fn with_sorted_query(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}

/// Something that changes a request's body.
fn with_body(rewrite: impl Fn(&[u8]) -> Vec<u8> + Clone + Send + Sync + 'static) -> Setup {
    let app = merchant(|builder| builder);
    serving(rewritten(app, move |request: Request| {
        let rewrite = rewrite.clone();
        async move {
            let (mut parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            if parts.method == Method::GET {
                return Request::from_parts(parts, Body::from(body));
            }
            let body = rewrite(&body);
            parts
                .headers
                .insert(header::CONTENT_LENGTH, body.len().into());
            Request::from_parts(parts, Body::from(body))
        }
    }))
}

fn as_json_again(body: &[u8]) -> Vec<u8> {
    let json: Value = serde_json::from_slice(body).unwrap();
    serde_json::to_vec(&json).unwrap()
}

fn indented(body: &[u8]) -> Vec<u8> {
    let json: Value = serde_json::from_slice(body).unwrap();
    serde_json::to_vec_pretty(&json).unwrap()
}

sabotages! {
    PrefixStripped a_prefix_is_stripped:
        direct().under("/api/churnkey").behind_nginx(
            "map $request_uri $without_api { ~^/api(?<rest>/.*)$ $rest; }\n\
             server { listen 8080; location /api/ { proxy_pass http://127.0.0.1:3000$without_api; } }",
        );
    PrefixStripped the_whole_prefix_is_stripped:
        serving(not_ours::integration("", TOKEN)).behind_nginx(
            "map $request_uri $rest { ~^/churnkey(?<rest_>/.*)$ $rest_; }\n\
             server { listen 8080; location /churnkey/ { proxy_pass http://127.0.0.1:3000$rest; } }",
        );
    PrefixAdded a_prefix_is_added: forwarding_to("/churnkey$path$query").under("");
    PrefixAdded a_prefix_that_is_named_is_added:
        forwarded_to(
            serving(merchant(|builder| builder.prefix("/internal/v2/churnkey"))),
            "/internal/v2$path$query",
        )
        .with(&["--try-prefix", "/internal/v2"]);
    PrefixAdded an_external_prefix_is_set_that_nothing_strips:
        serving(merchant(|builder| builder.external_prefix("/api")));
    PrefixStripped a_prefix_is_replaced:
        direct().under("/billing/retention").behind_nginx(
            "map $request_uri $rest { ~^/billing/retention(?<rest_>/.*)$ $rest_; }\n\
             server { listen 8080; location / { proxy_pass http://127.0.0.1:3000/churnkey$rest; } }",
        );
    PathDecoded a_path_is_decoded:
        direct().behind("location /churnkey/ { proxy_pass http://127.0.0.1:3000/churnkey/; }");
    PathEncoded a_path_is_encoded:
        direct().behind(
            "location ~ ^(.*)@(.*)$ { proxy_pass http://127.0.0.1:3000$1%40$2$is_args$args; }\n\
             location / { proxy_pass http://127.0.0.1:3000; }",
        );
    PathEncoded a_path_is_encoded_twice: with_path(|path| path.replace('%', "%25"));
    TrailingSlash a_slash_is_added: forwarding_to("$path/$query");
    QueryReordered a_query_is_sorted: with_path(with_sorted_query);
    QueryDropped a_query_is_dropped: forwarding_to("$path");
    MethodChanged every_request_becomes_a_post: forwarding_with("proxy_method POST;");
    MethodChanged every_request_becomes_a_get: forwarding_with("proxy_method GET;");
    ModeHeaderDropped the_mode_is_dropped_and_asked_for:
        forwarding_with("proxy_set_header X-Churnkey-Mode '';").with(&["--mode", "test"]);
    ModeHeaderDropped the_mode_is_dropped: forwarding_with("proxy_set_header X-Churnkey-Mode '';");
    OtherMode the_mode_is_set: forwarding_with("proxy_set_header X-Churnkey-Mode test;");
    SignatureHeaderDropped the_signature_is_dropped:
        forwarding_with("proxy_set_header X-Churnkey-Signature '';");
    TimestampHeaderDropped the_timestamp_is_dropped:
        forwarding_with("proxy_set_header X-Churnkey-Timestamp '';");
    TimestampHeaderDropped the_timestamp_is_dropped_and_there_is_much_to_try:
        forwarding_with("proxy_set_header X-Churnkey-Timestamp '';").with(&[
            "--try-prefix", "/a", "--try-prefix", "/b", "--try-prefix", "/c", "--try-prefix", "/d",
        ]);
    AuthorizationDropped the_authorization_is_dropped: forwarding_with("proxy_set_header Authorization '';");
    AuthorizationDropped the_authorization_is_that_of_the_proxy:
        forwarding_with("proxy_set_header Authorization 'Basic cHJveHk6cHJveHk=';");
    BodyChanged a_body_is_written_anew: with_body(as_json_again);
    BodyChanged a_body_is_indented: with_body(indented);
    BodyChanged a_body_gets_a_line_feed: with_body(|body| [body, b"\n"].concat());
    BodyChanged a_body_is_dropped:
        forwarding_with("proxy_pass_request_body off; proxy_set_header Content-Length '';");
    BodyCap a_body_may_have_300_bytes: forwarding_with("client_max_body_size 300;");
    BodyCap a_body_may_have_30_bytes: forwarding_with("client_max_body_size 30;");
    NotThisIntegration only_the_manifest_is_forwarded:
        direct().behind(
            "location = /churnkey/features { proxy_pass http://127.0.0.1:3000; }\n\
             location / { root /nowhere; }",
        );
    NotThisIntegration a_certificate_of_the_caller_is_asked_for:
        Authority::new("Acme").asking_callers();
    NotThisIntegration a_post_is_forbidden: forwarding_with("limit_except GET { deny all; }");
    ServerError a_post_is_answered_503:
        forwarding_with("if ($request_method = POST) { return 503; }");
    Redirect http_leads_to_https: answering("return 301 https://$host$request_uri;");
    Redirect another_host_is_the_right_one: answering("return 308 https://www.example.com$request_uri;");
    Redirect a_slash_is_asked_for: forwarding_with("rewrite ^(.*[^/])$ $1/ permanent;");
    NotThisIntegration nginx_has_no_such_page: answering("root /nowhere;");
    NotThisIntegration a_firewall_forbids_everything: answering("deny all;");
    NotThisIntegration a_password_is_asked_for:
        answering("auth_basic Staging; auth_basic_user_file none;");
    NotThisIntegration another_api_answers:
        answering("default_type application/json; return 404 '{\"error\":\"not found\"}';");
    NotThisIntegration another_api_answers_200:
        answering("default_type application/json; return 200 '{\"status\":\"ok\"}';");
    NotThisIntegration a_web_app_answers_everything:
        answering("default_type text/html; return 200 '<!doctype html><title>Acme</title><div id=app></div>';");
    NotThisIntegration the_prefix_is_missing_in_the_url: direct().under("");
    NotThisIntegration the_prefix_is_misspelt_in_the_url: direct().under("/churnkeys");
    ServerError nothing_is_behind_nginx:
        direct().behind("location / { proxy_pass http://127.0.0.1:1; }");
    ServerError what_is_behind_nginx_is_too_slow:
        serving(rewritten(merchant(|builder| builder), |request| async {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            request
        }))
        .behind("proxy_read_timeout 1s; location / { proxy_pass http://127.0.0.1:3000; }");
    ServerError there_is_maintenance:
        answering("default_type text/html; add_header Retry-After 600 always; return 503 '<h1>Back soon</h1>';");
}
