//! What Churnkey still needs of an integration.

use std::fmt;

use crate::{
    http::{
        About, Without,
        actions::{apply_coupon, cancel, change_price, extend_trial, pause},
        coupons, customers, prices, subscriptions,
    },
    operation::Operation,
};

/// The parts that Churnkey wants, in the order in which a merchant would add them.
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

/// What Churnkey still needs before an integration can be published (contract, section 1.2), and what it would offer if
/// there were more. `Display` is one line for a log.
///
/// ```
/// # use churnkey_integrator::{Integration, IntegrationToken, testing::demo};
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let customers = demo::Shop;
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
    pub(crate) fn of(served: &[Operation]) -> Self {
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

    /// The builder's methods whose controllers Churnkey needs and that were not called.
    #[must_use]
    pub fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    /// What Churnkey can't offer to this merchant's customers, a sentence each. Nothing of it keeps an integration from
    /// being published.
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
