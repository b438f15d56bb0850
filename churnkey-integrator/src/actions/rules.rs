//! The rules by which merchants usually refuse an action, each a 400 (contract, section 2.6).
//!
//! An action is idempotent: asking for a state that is reached already is no error, and answered `Ok(())`.

use crate::error::HandlerError;

impl HandlerError {
    /// A 400: nothing can be done with a subscription that is cancelled, but to cancel it, which is no error.
    #[must_use]
    pub fn subscription_canceled() -> Self {
        Self::bad_request("The subscription is canceled")
    }

    /// A 400: the subscription is paused, or will be, in another way than the one that was asked for.
    #[must_use]
    pub fn already_paused() -> Self {
        Self::bad_request("The subscription is paused already")
    }

    /// A 400: annual subscriptions are not paused. The framework answers it where the features or the request say
    /// so; for the "all" form that is the merchant's part.
    #[must_use]
    pub fn annual_pause_not_allowed() -> Self {
        Self::bad_request("An annual subscription can't be paused")
    }

    /// A 400: only a trial can be extended.
    #[must_use]
    pub fn not_in_trial() -> Self {
        Self::bad_request("The subscription is not in trial")
    }

    /// A 400: the trial was extended before, and that is allowed once.
    #[must_use]
    pub fn trial_already_extended() -> Self {
        Self::bad_request("The trial has been extended already")
    }

    /// A 400: the date of a duration is not after what it should come after.
    #[must_use]
    pub fn date_too_early() -> Self {
        Self::bad_request("duration.date is too early")
    }

    /// A 400: the coupon can't be redeemed any more because of its date.
    #[must_use]
    pub fn coupon_expired() -> Self {
        Self::bad_request("The coupon has expired")
    }

    /// A 400: the coupon has been redeemed as often as it may be.
    #[must_use]
    pub fn coupon_used_up() -> Self {
        Self::bad_request("The coupon has no redemptions left")
    }

    /// A 400: nobody can tell which item's price should change (contract, section 5.5).
    #[must_use]
    pub fn several_items() -> Self {
        Self::bad_request("The subscription has several items, so that its price can't be changed")
    }
}
