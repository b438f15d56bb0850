//! Every hypothesis by its exact cause, from both sides, and the bounds.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use proptest::prelude::*;

use super::*;
use crate::{
    auth::{
        AcceptedTokens, AuthenticationError, Key, MODE_HEADER, RequestHead, SIGNATURE_HEADER,
        Schemes, TIMESTAMP_HEADER, sign_by_key,
    },
    secret::IntegrationToken,
    time::Timestamp,
};

const NOW: i64 = 1_767_225_600;
const TOKEN: &str = "the-token-of-these-tests";
const OLD: &str = "the-token-that-was-replaced";
const PATH: &str = "/churnkey/customers/email/ada%40example.com?limit=2&cursor=c0ffee";
const BODY: &str = r#"{ "a" : [1, "x, y: \" z"],"b":"é" }"#;

fn token(text: &str) -> IntegrationToken {
    IntegrationToken::new(text).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

#[test]
fn the_table_has_every_cause_of_both_sides() {
    let named = |side: Side| {
        let seen = Cause::all().filter(move |cause| cause.is_seen_from(side));
        seen.map(Cause::name).collect::<Vec<_>>()
    };
    let inside = [
        "wrong-token",
        "token-whitespace",
        "replaced-token",
        "signature-required",
        "other-mode",
        "clock-offset",
        "prefix-stripped",
        "prefix-added",
        "path-decoded",
        "path-encoded",
        "trailing-slash",
        "query-reordered",
        "query-dropped",
        "method-changed",
        "mode-header-dropped",
        "signature-header-dropped",
        "timestamp-header-dropped",
        "authorization-dropped",
        "body-changed",
    ];
    let outside_only = [
        "body-cap",
        "redirect",
        "not-this-integration",
        "dns",
        "connection-refused",
        "tls-expired",
        "tls-name",
        "tls-issuer",
        "plain-http-on-tls",
        "timeout",
        "server-error",
    ];
    assert_eq!(named(Side::Inside), inside);
    let all = [&inside[..], &outside_only[..]].concat();
    assert_eq!(Cause::all().map(Cause::name).collect::<Vec<_>>(), all);
    let outside = all.iter().copied();
    let outside = outside.filter(|name| *name != "signature-required");
    assert_eq!(named(Side::Outside), outside.collect::<Vec<_>>());
    assert_eq!(
        all.iter().collect::<BTreeSet<_>>().len(),
        30,
        "no name twice"
    );
}

#[test]
fn every_cause_says_in_one_sentence_what_it_means_and_then_what_to_do() {
    for cause in Cause::all() {
        let (meaning, advice) = (cause.meaning(), cause.advice());
        assert_eq!(meaning.matches(". ").count(), 0, "{cause}");
        assert!(meaning.ends_with('.') && advice.ends_with('.'), "{cause}");
        assert_ne!(meaning, advice);
        assert_eq!(cause.to_string(), cause.name());
    }
}

/// A request as a server gets it.
struct Arrived {
    method: Method,
    path: &'static str,
    headers: HeaderMap,
    body: &'static [u8],
}

fn get(path: &'static str) -> Arrived {
    Arrived {
        method: Method::GET,
        path,
        headers: HeaderMap::new(),
        body: b"",
    }
}

fn post(body: &'static str) -> Arrived {
    Arrived {
        method: Method::POST,
        body: body.as_bytes(),
        ..get("/churnkey/actions/subscription/cancel")
    }
}

impl Arrived {
    fn header(mut self, name: &HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.insert(name, value);
        self
    }

    /// With the signature of something that may not be what arrived.
    fn signed(self, key: &str, method: &Method, path: &str, mode: &str, body: &str) -> Self {
        let signature = sign_by_key(
            key.as_bytes(),
            NOW.to_string(),
            method,
            path,
            mode,
            body.as_bytes(),
        );
        self.header(&SIGNATURE_HEADER, signature.signature())
            .header(&TIMESTAMP_HEADER, signature.timestamp())
    }

    fn of_path(self, path: &str) -> Self {
        self.signed(TOKEN, &Method::GET, path, "live", "")
    }

    fn of_body(self, body: &str) -> Self {
        let path = self.path;
        self.signed(TOKEN, &Method::POST, path, "live", body)
    }

    /// What the integration would log about it.
    fn finding(&self, require_signature: bool) -> Option<Finding> {
        let mut schemes = Schemes::default();
        if require_signature {
            schemes.require_signature();
        }
        let accepted = token(TOKEN);
        let keys = [Key::from(accepted.clone())];
        let tokens = AcceptedTokens::new(&keys);
        let names = schemes.headers();
        let head = RequestHead::new(&self.method, self.path, &self.headers, names, at(NOW));
        let head = head.unwrap();
        let decided = schemes.of(&head).and_then(|(_, scheme)| {
            let body: &[u8] = if scheme.needs_body() { self.body } else { b"" };
            scheme.verify(&head, body, tokens).map(|_| ())
        });
        let guesses = Guesses::new().prefix("/api").prefix("/churnkey");
        let refusals = Refusals::new(guesses, &[&accepted], vec![token(OLD)]);
        refusals.explain(&Refused {
            error: decided.expect_err("it is refused"),
            head: &head,
            schemes: &schemes,
            body: self.body,
            tokens,
        })
    }
}

#[test]
fn from_inside_every_cause_is_named_exactly() {
    let (live, post_method) = ("live", Method::POST);
    let plain = |value: &str| get(PATH).header(&header::AUTHORIZATION, value);
    let at_time = |seconds: i64| {
        let call = get(PATH).of_path(PATH);
        call.header(&TIMESTAMP_HEADER, &seconds.to_string())
    };
    let with_key = |key: &str| get(PATH).signed(key, &Method::GET, PATH, live, "");
    let without = |name: &HeaderName| {
        let mut call = get(PATH).of_path(PATH);
        call.headers.remove(name);
        call
    };
    let cases = [
        (plain("Bearer another-token-altogether"), "wrong-token"),
        (with_key("another-token-altogether"), "wrong-token"),
        (get(PATH).of_path("/nothing/like/it"), "wrong-token"),
        (plain(&format!("Bearer {TOKEN}\\n")), "token-whitespace"),
        (plain(&format!("{TOKEN}%0A")), "token-whitespace"),
        (plain(&format!("{TOKEN} ")), "token-whitespace"),
        (with_key(&format!("{TOKEN}\n")), "token-whitespace"),
        (with_key(&format!("{TOKEN}\r\n")), "token-whitespace"),
        (with_key(&format!("{TOKEN} ")), "token-whitespace"),
        (with_key(&format!(" {TOKEN}")), "token-whitespace"),
        (plain(OLD), "replaced-token"),
        (plain(&format!("Bearer {OLD}")), "replaced-token"),
        (with_key(OLD), "replaced-token"),
        (
            get(PATH)
                .signed(TOKEN, &Method::GET, PATH, "test", "")
                .header(&MODE_HEADER, "live"),
            "other-mode",
        ),
        (
            get(PATH).of_path(PATH).header(&MODE_HEADER, "test"),
            "other-mode",
        ),
        (
            get(PATH).signed(TOKEN, &Method::GET, PATH, "test", ""),
            "mode-header-dropped",
        ),
        (at_time(NOW + 301), "clock-offset"),
        (at_time(NOW - 301), "clock-offset"),
        (at_time(i64::MAX), "clock-offset"),
        (
            get("/churnkey/features").of_path("/api/churnkey/features"),
            "prefix-stripped",
        ),
        (
            get("/customers/c").of_path("/churnkey/customers/c"),
            "prefix-stripped",
        ),
        (
            get("/churnkey/customers/c").of_path("/customers/c"),
            "prefix-added",
        ),
        (get("/churnkey?a=1").of_path("/?a=1"), "prefix-added"),
        (get("/e/a@b.c").of_path("/e/a%40b.c"), "path-decoded"),
        (get("/e/a+b@c.d").of_path("/e/a%2Bb%40c.d"), "path-decoded"),
        (get("/e/a+b@c.d").of_path("/e/a%2bb%40c.d"), "path-decoded"),
        (get("/e/(a)@c.d").of_path("/e/(a)%40c.d"), "path-decoded"),
        (get("/e/a%40b").of_path("/e/a%2540b"), "path-decoded"),
        (get("/e/a%40b.c").of_path("/e/a@b.c"), "path-encoded"),
        (get("/e/a%2Bb%40c").of_path("/e/a%2Bb@c"), "path-encoded"),
        (get("/e/%c3%a9%2B").of_path("/e/%C3%A9%2B"), "path-encoded"),
        (get("/e/%C3%A9").of_path("/e/%c3%a9"), "path-encoded"),
        (get("/e/%C3%A9").of_path("/e/é"), "path-encoded"),
        (get("/c/?a=1").of_path("/c?a=1"), "trailing-slash"),
        (get("/c").of_path("/c/"), "trailing-slash"),
        (get("/c?a=1&b=2").of_path("/c?b=2&a=1"), "query-reordered"),
        (get("/c?a&b&c&d").of_path("/c?c&a&d&b"), "query-reordered"),
        (
            get("/c?e&d&c&b&a").of_path("/c?a&b&c&d&e"),
            "query-reordered",
        ),
        (get("/c?limit=2").of_path("/c"), "query-dropped"),
        (
            get(PATH).signed(TOKEN, &post_method, PATH, live, ""),
            "method-changed",
        ),
        (
            get(PATH).signed(TOKEN, &Method::HEAD, PATH, live, ""),
            "method-changed",
        ),
        (without(&SIGNATURE_HEADER), "signature-header-dropped"),
        (without(&TIMESTAMP_HEADER), "timestamp-header-dropped"),
        (get(PATH), "authorization-dropped"),
        (
            post(BODY).of_body(r#"{"a":[1,"x, y: \" z"],"b":"é"}"#),
            "body-changed",
        ),
        (
            post(BODY).of_body(r#"{"a": [1, "x, y: \" z"], "b": "é"}"#),
            "body-changed",
        ),
        (
            post(BODY).of_body(r#"{"a": [1, "x, y: \" z"], "b": "\u00e9"}"#),
            "body-changed",
        ),
        (
            post(r#"{"b":"\u00e9","a":1}"#).of_body(r#"{"a":1,"b":"é"}"#),
            "body-changed",
        ),
        (post("{}").of_body("{}\n"), "body-changed"),
        (post("{}\n").of_body("{}"), "body-changed"),
        (post("not json").of_body(""), "body-changed"),
    ];
    let mut seen = BTreeSet::from(["signature-required"]);
    for (arrived, cause) in cases {
        let finding = arrived.finding(false).expect(cause);
        let about = format!("{} {:?}", arrived.path, finding.detail);
        assert_eq!(
            (finding.cause.name(), finding.also),
            (cause, None),
            "{about}"
        );
        seen.insert(cause);
    }
    let required = plain(TOKEN).finding(true).unwrap();
    assert_eq!(required.cause, Cause::SignatureRequired);
    let dropped = without(&SIGNATURE_HEADER).header(&header::AUTHORIZATION, TOKEN);
    let dropped = dropped.finding(true).unwrap();
    assert_eq!(dropped.cause, Cause::SignatureHeaderDropped);

    let inside = Cause::all().filter(|cause| cause.is_seen_from(Side::Inside));
    assert_eq!(seen, inside.map(Cause::name).collect());
}

#[test]
fn a_change_and_a_replaced_token_together_are_both_named() {
    let arrived =
        get("/churnkey/features").signed(OLD, &Method::GET, "/api/churnkey/features", "live", "");
    assert_eq!(
        arrived.finding(false),
        Some(Finding {
            cause: Cause::PrefixStripped,
            also: Some(Cause::ReplacedToken),
            detail: "it was signed for a path with /api in front: something in front removes it"
                .to_owned(),
        })
    );
}

#[test]
fn an_offset_is_told_with_its_direction() {
    for (seconds, detail) in [
        (
            NOW + 412,
            "the request's time is 412 s ahead of this server's clock",
        ),
        (
            NOW - 3600,
            "the request's time is 3600 s behind this server's clock",
        ),
    ] {
        let arrived = get(PATH).of_path(PATH);
        let arrived = arrived.header(&TIMESTAMP_HEADER, &seconds.to_string());
        assert_eq!(arrived.finding(false).unwrap().detail, detail);
    }
}

#[test]
fn what_the_error_itself_says_is_not_explained() {
    let malformed = get(PATH)
        .of_path(PATH)
        .header(&SIGNATURE_HEADER, "v1=short");
    let no_number = get(PATH).of_path(PATH).header(&TIMESTAMP_HEADER, "now");
    let many = get(PATH)
        .of_path(PATH)
        .header(&SIGNATURE_HEADER, &["v1=0"; 9].join(","));
    for arrived in [malformed, no_number, many] {
        assert_eq!(arrived.finding(false), None);
    }
}

/// The variants of a cause, by what differs.
fn of_cause(variants: &[Variant<'_>], cause: Cause) -> Vec<String> {
    let own = variants.iter().filter(|variant| variant.cause() == cause);
    own.map(|variant| {
        let parts = variant.parts();
        let body = String::from_utf8_lossy(parts.body());
        match cause {
            Cause::MethodChanged => parts.method().to_string(),
            Cause::BodyChanged => body.into_owned(),
            Cause::ClockOffset => parts.timestamp().to_owned(),
            Cause::OtherMode | Cause::ModeHeaderDropped => parts.mode().to_owned(),
            Cause::TokenWhitespace => variant.sign(&token(TOKEN)).signature().to_owned(),
            _ => parts.path().to_owned(),
        }
    })
    .collect()
}

#[test]
fn from_outside_the_same_causes_are_the_reverse_changes() {
    let now = NOW.to_string();
    let path = "/churnkey/e/a%2Bb@c?b=2&a=1";
    let sent = SignedParts::new(&Method::POST, path, &now, br#"{"a": 1}"#).with_mode("test");
    let guesses = Guesses::new()
        .prefix("/churnkey/")
        .prefix("/churn")
        .prefix("api")
        .prefix("/churnkey")
        .server_time(at(NOW + 900));
    let variants = variants(Side::Outside, &sent, &guesses);
    let signed = |key: String| {
        let mode = "test";
        let body = br#"{"a": 1}"#;
        let signature = sign_by_key(key.as_bytes(), now.clone(), &Method::POST, path, mode, body);
        signature.signature().to_owned()
    };
    let expected: [(Cause, Vec<String>); 13] = [
        (
            Cause::TokenWhitespace,
            vec![
                signed(format!("{TOKEN}\n")),
                signed(format!("{TOKEN}\r\n")),
                signed(format!("{TOKEN} ")),
                signed(format!(" {TOKEN}")),
            ],
        ),
        (Cause::ModeHeaderDropped, vec!["live".to_owned()]),
        (Cause::OtherMode, vec![]),
        (
            Cause::PrefixAdded,
            vec![format!("/churnkey{path}"), format!("/churn{path}")],
        ),
        (Cause::PrefixStripped, vec!["/e/a%2Bb@c?b=2&a=1".to_owned()]),
        (
            Cause::PathEncoded,
            vec![
                "/churnkey/e/a%2Bb%40c?b=2&a=1".to_owned(),
                "/churnkey/e/a%252Bb@c?b=2&a=1".to_owned(),
                "/churnkey/e/a%2bb@c?b=2&a=1".to_owned(),
            ],
        ),
        (
            Cause::PathDecoded,
            vec!["/churnkey/e/a+b@c?b=2&a=1".to_owned()],
        ),
        (
            Cause::TrailingSlash,
            vec!["/churnkey/e/a%2Bb@c/?b=2&a=1".to_owned()],
        ),
        (
            Cause::QueryReordered,
            vec!["/churnkey/e/a%2Bb@c?a=1&b=2".to_owned()],
        ),
        (Cause::QueryDropped, vec!["/churnkey/e/a%2Bb@c".to_owned()]),
        (
            Cause::MethodChanged,
            ["GET", "HEAD", "PUT", "PATCH", "DELETE"]
                .map(str::to_owned)
                .to_vec(),
        ),
        (
            Cause::BodyChanged,
            ["", "{\"a\": 1}\n", r#"{"a":1}"#]
                .map(str::to_owned)
                .to_vec(),
        ),
        (Cause::ClockOffset, vec![(NOW + 900).to_string()]),
    ];
    let mut count = 0;
    for (cause, ways) in expected {
        assert_eq!(of_cause(&variants, cause), ways, "{cause}");
        count += ways.len();
    }
    assert_eq!(count, variants.len(), "and no others");
}

#[test]
fn from_outside_a_caller_without_a_mode_asks_for_live_data() {
    let sent = SignedParts::new(&Method::GET, "/c", "1", b"");
    let variants = variants(Side::Outside, &sent, &Guesses::new());
    assert_eq!(of_cause(&variants, Cause::OtherMode), ["test"]);
    assert_eq!(
        of_cause(&variants, Cause::ModeHeaderDropped),
        Vec::<String>::new()
    );
}

#[test]
fn two_causes_at_once_are_one_signature() {
    let sent = SignedParts::new(&Method::GET, "/api/c?b=2&a=1", "1", b"");
    let guesses = Guesses::new().prefix("/api");
    let further = |cause: Cause, then: Cause| {
        let first = variants(Side::Outside, &sent, &guesses);
        let first = first.into_iter().find(|variant| variant.cause() == cause);
        let further = first.unwrap().variants(Side::Outside, &guesses);
        let mut further = further.into_iter();
        let second = further.find(|variant| variant.cause() == then)?;
        Some(second.sign(&token(TOKEN)).signature().to_owned())
    };
    let signed = |key: &str, path: &str| {
        let signature = sign_by_key(key.as_bytes(), "1".into(), &Method::GET, path, "live", b"");
        Some(signature.signature().to_owned())
    };
    assert_eq!(
        further(Cause::PrefixStripped, Cause::QueryReordered),
        signed(TOKEN, "/c?a=1&b=2")
    );
    assert_eq!(
        further(Cause::TokenWhitespace, Cause::PrefixStripped),
        signed(&format!("{TOKEN}\n"), "/c?b=2&a=1")
    );
    assert_eq!(
        further(Cause::TokenWhitespace, Cause::TokenWhitespace),
        None
    );
}

#[test]
fn the_first_six_prefixes_count() {
    let guesses = (0..20).fold(Guesses::new(), |all, n| all.prefix(format!("/p{n}")));
    let sent = SignedParts::new(&Method::GET, "/c", "1", b"");
    let variants = variants(Side::Outside, &sent, &guesses);
    assert_eq!(of_cause(&variants, Cause::PrefixAdded).len(), 6);
}

#[test]
fn long_bodies_and_paths_are_not_written_anew() {
    let body = format!("{{\"a\": \"{}\"}}", "x".repeat(64 * 1024));
    let path = format!("/c/{}?b=1&a=1", "@".repeat(4 * 1024));
    let sent = SignedParts::new(&Method::GET, &path, "1", body.as_bytes());
    let found = variants(Side::Inside, &sent, &Guesses::new().prefix("/api"));
    let causes: BTreeSet<_> = found.iter().map(Variant::cause).collect();
    let expected = [
        Cause::TokenWhitespace,
        Cause::ModeHeaderDropped,
        Cause::MethodChanged,
    ];
    assert_eq!(causes, BTreeSet::from(expected));
}

#[test]
fn an_explanation_is_due_once_a_second_and_only_for_what_it_can_explain() {
    let refusals = || Refusals::new(Guesses::new(), &[], Vec::new());
    let wrong = AuthenticationError::WrongSignature;
    let at = |millis: i64| Timestamp::from_unix_millis(NOW * 1000 + millis).unwrap();
    let one = refusals();
    let due = [0, 1, 999, 1000, 1001, 1999, 2000, -5000, -4500, -4000];
    let due = due.map(|millis| one.is_due(wrong, at(millis)));
    assert_eq!(
        due,
        [
            true, false, false, true, false, false, true, true, false, true
        ]
    );
    for error in [
        AuthenticationError::Repeated,
        AuthenticationError::Malformed,
        AuthenticationError::TooManySignatures,
        AuthenticationError::UnknownTenant,
    ] {
        let one = refusals();
        assert!(!one.is_due(error, at(0)), "{error:?}");
        assert!(one.is_due(wrong, at(0)), "{error:?} takes no turn");
    }
}

#[test]
fn nothing_that_is_shown_holds_a_token_or_a_part_of_the_request() {
    let body = br#"{"customerId": "cus_private"}"#;
    let sent = SignedParts::new(&Method::GET, PATH, "1", body).with_mode("hunter2");
    for side in [Side::Inside, Side::Outside] {
        let shown: String = variants(side, &sent, &Guesses::new().prefix("/api"))
            .iter()
            .map(|variant| format!("{} {variant:?} {:?}", variant.detail(), variant.parts()))
            .collect();
        for private in [
            "ada",
            "example.com",
            "c0ffee",
            "hunter2",
            "cus_private",
            "limit",
        ] {
            assert!(!shown.contains(private), "{private}: {shown}");
        }
    }
}

proptest! {
    #[test]
    fn the_variants_of_any_request_are_bounded_and_differ(
        path in "(/[a-c%@+:é]{0,8}){0,4}/?(\\?[a-c=&%]{0,20})?",
        body in "\\{?[\"a-c:,\\\\ é{}]{0,20}\\}?",
        mode in proptest::option::of("live|test|x"),
        timestamp in "-?[0-9]{0,20}",
        inside: bool,
    ) {
        let mut request = SignedParts::new(&Method::GET, &path, &timestamp, body.as_bytes());
        if let Some(mode) = &mode {
            request = request.with_mode(mode);
        }
        let prefixes = ["/a", "/b", "/c", "/a/b", "/d", "/e", "/f", "/g", "/h"];
        let guesses = prefixes.into_iter().fold(Guesses::new(), Guesses::prefix);
        let guesses = guesses.server_time(Timestamp::from_unix_seconds(0).unwrap());
        let side = if inside { Side::Inside } else { Side::Outside };
        let variants = variants(side, &request, &guesses);
        prop_assert!(variants.len() <= MAX_VARIANTS);
        let own = variants.iter().map(|v| v.sign(&token(TOKEN)).signature().to_owned());
        let own: BTreeSet<_> = own.collect();
        prop_assert_eq!(own.len(), variants.len());
    }

    #[test]
    fn json_that_is_written_anew_says_the_same(value in "[a-zé\"\\\\,:{ ]{0,12}", key in "[a-z:, ]{0,4}") {
        let json = serde_json::json!({ key: [value.clone(), serde_json::Value::Null], "é": { "x": value } });
        let body = serde_json::to_vec_pretty(&json).unwrap();
        let ways: Vec<_> = rewrite::rewritten(&body).into_iter().filter(|way| !way.is_empty()).collect();
        prop_assert!(ways.len() > 5);
        for way in ways {
            let read: serde_json::Value = serde_json::from_slice(&way).unwrap();
            prop_assert_eq!(&read, &json);
        }
    }
}
