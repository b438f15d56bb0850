//! Contract, section 2.2, over a socket: every authentication error is the same 401.

use churnkey_integrator::{Integration, IntegrationToken, Mode, Timestamp, sign};
use http::{HeaderName, Method};

use crate::{
    merchants::{each, in_memory_store, token},
    socket::{Reply, Request, Server},
};

const PATH: &str = "/churnkey/customers?limit=2";
const BEARER: &str = "Bearer ck-demo-integration-token-0001";

/// Everything that the caller can see, apart from what differs between any two requests.
fn visible(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| name != "date" && name != "x-request-id");
    (reply.status, headers, reply.body.clone())
}

/// Signs any text as the timestamp, which `sign` can't.
fn with_timestamp<'a>(call: Request<'a>, timestamp: &str) -> Request<'a> {
    call.signed()
        .without("X-Churnkey-Timestamp")
        .header("X-Churnkey-Timestamp", timestamp)
}

#[tokio::test]
async fn every_authentication_error_is_the_same_401_byte_for_byte() {
    each(|merchant, server| async move {
        let get = || server.request("GET", PATH);
        let other = IntegrationToken::new("another-integration-token").unwrap();
        let now = Timestamp::now();
        let good = sign(&token(), &Method::GET, PATH, Mode::Live, b"", now);
        let digits = good.signature().strip_prefix("v1=").unwrap().to_owned();
        let with_signature = |value: &str| {
            get()
                .header("X-Churnkey-Timestamp", good.timestamp())
                .header("X-Churnkey-Signature", value)
        };
        let bad = [
            ("nothing", get()),
            (
                "a wrong token",
                get().header("Authorization", "Bearer no-such-token-at-all"),
            ),
            (
                "a bare wrong token",
                get().header("Authorization", "no-such-token-at-all"),
            ),
            ("basic", get().header("Authorization", "Basic Y2s6ZGVtbw==")),
            (
                "two tokens",
                get()
                    .header("Authorization", BEARER)
                    .header("Authorization", BEARER),
            ),
            (
                "another token's signature",
                get().signed_with(&other, Mode::Live, now),
            ),
            (
                "bad hex",
                with_signature(&format!("v1={}zz", &digits[..62])),
            ),
            (
                "upper case",
                with_signature(&format!("v1={}", digits.to_uppercase())),
            ),
            ("short", with_signature(&format!("v1={}", &digits[..62]))),
            ("long", with_signature(&format!("v1={digits}00"))),
            ("empty", with_signature("")),
            ("only a version", with_signature("v1=")),
            ("no version", with_signature(&digits)),
            (
                "an unknown version",
                with_signature(&format!("v2={digits}")),
            ),
            ("another path", get().signed().path("/churnkey/features")),
            (
                "another query",
                get().signed().path("/churnkey/customers?limit=3"),
            ),
            (
                "another spelling of the path",
                get().signed().path("/churnkey/%63ustomers?limit=2"),
            ),
            ("another method", get().signed().method("HEAD")),
            (
                "another mode",
                get().signed().header("X-Churnkey-Mode", "test"),
            ),
            (
                "live signed, mode unknown",
                get().signed().header("X-Churnkey-Mode", "staging"),
            ),
            ("another body", get().signed().body("{}")),
            ("301 seconds old", get().signed_ahead(-301)),
            ("302 seconds ahead", get().signed_ahead(302)),
            (
                "no timestamp",
                get().signed().without("X-Churnkey-Timestamp"),
            ),
            (
                "the largest timestamp",
                with_timestamp(get(), "9223372036854775807"),
            ),
            (
                "the smallest timestamp",
                with_timestamp(get(), "-9223372036854775808"),
            ),
            (
                "more than a timestamp",
                with_timestamp(get(), "18446744073709551616"),
            ),
            ("no number", with_timestamp(get(), "now")),
            (
                "two timestamps",
                get()
                    .signed()
                    .header("X-Churnkey-Timestamp", good.timestamp()),
            ),
            (
                "two signatures",
                get()
                    .signed()
                    .header("X-Churnkey-Signature", good.signature()),
            ),
            (
                "two modes",
                get()
                    .signed()
                    .header("X-Churnkey-Mode", "live")
                    .header("X-Churnkey-Mode", "live"),
            ),
            (
                "a valid token with an invalid signature",
                with_signature("v1=00").header("Authorization", BEARER),
            ),
            (
                "an unknown path",
                server.request("GET", "/churnkey/no/such/path"),
            ),
            ("the prefix", server.request("GET", "/churnkey")),
            (
                "the prefix with a slash",
                server.request("GET", "/churnkey/"),
            ),
            (
                "a wrong method",
                server.request("DELETE", "/churnkey/customers/cus_ada"),
            ),
            ("the manifest", server.request("GET", "/churnkey/features")),
            (
                "invalid UTF-8",
                server.request("GET", "/churnkey/customers/%FF"),
            ),
            (
                "an unknown mode",
                get().header("X-Churnkey-Mode", "staging"),
            ),
        ];
        let mut first = None;
        for (what, call) in bad {
            let mut reply = call.send().await;
            if what == "another method" {
                // An answer to HEAD has no body.
                assert_eq!((reply.status, reply.body.len()), (401, 0));
                reply.body = br#"{"code":401,"message":"Unauthorized"}"#.to_vec();
            }
            let visible = visible(&reply);
            let first = first.get_or_insert_with(|| visible.clone());
            assert_eq!(visible, *first, "{merchant}: {what}");
        }
        let (status, headers, body) = first.unwrap();
        assert_eq!(status, 401);
        assert_eq!(body, br#"{"code":401,"message":"Unauthorized"}"#);
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "content-type",
                "cache-control",
                "content-length",
                "connection"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn both_credentials_pass() {
    each(|merchant, server| async move {
        let get = || server.request("GET", PATH);
        for (what, call) in [
            ("signed", get().signed()),
            ("signed, 299 seconds old", get().signed_ahead(-299)),
            ("signed, 299 seconds ahead", get().signed_ahead(299)),
            ("signed for test", get().signed_in(Mode::Test)),
            ("bearer", get().header("Authorization", BEARER)),
            ("bare", get().header("Authorization", &BEARER[7..])),
            (
                "signed, with a wrong token",
                get()
                    .signed()
                    .header("Authorization", "Bearer no-such-token"),
            ),
        ] {
            assert_eq!(call.send().await.status, 200, "{merchant}: {what}");
        }
        let head = server.request("HEAD", PATH).signed().send().await;
        assert_eq!((head.status, head.body.len()), (200, 0));
    })
    .await;
}

#[tokio::test]
async fn an_unknown_mode_is_400_and_never_live() {
    each(|merchant, server| async move {
        for mode in ["staging", "LIVE", "Test", "live,test", ""] {
            let call = server
                .request("GET", PATH)
                .header("Authorization", BEARER)
                .header("X-Churnkey-Mode", mode);
            let error = call.send().await.error();
            let expected = (400, "X-Churnkey-Mode must be live or test".to_owned());
            assert_eq!(error, expected, "{merchant}: {mode}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_clock_of_the_signature_is_not_the_clock_of_the_data() {
    // The demo data's clock is fixed in January 2026. A signature of today is still accepted.
    each(|_, server| async move {
        assert_eq!(server.get("/churnkey/features").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_rotation_accepts_both_tokens_and_cursors_of_both() {
    let old = IntegrationToken::new("the-former-integration-token").unwrap();
    let new = IntegrationToken::new("the-newer-integration-token").unwrap();
    let serve = |first: &IntegrationToken, also: Option<&IntegrationToken>| {
        let builder = Integration::builder("Shop", first.clone()).customers(in_memory_store());
        let builder = match also {
            Some(also) => builder.also_accept(also.clone()),
            None => builder,
        };
        builder.build().unwrap().into_router()
    };
    let before = Server::start(serve(&old, None), &old).await;
    let next = before.get("/churnkey/customers?limit=1").await.json()["next"].clone();
    let next = format!(
        "/churnkey/customers?limit=1&cursor={}",
        next.as_str().unwrap()
    );

    let during = Server::start(serve(&new, Some(&old)), &new).await;
    for token in [&old, &new] {
        let call = during.request("GET", &next);
        let call = call.signed_with(token, Mode::Live, Timestamp::now());
        assert_eq!(call.send().await.json()["data"][0]["id"], "cus_grace");
    }
    let after = Server::start(serve(&new, None), &new).await;
    let call = after.request("GET", PATH);
    let call = call.signed_with(&old, Mode::Live, Timestamp::now());
    assert_eq!(call.send().await.status, 401);
    assert_eq!(
        after.get(&next).await.error(),
        (400, "Invalid cursor".to_owned())
    );
}

#[tokio::test]
async fn signatures_can_be_required_and_a_header_named() {
    let signed_only = Integration::builder("Shop", token())
        .customers(in_memory_store())
        .require_signature()
        .build()
        .unwrap();
    let server = Server::start(signed_only.into_router(), &token()).await;
    let call = server.request("GET", PATH).header("Authorization", BEARER);
    assert_eq!(call.send().await.status, 401);
    assert_eq!(server.get(PATH).await.status, 200);

    let named = Integration::builder("Shop", token())
        .customers(in_memory_store())
        .token_header(HeaderName::from_static("x-shop-token"))
        .build()
        .unwrap();
    let server = Server::start(named.into_router(), &token()).await;
    let call = server
        .request("GET", PATH)
        .header("x-shop-token", &BEARER[7..]);
    assert_eq!(call.send().await.status, 200);
}
