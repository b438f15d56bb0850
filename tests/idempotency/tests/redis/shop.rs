//! A merchant in this process, and what a caller sends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use churnkey_integrator::{
    ExtendTrialAction, Integration, IntegrationToken, Mode, RequestContext, Result, Timestamp,
    actions::{Durations, ExtendTrialFeatures, ExtendTrialRequest},
    controller, sign,
};
use churnkey_integrator_redis::RedisIdempotency;
use http::{Method, Request, Response};
use idempotency_tests::Catalogue;
use tokio::time::sleep;
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "a-token-for-this-test";
const PATH: &str = "/churnkey/actions/subscription/extend-trial";

fn token() -> IntegrationToken {
    IntegrationToken::new(TOKEN).unwrap()
}

/// How often the trial was extended.
#[derive(Clone, Default)]
pub(crate) struct Shop {
    extended: Arc<AtomicUsize>,
    takes: Duration,
}

#[controller]
impl ExtendTrialAction for Shop {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, _: &RequestContext, _: &ExtendTrialRequest) -> Result<()> {
        self.extended.fetch_add(1, Ordering::SeqCst);
        sleep(self.takes).await;
        Ok(())
    }
}

impl Shop {
    /// Whose action takes some time.
    pub(crate) fn slow(takes: Duration) -> Self {
        Self {
            takes,
            ..Self::default()
        }
    }

    pub(crate) fn times(&self) -> usize {
        self.extended.load(Ordering::SeqCst)
    }

    pub(crate) fn router(&self, store: RedisIdempotency) -> Router {
        let integration = Integration::builder("Shop", token())
            .customers(Catalogue)
            .prices(Catalogue)
            .subscriptions(Catalogue)
            .cancel(Catalogue)
            .extend_trial(self.clone())
            .idempotency(store);
        integration.live_only().build().unwrap().into_router()
    }
}

/// A signed extension by so many days, to be sent any number of times: the same request each time.
#[derive(Clone)]
pub(crate) struct Extension {
    pub(crate) days: usize,
    signed_at: Timestamp,
}

impl Extension {
    pub(crate) fn by(days: usize) -> Self {
        let signed_at = Timestamp::now();
        Self { days, signed_at }
    }

    /// With the whole address of a server, or without one.
    pub(crate) fn request(&self, server: &str) -> Request<String> {
        let body = format!(
            r#"{{"customerId":"cus_1","subscriptionId":"sub_1","duration":{{"amount":{},"unit":"day"}}}}"#,
            self.days
        );
        let at = self.signed_at;
        let signature = sign(
            &token(),
            &Method::POST,
            PATH,
            Mode::Live,
            body.as_bytes(),
            at,
        );
        let mut request = Request::post(format!("{server}{PATH}"));
        for (name, value) in signature.headers() {
            request = request.header(name, value);
        }
        request = request.header("content-type", "application/json");
        request.body(body).unwrap()
    }

    pub(crate) async fn send(&self, router: &Router) -> Answer {
        let request = self.request("").map(Body::from);
        Answer::of(&router.clone().oneshot(request).await.unwrap())
    }

    /// Sends it until it is done.
    pub(crate) async fn send_until_done(&self, router: &Router) {
        for _ in 0..200 {
            if self.send(router).await == Answer::DONE {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("it is not done after ten seconds");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
}

impl Answer {
    pub(crate) const DONE: Self = Self {
        status: 200,
        retry_after: None,
    };
    pub(crate) const RUNNING: Self = Self {
        status: 409,
        retry_after: Some(1),
    };
    pub(crate) const UNAVAILABLE: Self = Self {
        status: 503,
        retry_after: Some(1),
    };

    pub(crate) fn of<B>(response: &Response<B>) -> Self {
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
        Self {
            status: response.status().as_u16(),
            retry_after,
        }
    }
}
