//! `.explain_refusals()` over a socket: the log says why a call was refused, and nothing else about it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::Router;
use churnkey_integrator::{
    Integration, IntegrationBuilder, IntegrationToken, Mode, Result, Tenant, TenantId,
    TenantRequest, TenantResolver, Timestamp, async_trait, sign,
};
use http::Method;
use tracing::Level;

use crate::{
    demo,
    logs::{lines_of, log_while},
    merchants::token,
    socket::{Reply, Request, Server},
};

const OLD: &str = "ck-the-token-that-was-replaced";
const PATH: &str = "/churnkey/customers/email/ada%40example.com";
const CANCEL: &str = "/churnkey/actions/subscription/cancel";

/// A clock that only the test moves.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_767_225_600_000)))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }

    fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

fn secret(text: &str) -> IntegrationToken {
    IntegrationToken::new(text).unwrap()
}

fn shop(hand: &Hand) -> IntegrationBuilder {
    let hand = hand.clone();
    let builder = demo::cancelling(Integration::builder("Shop", token()));
    builder.clock(move || hand.now())
}

fn explaining(hand: &Hand) -> IntegrationBuilder {
    shop(hand).explain_refusals().replaced_token(secret(OLD))
}

async fn served(integration: Integration) -> Server {
    Server::start(integration.into_router(), &token()).await
}

/// What the lines say that explain a refusal.
fn explanations(log: &str) -> Vec<String> {
    let lines = lines_of(log).into_iter();
    let explained = lines.filter_map(|line| {
        let (_, said) = line.split_once("http::refusal: ")?;
        assert!(line.starts_with(" WARN churnkey{operation="), "{line}");
        assert!(
            line.contains(" http.response.status_code=401}: churnkey_integrator::"),
            "{line}"
        );
        Some(said.to_owned())
    });
    explained.collect()
}

/// What is logged about one call, which is refused.
fn log_of(
    level: Level,
    builder: IntegrationBuilder,
    call: impl for<'a> FnOnce(&'a Server) -> Request<'a>,
) -> String {
    let integration = builder.build().unwrap();
    log_while(level, async {
        let server = served(integration).await;
        let call = call(&server).header("x-request-id", "req-1");
        assert_eq!(call.send().await.status, 401);
    })
}

/// A call that is signed by the test's clock.
fn signed<'a>(hand: &Hand, call: Request<'a>, key: &str) -> Request<'a> {
    call.signed_with(&secret(key), Mode::Live, hand.now())
}

const DEMO: &str = "ck-demo-integration-token-0001";

type Call<'h> = Box<dyn for<'a> FnOnce(&'a Server) -> Request<'a> + 'h>;

#[test]
fn a_refused_call_gets_the_line_that_says_what_would_have_made_it_right() {
    let hand = Hand::new();
    let sent_as = |signed_path: &'static str, arrives: &'static str| -> Call<'_> {
        let hand = &hand;
        Box::new(move |server| signed(hand, server.request("GET", signed_path), DEMO).path(arrives))
    };
    let cases: Vec<(Call<'_>, &str)> = vec![
        (
            sent_as("/api/churnkey/customers/c", "/churnkey/customers/c"),
            "cause=\"prefix-stripped\" detail=\"it was signed for a path with /api in front: something in front removes \
             it\" advice=\"Name the prefix with `.external_prefix(..)` in the integration's code. Or mount the \
             integration at the whole path, and forward the path as it came. Or take the prefix out of the URL, and out \
             of what is in front.\"",
        ),
        (
            sent_as("/customers/c", "/churnkey/customers/c"),
            "cause=\"prefix-added\" detail=\"it was signed for a path without /churnkey: something in front adds it, or \
             it was not signed\" advice=\"Forward the path as it came, and sign the whole path. If an \
             `.external_prefix(..)` is set that nothing removes, drop it.\"",
        ),
        (
            sent_as(PATH, "/churnkey/customers/email/ada@example.com"),
            "cause=\"path-decoded\" detail=\"it was signed for a path with more percent-encoding than arrived\" \
             advice=\"Forward the path as it came: in nginx, use `proxy_pass` without a path, which leaves the prefix in \
             the path as well.\"",
        ),
        (
            sent_as(
                "/churnkey/customers?limit=2&cursor=x",
                "/churnkey/customers?cursor=x&limit=2",
            ),
            "cause=\"query-reordered\" detail=\"it was signed for the query's parameters in another order\" \
             advice=\"Forward the query as it came: a cache key may be sorted, the request may not.\"",
        ),
        (
            Box::new(|server| signed(&hand, server.request("GET", PATH), OLD)),
            "cause=\"replaced-token\" detail=\"right with a token that was replaced: the caller still uses the old \
             one\" advice=\"Copy the new token to the side that still has the old one: Churnkey's dashboard, or the \
             server.\"",
        ),
        (
            Box::new(|server| {
                server
                    .request("GET", PATH)
                    .header("Authorization", &format!("Bearer {OLD}"))
            }),
            "cause=\"replaced-token\" detail=\"right with a token that was replaced: the caller still uses the old \
             one\" advice=\"Copy the new token to the side that still has the old one: Churnkey's dashboard, or the \
             server.\"",
        ),
        (
            Box::new(|server| {
                let call = server.request("GET", "/api/churnkey/features");
                signed(&hand, call, OLD).path("/churnkey/features")
            }),
            "cause=\"prefix-stripped\" also=\"replaced-token\" detail=\"it was signed for a path with /api in front: \
             something in front removes it\" advice=\"Name the prefix with `.external_prefix(..)` in the integration's code. Or mount the \
             integration at the whole path, and forward the path as it came. Or take the prefix out of the URL, and out \
             of what is in front.\"",
        ),
        (
            Box::new(|server| {
                let at = hand.now().unix_seconds() - 412;
                let at = Timestamp::from_unix_seconds(at).unwrap();
                server
                    .request("GET", PATH)
                    .signed_with(&token(), Mode::Live, at)
            }),
            "cause=\"clock-offset\" detail=\"the request's time is 412 s behind this server's clock\" advice=\"Set both \
             clocks by NTP. If the clocks are right, an old request was sent again.\"",
        ),
        (
            Box::new(|server| {
                let call = server.request("GET", PATH);
                let call = call.signed_with(&token(), Mode::Test, hand.now());
                call.without("X-Churnkey-Mode")
            }),
            "cause=\"mode-header-dropped\" detail=\"it was signed for test mode\" advice=\"Let X-Churnkey-Mode \
             through: add it to the headers that are forwarded, or stop emptying it.\"",
        ),
        (
            Box::new(|server| {
                let call = server.request("POST", CANCEL);
                let call = call.body(r#"{"customerId": "cus_1"}"#);
                signed(&hand, call, DEMO).body(r#"{"customerId":"cus_1"}"#)
            }),
            "cause=\"body-changed\" detail=\"it was signed for another form of the body, or without it\" \
             advice=\"Forward the body byte by byte, and sign the bytes that are sent.\"",
        ),
        (
            Box::new(|server| {
                signed(&hand, server.request("GET", PATH), DEMO).without("X-Churnkey-Timestamp")
            }),
            "cause=\"timestamp-header-dropped\" detail=\"there is a signature, but no timestamp\" advice=\"Let \
             X-Churnkey-Timestamp through: add it to the headers that are forwarded, or stop emptying it.\"",
        ),
        (
            Box::new(|server| server.request("GET", PATH)),
            "cause=\"authorization-dropped\" detail=\"neither a token nor a signature arrived\" advice=\"Let \
             Authorization through. If the token is in another header, name it with `.token_header(..)`.\"",
        ),
        (
            Box::new(|server| {
                server
                    .request("GET", PATH)
                    .header("Authorization", "Bearer no-such-token-at-all")
            }),
            "cause=\"wrong-token\" detail=\"the token is neither an accepted one nor one that was replaced\" \
             advice=\"Compare both with the Integration Token in Churnkey's dashboard (Settings, Billing Providers, Custom \
             Provider): copy it to the side that has another one. A server reads it when it starts.\"",
        ),
    ];
    for (call, expected) in cases {
        let log = log_of(Level::TRACE, explaining(&hand), call);
        assert_eq!(explanations(&log), [format!("explained {expected}")]);
        let lines = lines_of(&log);
        assert_eq!(lines.len(), 2, "{log}");
        assert!(
            lines[0].contains("http::observe: rejected reason="),
            "{log}"
        );
        let log = log.replace("/churnkey/customers/{id}", "the route");
        for private in [
            DEMO,
            OLD,
            "no-such-token",
            "v1=",
            "ada",
            "example.com",
            "customers/",
            "cus_1",
            "limit=",
        ] {
            assert!(!log.contains(private), "{private}: {log}");
        }
    }
}

#[test]
fn the_prefixes_are_those_of_the_integration() {
    let hand = Hand::new();
    let builder = || explaining(&hand).prefix("/own");
    let log = log_of(Level::WARN, builder().external_prefix("/stage"), |server| {
        signed(&hand, server.request("GET", "/own/features"), DEMO)
    });
    let without =
        "it was signed for a path without /stage: something in front adds it, or it was not signed";
    assert!(explanations(&log)[0].contains(without), "{log}");
    let log = log_of(Level::WARN, builder(), |server| {
        signed(&hand, server.request("GET", "/features"), DEMO).path("/own/features")
    });
    assert!(
        explanations(&log)[0].contains("a path without /own:"),
        "{log}"
    );
}

#[test]
fn there_is_one_explanation_a_second_at_most_by_the_integrations_clock() {
    let hand = Hand::new();
    let integration = explaining(&hand).build().unwrap();
    let log = log_while(Level::WARN, async {
        let server = served(integration).await;
        let refuse = || server.request("GET", PATH).header("Authorization", OLD);
        for (millis, calls) in [(0, 3), (999, 2), (1, 2), (5_000, 1)] {
            hand.advance(millis);
            for _ in 0..calls {
                assert_eq!(refuse().send().await.status, 401);
            }
        }
    });
    assert_eq!(log.matches("rejected reason=").count(), 8, "{log}");
    assert_eq!(explanations(&log).len(), 3, "{log}");
}

#[test]
fn without_explain_refusals_nothing_is_explained() {
    let hand = Hand::new();
    let builder = shop(&hand).replaced_token(secret(OLD));
    let log = log_of(Level::TRACE, builder, |server| {
        signed(&hand, server.request("GET", PATH), OLD)
    });
    assert_eq!(lines_of(&log).len(), 1, "{log}");
    assert!(log.contains("rejected reason=\"a wrong signature"), "{log}");
}

#[test]
fn an_accepted_call_is_not_explained() {
    let hand = Hand::new();
    let integration = explaining(&hand).build().unwrap();
    let log = log_while(Level::TRACE, async {
        let server = served(integration).await;
        for path in ["/churnkey/features", "/churnkey/nothing"] {
            let status = signed(&hand, server.request("GET", path), DEMO)
                .send()
                .await
                .status;
            assert_ne!(status, 401);
        }
    });
    assert_eq!(explanations(&log), Vec::<String>::new(), "{log}");
    assert_eq!(
        log.lines().filter(|line| line.contains("WARN")).count(),
        0,
        "{log}"
    );
}

/// Everything that the caller can see, apart from what differs between any two requests.
fn visible(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| name != "date" && name != "x-request-id");
    (reply.status, headers, reply.body.clone())
}

#[tokio::test]
async fn a_replaced_token_authenticates_nobody_and_changes_no_answer() {
    let hand = Hand::new();
    let off = served(shop(&hand).build().unwrap()).await;
    let on = served(explaining(&hand).build().unwrap()).await;
    let only_named = served(shop(&hand).replaced_token(secret(OLD)).build().unwrap()).await;
    let plain = format!("Bearer {OLD}");
    for (method, path) in [
        ("GET", PATH),
        ("GET", "/churnkey/features"),
        ("POST", CANCEL),
    ] {
        let unknown = visible(&off.request(method, path).send().await);
        assert_eq!(unknown.0, 401);
        for server in [&off, &on, &only_named] {
            let call = || server.request(method, path);
            for call in [
                call().header("Authorization", &plain),
                call().header("Authorization", OLD),
                signed(&hand, call(), OLD),
            ] {
                assert_eq!(visible(&call.send().await), unknown, "{method} {path}");
            }
        }
    }
    let right = signed(&hand, on.request("GET", "/churnkey/features"), DEMO);
    assert_eq!(right.send().await.status, 200);
}

#[tokio::test]
async fn the_last_use_of_each_accepted_token_is_known() {
    let hand = Hand::new();
    let newer = "ck-the-token-that-comes-next";
    let integration = shop(&hand).also_accept(secret(newer)).build().unwrap();
    let server = served(integration.clone()).await;
    let plain = |key: &str| {
        let call = server.request("GET", "/churnkey/features");
        call.header("Authorization", key).send()
    };
    assert_eq!(integration.tokens_last_used(), [None, None]);

    assert_eq!(plain("ck-another-token-altogether").await.status, 401);
    assert_eq!(plain(OLD).await.status, 401);
    assert_eq!(integration.tokens_last_used(), [None, None]);

    let first = hand.now();
    assert_eq!(plain(newer).await.status, 200);
    assert_eq!(integration.tokens_last_used(), [None, Some(first)]);

    hand.advance(60_000);
    let second = hand.now();
    let call = signed(&hand, server.request("GET", "/churnkey/features"), DEMO);
    assert_eq!(call.send().await.status, 200);
    assert_eq!(integration.tokens_last_used(), [Some(second), Some(first)]);

    hand.advance(60_000);
    let call = signed(&hand, server.request("GET", "/churnkey/features"), newer);
    assert_eq!(call.send().await.status, 200);
    assert_eq!(
        integration.tokens_last_used(),
        [Some(second), Some(hand.now())]
    );
}

#[test]
fn a_further_token_in_use_is_logged_once_a_day() {
    let hand = Hand::new();
    let newer = "ck-the-token-that-comes-next";
    let integration = shop(&hand).also_accept(secret(newer)).build().unwrap();
    let log = log_while(Level::INFO, async {
        let server = served(integration).await;
        let hour = 60 * 60 * 1000;
        for hours in [0, 0, 23, 1, 1] {
            hand.advance(hours * hour);
            for key in [DEMO, newer] {
                let call = server.request("GET", "/churnkey/features");
                let call = call.header("Authorization", key);
                assert_eq!(call.send().await.status, 200);
            }
        }
    });
    let said: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("also_accept"))
        .collect();
    assert_eq!(said.len(), 2, "{log}");
    for line in said {
        let says = "churnkey_integrator::tenants::tenant: a token of also_accept is in use: before you drop it, let the \
                    caller have the builder's token position=1";
        assert!(
            line.starts_with(" INFO churnkey{") && line.ends_with(says),
            "{line}"
        );
    }
    assert!(!log.contains(newer), "{log}");
}

/// `north` and `south`, each with a token of its own.
struct Two([Tenant; 2]);

#[async_trait]
impl TenantResolver for Two {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        let name = request.path_parameter("tenant");
        let found = self.0.iter().find(|one| Some(one.id().as_str()) == name);
        Ok(found.cloned())
    }
}

#[test]
fn a_tenants_refusal_is_explained_by_its_own_tokens() {
    let hand = Hand::new();
    let tenant =
        |name: &str, key: &str| Tenant::new(TenantId::new(name).unwrap(), name, secret(key));
    let (north, south) = ("ck-the-token-of-the-north", "ck-the-token-of-the-south");
    let north_tenant = tenant("north", north);
    let two = Two([north_tenant.clone(), tenant("south", south)]);
    let builder = demo::controllers(Integration::for_tenants(two)).explain_refusals();
    let clock = hand.clone();
    let integration = builder.clock(move || clock.now()).build().unwrap();
    assert_eq!(integration.tokens_last_used(), []);
    let app: Router = Router::new().nest("/t/{tenant}", integration.into_router());
    let log = log_while(Level::WARN, async {
        let server = Server::start(app, &token()).await;
        for key in [north, south] {
            hand.advance(1000);
            let call = server.request("GET", "/api/t/north/churnkey/features");
            let call = signed(&hand, call, key).path("/t/north/churnkey/features");
            assert_eq!(call.send().await.status, 401);
        }
        // Unknown, and so nothing to compare with.
        let call = server.request("GET", "/t/east/churnkey/features");
        hand.advance(1000);
        assert_eq!(signed(&hand, call, north).send().await.status, 401);
        assert_eq!(north_tenant.tokens_last_used(), [None]);
        let call = server.request("GET", "/t/north/churnkey/features");
        assert_eq!(signed(&hand, call, north).send().await.status, 200);
        assert_eq!(north_tenant.tokens_last_used(), [Some(hand.now())]);
    });
    let causes: Vec<String> = explanations(&log)
        .iter()
        .map(|said| said.split('"').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(causes, ["prefix-stripped", "wrong-token"]);
}

#[test]
fn a_replaced_token_is_not_for_an_integration_with_tenants() {
    let two = Two([
        Tenant::new(TenantId::new("north").unwrap(), "north", token()),
        Tenant::new(TenantId::new("south").unwrap(), "south", token()),
    ]);
    let builder = demo::controllers(Integration::for_tenants(two));
    let error = builder.replaced_token(secret(OLD)).build().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("\n- .replaced_token(..) is not for"),
        "{error}"
    );
}

#[test]
fn the_explanation_is_the_same_for_a_signature_among_several() {
    let hand = Hand::new();
    let log = log_of(Level::WARN, explaining(&hand), |server| {
        let of = |key: &str| {
            let key = secret(key);
            let signature = sign(&key, &Method::GET, "/features", Mode::Live, b"", hand.now());
            signature.signature().to_owned()
        };
        let both = format!("{},{}", of("ck-some-token-or-other"), of(DEMO));
        server
            .request("GET", "/churnkey/features")
            .header(
                "X-Churnkey-Timestamp",
                &hand.now().unix_seconds().to_string(),
            )
            .header("X-Churnkey-Signature", &both)
    });
    assert!(
        explanations(&log)[0].starts_with("explained cause=\"prefix-added\""),
        "{log}"
    );
}
