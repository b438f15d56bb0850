//! The merchant that is called: the in-memory example with the demo data.

use std::cell::RefCell;

use axum::{Router, body::Body};
use bytes::Bytes;
use churnkey_conformance::Answer;
use churnkey_integrator::{IntegrationToken, Mode, Timestamp, sign};
use example_app::{Clock, Demo, demo_token};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use in_memory::{churnkey, store::Store};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Actions leave traces, such as further discounts. A fresh store keeps a call's time and answer independent of how many
/// came before it.
const CALLS_TO_ONE_STORE: u32 = 1_000;

thread_local! {
    static MERCHANT: RefCell<Merchant> = RefCell::new(Merchant::new());
}

struct Merchant {
    runtime: Runtime,
    token: IntegrationToken,
    now: Timestamp,
    router: Router,
    calls: u32,
}

impl Merchant {
    fn new() -> Self {
        let now = Demo::load().unwrap().clock;
        Self {
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
            token: demo_token().unwrap(),
            now,
            router: router(),
            calls: 0,
        }
    }
}

fn router() -> Router {
    let demo = Demo::load().unwrap();
    let now = demo.clock;
    let store = Store::new(Clock::Frozen(now));
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    let builder = churnkey::builder(&store, demo_token().unwrap());
    builder.clock(move || now).build().unwrap().into_router()
}

/// The headers of a right signature of this call, under the merchant's token and at its time.
pub(crate) fn signed(method: &Method, path: &str, mode: Mode, body: &[u8]) -> HeaderMap {
    MERCHANT.with_borrow(|merchant| {
        let signature = sign(&merchant.token, method, path, mode, body, merchant.now);
        signature.headers().collect()
    })
}

/// Sends a request, and checks what holds for every answer.
pub(crate) fn answer(mut request: Request<Vec<u8>>) -> Answer {
    let method = request.method().clone();
    let body = std::mem::take(request.body_mut());
    let request = request.map(|_| Body::from(body));
    let response: Response<Bytes> = MERCHANT.with_borrow_mut(|merchant| {
        merchant.calls += 1;
        if merchant.calls % CALLS_TO_ONE_STORE == 0 {
            merchant.router = router();
        }
        let router = merchant.router.clone();
        merchant.runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
        })
    });
    assert!(response.headers().contains_key("x-request-id"));
    let answer = Answer::of(method.clone(), response);
    assert!(answer.status() < 500, "a server error: {answer:?}");
    if method != Method::HEAD {
        answer.check().expect("an answer in the contract's shape");
    }
    answer
}
