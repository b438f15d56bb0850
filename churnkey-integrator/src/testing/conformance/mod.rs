//! The conformance suite: does what an integration serves keep the contract?
//!
//! It is chosen by what the integration serves: an operation that is served is checked, and one that is served but
//! for which the fixtures name nothing to look for is a failure as well, so that nothing goes untested in silence.
//!
//! One call in a merchant's own tests:
//!
//! ```
//! # use std::collections::BTreeMap;
//! # use churnkey_integrator::*;
//! # use churnkey_integrator::model::Customer;
//! use churnkey_integrator::testing::{Fixtures, conformance};
//! # struct Shop;
//! # #[controller]
//! # impl CustomersController for Shop {
//! #     async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
//! #         Ok((id.as_str() == "cus_1" && cx.mode() == Mode::Live).then(|| Customer::new(id.clone())))
//! #     }
//! # }
//! # let token = IntegrationToken::new("a-token-for-this-example")?;
//! # let integration = Integration::builder("Acme", token).customers(Shop).build()?;
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//!
//! // #[tokio::test]
//! // async fn churnkey_can_work_with_us() {
//! let fixtures = Fixtures::new("cus_1", "cus_nobody");
//! conformance(&integration, &fixtures).await.assert_passed();
//! // }
//! # });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The suite only reads. It does not cover what no caller can see: whether look-ups use an index, or what happens when
//! the store is gone.

mod customers;
mod listing;
mod report;
mod wire;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub use report::{Finding, Report, Rule};

use super::Client;
use crate::{
    context::Mode,
    integration::Integration,
    operation::{
        CustomersOperation::{FindByEmail, FindByPhone, List, Retrieve},
        Operation,
    },
};

type Hook = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the suite may look for in the merchant's store: records of live mode, unless it says otherwise.
#[derive(Clone)]
#[must_use]
pub struct Fixtures {
    pub(super) customer: String,
    pub(super) missing_customer: String,
    pub(super) test_customer: Option<String>,
    pub(super) email: Option<Contact>,
    pub(super) phone: Option<Contact>,
    pub(super) shared_email: Option<String>,
    pub(super) shared_phone: Option<String>,
    pub(super) between_pages: Option<Hook>,
}

/// A contact and the id of its only owner.
#[derive(Clone)]
pub(super) struct Contact {
    pub(super) value: String,
    pub(super) owner: String,
}

impl Fixtures {
    /// The id of a customer who exists in live mode only, and one that nobody has.
    pub fn new(customer: impl Into<String>, missing_customer: impl Into<String>) -> Self {
        Self {
            customer: customer.into(),
            missing_customer: missing_customer.into(),
            test_customer: None,
            email: None,
            phone: None,
            shared_email: None,
            shared_phone: None,
            between_pages: None,
        }
    }

    /// The id of a customer who exists in test mode only.
    pub fn test_customer(mut self, id: impl Into<String>) -> Self {
        self.test_customer = Some(id.into());
        self
    }

    /// An e-mail address that one live customer has, and their id. Needed if `find_by_email` is served.
    pub fn email(mut self, email: impl Into<String>, owner: impl Into<String>) -> Self {
        self.email = Some(Contact {
            value: email.into(),
            owner: owner.into(),
        });
        self
    }

    /// A phone number that one live customer has, and their id. Needed if `find_by_phone` is served.
    pub fn phone(mut self, phone: impl Into<String>, owner: impl Into<String>) -> Self {
        self.phone = Some(Contact {
            value: phone.into(),
            owner: owner.into(),
        });
        self
    }

    /// An e-mail address that several live customers have, if the store allows that.
    pub fn shared_email(mut self, email: impl Into<String>) -> Self {
        self.shared_email = Some(email.into());
        self
    }

    /// A phone number that several live customers have, if the store allows that.
    pub fn shared_phone(mut self, phone: impl Into<String>) -> Self {
        self.shared_phone = Some(phone.into());
        self
    }

    /// Runs between any two pages of one crawl, to add customers or take some away as a running shop would. Every
    /// customer who is there all along must still come exactly once. Each call should do something new.
    pub fn between_pages<F>(mut self, change: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.between_pages = Some(Arc::new(move || Box::pin(change())));
        self
    }
}

/// Personal data of fixtures is personal data.
impl fmt::Debug for Fixtures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixtures")
            .field("customer", &self.customer)
            .field("missing_customer", &self.missing_customer)
            .field("test_customer", &self.test_customer)
            .finish_non_exhaustive()
    }
}

/// Checks every operation that the integration serves.
pub async fn conformance(integration: &Integration, fixtures: &Fixtures) -> Report {
    let mut suite = Suite {
        prefix: integration.prefix().to_owned(),
        client: Client::new(integration),
        served: integration.operations().collect(),
        max_page: integration.limits().max_page,
        live_only: integration.is_live_only(),
        fixtures: fixtures.clone(),
        report: Report::default(),
    };
    suite.manifest().await;
    for operation in suite.served.clone() {
        suite.authentication(operation).await;
        match operation {
            Operation::Features => {}
            Operation::Customers(Retrieve) => suite.retrieve().await,
            Operation::Customers(List) => suite.list().await,
            Operation::Customers(FindByEmail) => suite.find_by_email().await,
            Operation::Customers(FindByPhone) => suite.find_by_phone().await,
            _ => {}
        }
    }
    suite.report
}

/// A run in progress.
struct Suite {
    prefix: String,
    client: Client,
    served: Vec<Operation>,
    max_page: u16,
    live_only: bool,
    fixtures: Fixtures,
    report: Report,
}

impl Suite {
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    fn in_test_mode(&self) -> Client {
        self.client.in_mode(Mode::Test)
    }

    fn check(
        &mut self,
        operation: impl Into<Operation>,
        rule: Rule,
        verdict: Result<(), (String, String)>,
    ) {
        self.report.add(operation.into(), rule, verdict);
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
