//! The conformance suite: does what an integration serves keep the contract?
//!
//! One call in a merchant's own tests:
//!
//! ```
//! # use std::sync::Arc;
//! # use churnkey_integrator::{Integration, IntegrationToken, testing::demo};
//! use churnkey_integrator::testing::{Disposable, Fixtures, conformance};
//! # let token = IntegrationToken::new("a-token-for-this-example")?;
//! # let ledger = Arc::new(demo::Ledger::default());
//! # let integration = Integration::builder("Acme", token)
//! #     .customers(demo::Shop).prices(demo::Shop).coupons(demo::Shop)
//! #     .subscriptions(Arc::clone(&ledger)).cancel(ledger).build()?;
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//!
//! // #[tokio::test]
//! // async fn churnkey_can_work_with_us() {
//! let fixtures = Fixtures::new("cus_1", "cus_nobody")
//!     .subscription("cus_1", "sub_1")
//!     .price("price_1")
//!     .coupon("coupon_1")
//!     // Nothing is changed but what is given away.
//!     .disposable(Disposable::to_cancel("cus_1", "sub_2"));
//! conformance(&integration, &fixtures).await.assert_passed();
//! // }
//! # let report = conformance(&integration, &fixtures).await;
//! # assert_eq!(report.findings().len(), 1, "a disposable lasts for one run: {report}");
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is checked
//! What the manifest lists, and that nothing else is there. The suite knows an integration by its manifest and its answers
//! alone, in process as at a URL. An operation that is served but for which the fixtures name nothing to
//! look for is a finding as well, so that nothing goes untested in silence. A [`Finding`] says which rule was broken, where the
//! contract has it, and which feature of Churnkey the merchant goes without until it is mended. The [`Report`] is text
//! by `Display`, and JSON by [`to_json`](Report::to_json).
//!
//! # What is changed
//! An action is done only to a [`Disposable`]. Without one it is still checked for everything that it must refuse: unknown and
//! foreign subscriptions, bodies that can't be read, options that the manifest does not declare. An integration of this
//! crate refuses these before the merchant's code runs; should one not refuse them, it may change a fixture, so give
//! fixtures of a test's store. The report names the actions that were not done ([`Report::unwritten`]).
//!
//! # In process, or at a URL
//! With the feature `testing-http` there is `conformance_at`, which checks what listens at a URL and needs nothing
//! but the token.
//!
//! # What is not checked
//! What no caller can see: whether look-ups use an index, what happens when the store is gone, or which `limit` is the
//! merchant's largest.

mod actions;
mod customers;
mod fixtures;
mod listing;
mod records;
mod references;
#[cfg(feature = "testing-http")]
mod remote;
mod report;
mod rule;
mod subscriptions;
mod wire;

pub use fixtures::{Disposable, Fixtures};
#[cfg(feature = "testing-http")]
pub use remote::{NotChecked, conformance_at};
pub use report::{Finding, Report};
pub use rule::Rule;

use serde_json::Value;

use self::{listing::Listing, report::Verdict, wire::is_advertised};
use super::{Answer, Client};
use crate::{
    context::Mode,
    integration::Integration,
    operation::{
        CouponsOperation, CustomersOperation, FamiliesOperation, Operation, PricesOperation,
        ProductsOperation, SubscriptionsOperation,
    },
};

/// Checks every operation of the contract: what the manifest lists, and that nothing else is there.
pub async fn conformance(integration: &Integration, fixtures: &Fixtures) -> Report {
    let client = Client::new(integration);
    let prefix = integration.prefix();
    let manifest = client.get_unchecked(&format!("{prefix}/features")).await;
    Suite::new(client, prefix.to_owned(), manifest.body, fixtures)
        .await
        .run()
        .await
}

/// A run in progress.
struct Suite {
    prefix: String,
    client: Client,
    manifest: Value,
    /// What the manifest lists.
    served: Vec<Operation>,
    live_only: bool,
    takes_plain_tokens: bool,
    /// Live customers other than the one of the subscription.
    others: Vec<String>,
    fixtures: Fixtures,
    report: Report,
}

impl Suite {
    /// Nothing is known of the integration but its manifest and what it answers.
    async fn new(client: Client, prefix: String, manifest: Value, fixtures: &Fixtures) -> Self {
        let features = format!("{prefix}/features");
        // Where there is no test data, test mode is refused before anything else is looked at.
        let in_test = client.in_mode(Mode::Test).get_unchecked(&features).await;
        Self {
            prefix,
            client,
            served: Operation::all()
                .filter(|operation| is_advertised(&manifest, *operation))
                .collect(),
            manifest,
            live_only: in_test.status == 400,
            takes_plain_tokens: false,
            others: Vec::new(),
            fixtures: fixtures.clone(),
            report: Report::default(),
        }
    }

    async fn run(mut self) -> Report {
        self.takes_plain_tokens = self.plain_token_is_taken().await;
        self.others = self.other_customers().await;
        for operation in Operation::all() {
            if self.serves(operation) {
                self.answers_something(operation).await;
                self.authentication(operation).await;
                self.read(operation).await;
            } else {
                self.answers_nothing(operation).await;
            }
        }
        self.actions().await;
        self.lists_under_change().await;
        self.report
    }

    async fn read(&mut self, operation: Operation) {
        match operation {
            Operation::Customers(CustomersOperation::Retrieve) => self.customer().await,
            Operation::Customers(CustomersOperation::FindByEmail) => self.find_by_email().await,
            Operation::Customers(CustomersOperation::FindByPhone) => self.find_by_phone().await,
            Operation::Subscriptions(SubscriptionsOperation::Retrieve) => {
                self.subscription().await;
            }
            Operation::Prices(PricesOperation::Retrieve)
            | Operation::Coupons(CouponsOperation::Retrieve)
            | Operation::Products(ProductsOperation::Retrieve)
            | Operation::Families(FamiliesOperation::Retrieve) => {
                self.catalogue_record(operation).await;
            }
            _ => {
                if operation == SubscriptionsOperation::List.into() {
                    self.lists_are_the_owners().await;
                }
                if let Some(listing) = self.listing(operation) {
                    self.list(&listing).await;
                }
            }
        }
    }

    /// What the operation lists, if it is a list and the fixtures name something in it.
    fn listing(&self, operation: Operation) -> Option<Listing> {
        let fixtures = &self.fixtures;
        let (kind, path, live, test) = match operation {
            Operation::Customers(CustomersOperation::List) => {
                let test = fixtures.test_customer.clone();
                let live = fixtures.customer.clone();
                (
                    records::CUSTOMERS,
                    "/customers".to_owned(),
                    Some(live),
                    test,
                )
            }
            Operation::Subscriptions(SubscriptionsOperation::List) => {
                let subject = fixtures.subscription.clone()?;
                let path = format!("/customers/{}/subscriptions", encoded(&subject.customer));
                (
                    records::SUBSCRIPTIONS,
                    path,
                    Some(subject.subscription),
                    None,
                )
            }
            Operation::Prices(PricesOperation::List)
            | Operation::Coupons(CouponsOperation::List)
            | Operation::Products(ProductsOperation::List)
            | Operation::Families(FamiliesOperation::List) => {
                let (kind, live) = self.catalogue(operation)?;
                (kind, operation.path().to_owned(), live, None)
            }
            _ => return None,
        };
        Some(Listing {
            operation,
            kind,
            path: self.path(&path),
            live,
            test,
        })
    }

    fn serves(&self, operation: impl Into<Operation>) -> bool {
        self.served.contains(&operation.into())
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    fn in_test_mode(&self) -> Client {
        self.client.in_mode(Mode::Test)
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.get_unchecked(&self.path(path)).await
    }

    fn check(&mut self, operation: impl Into<Operation>, rule: Rule, verdict: Verdict) {
        self.report.add(operation.into(), rule, verdict);
    }

    /// The operation is served, but nothing was given to look for.
    fn fixture_is_missing(&mut self, operation: impl Into<Operation>, fixture: &str) {
        let verdict = Err((
            format!("Fixtures::{fixture}(..), as the operation is served"),
            "none, so it could not be checked".to_owned(),
        ));
        self.check(operation, Rule::FixtureGiven, verdict);
    }
}

/// A path segment as it must be written in a URL.
fn encoded(segment: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let mut text = String::new();
    for byte in segment.bytes() {
        if plain(byte) && !matches!(segment, "." | "..") {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
