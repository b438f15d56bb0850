//! What Churnkey still needs of an integration.

use std::fmt;

use crate::operation::{
    ApplyCouponOperation, CancelOperation, ChangePriceOperation, CouponsOperation,
    CustomersOperation, ExtendTrialOperation, Operation, PauseOperation, PricesOperation,
    SubscriptionsOperation,
};

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
        let without = |wanted: &[(Operation, &'static str)]| {
            let wanted = wanted.iter();
            let missing = wanted.filter(|(operation, _)| !served.contains(operation));
            missing.map(|(_, text)| *text).collect()
        };
        Self {
            missing: without(&[
                (PricesOperation::Retrieve.into(), ".prices(..)"),
                (
                    SubscriptionsOperation::Retrieve.into(),
                    ".subscriptions(..)",
                ),
            ]),
            unavailable: without(&[
                (
                    CustomersOperation::FindByEmail.into(),
                    "no managed flow by e-mail without find_by_email",
                ),
                (
                    CustomersOperation::FindByPhone.into(),
                    "no managed flow by phone without find_by_phone",
                ),
                (
                    CancelOperation::Cancel.into(),
                    "no cancel flow, and no offers in it, without .cancel(..)",
                ),
                (
                    PauseOperation::Pause.into(),
                    "no pause offers without .pause(..)",
                ),
                (
                    CouponsOperation::Retrieve.into(),
                    "no discounts without .coupons(..)",
                ),
                (
                    ApplyCouponOperation::ApplyCoupon.into(),
                    "no discount offers without .apply_coupon(..)",
                ),
                (
                    ExtendTrialOperation::ExtendTrial.into(),
                    "no trial extension offers without .extend_trial(..)",
                ),
                (
                    ChangePriceOperation::ChangePrice.into(),
                    "no plan change offers without .change_price(..)",
                ),
            ]),
        }
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
