//! What an integration still lacks for Churnkey.

use std::fmt;

use crate::{
    http::{
        About, Without,
        actions::{apply_coupon, cancel, change_price, extend_trial, pause},
        coupons, customers, prices, subscriptions,
    },
    operation::Operation,
};

/// The parts that Churnkey uses, in the order in which a merchant would add them.
const WANTED: [&About; 9] = [
    &customers::ABOUT,
    &prices::ABOUT,
    &subscriptions::ABOUT,
    &cancel::ABOUT,
    &pause::ABOUT,
    &coupons::ABOUT,
    &apply_coupon::ABOUT,
    &extend_trial::ABOUT,
    &change_price::ABOUT,
];

/// What Churnkey still needs before an integration can be published (contract, section 1.2), and which offers it can't make
/// yet. `Display` is one line for a log.
///
/// ```
/// # use churnkey_integrator::{CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result, controller, model::Customer};
/// # struct Shop;
/// # #[controller]
/// # impl CustomersController for Shop {
/// #     async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> { Ok(None) }
/// # }
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let customers = Shop;
/// let integration = Integration::builder("Acme", token).customers(customers).build()?;
/// let readiness = integration.readiness();
/// assert!(!readiness.is_ready());
/// assert_eq!(readiness.missing(), [".prices(..)", ".subscriptions(..)"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    missing: Vec<&'static str>,
    unavailable: Vec<&'static str>,
}

impl Readiness {
    /// The readiness of an integration that serves these operations, for example by its features manifest.
    #[must_use]
    pub fn of(served: impl IntoIterator<Item = Operation>) -> Self {
        let served: Vec<Operation> = served.into_iter().collect();
        let mut readiness = Self {
            missing: Vec::new(),
            unavailable: Vec::new(),
        };
        for without in WANTED.iter().flat_map(|part| part.without) {
            let (operation, text, texts) = match without {
                Without::Publication(operation, text) => (operation, text, &mut readiness.missing),
                Without::Offer(operation, text) => (operation, text, &mut readiness.unavailable),
            };
            if !served.contains(operation) {
                texts.push(*text);
            }
        }
        readiness
    }

    /// Whether Churnkey has all that it needs to publish the integration.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.missing.is_empty()
    }

    /// The builder methods that have to be called before Churnkey can publish the integration.
    #[must_use]
    pub fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    /// What Churnkey can't offer to this merchant's customers, one sentence each. The integration can be published without.
    #[must_use]
    pub fn unavailable(&self) -> &[&'static str] {
        &self.unavailable
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ready() {
            f.write_str("Churnkey has what it needs to publish this integration")?;
        } else {
            let missing = self.missing.join(" and ");
            write!(
                f,
                "Churnkey can't publish this integration before it has {missing}"
            )?;
        }
        for feature in &self.unavailable {
            write!(f, "; {feature}")?;
        }
        Ok(())
    }
}
