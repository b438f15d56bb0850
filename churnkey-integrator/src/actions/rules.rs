//! The usual reasons to reject an action, each a 400 (contract, section 2.6).
//!
//! An action is idempotent: a request for a state that is already reached is not rejected, but answered `Ok(())`.

use crate::error::HandlerError;

impl HandlerError {
    /// A 400: the subscription is cancelled, so it can't be changed. Only cancelling it again is no error.
    #[must_use]
    pub fn subscription_canceled() -> Self {
        Self::bad_request("The subscription is canceled")
    }

    /// A 400: the subscription already has another pause than the requested one, now or scheduled.
    #[must_use]
    pub fn already_paused() -> Self {
        Self::bad_request("The subscription is paused already")
    }

    /// A 400: the features or the request don't allow annual subscriptions to be paused. The framework checks that for one
    /// subscription. For all subscriptions of a customer, the action has to.
    #[must_use]
    pub fn annual_pause_not_allowed() -> Self {
        Self::bad_request("An annual subscription can't be paused")
    }

    /// A 400: the subscription is not in trial, so its trial can't be extended.
    #[must_use]
    pub fn not_in_trial() -> Self {
        Self::bad_request("The subscription is not in trial")
    }

    /// A 400: the trial was extended before, and may be extended once only.
    #[must_use]
    pub fn trial_already_extended() -> Self {
        Self::bad_request("The trial has been extended already")
    }

    /// A 400: the date of the duration is in the past, or before the end that it would replace.
    #[must_use]
    pub fn date_too_early() -> Self {
        Self::bad_request("duration.date is too early")
    }

    /// A 400: the coupon has expired.
    #[must_use]
    pub fn coupon_expired() -> Self {
        Self::bad_request("The coupon has expired")
    }

    /// A 400: the coupon has no redemptions left.
    #[must_use]
    pub fn coupon_used_up() -> Self {
        Self::bad_request("The coupon has no redemptions left")
    }

    /// A 400: the subscription has several line items, and the request does not say whose price to change (contract, section
    /// 5.5).
    #[must_use]
    pub fn several_items() -> Self {
        Self::bad_request("The subscription has several items, so that its price can't be changed")
    }
}
