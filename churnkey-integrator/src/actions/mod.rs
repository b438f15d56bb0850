//! What a merchant implements to be acted on: one trait an action (contract, section 5).
//!
//! | trait | method | route | required? | needs |
//! | --- | --- | --- | --- | --- |
//! | [`CancelAction`] | `cancel` | `POST /churnkey/actions/subscription/cancel` | yes | subscriptions |
//! | | `cancel_all` | `POST /churnkey/actions/customer/cancel` | no | |
//! | [`PauseAction`] | `pause` | `POST /churnkey/actions/subscription/pause` | yes | subscriptions, cancel |
//! | | `pause_all` | `POST /churnkey/actions/customer/pause` | no | |
//! | [`ApplyCouponAction`] | `apply_coupon` | `POST /churnkey/actions/subscription/apply-coupon` | yes | subscriptions, coupons, cancel |
//! | [`ExtendTrialAction`] | `extend_trial` | `POST /churnkey/actions/subscription/extend-trial` | yes | subscriptions, cancel |
//! | [`ChangePriceAction`] | `change_price` | `POST /churnkey/actions/subscription/change-price` | yes | subscriptions, prices, cancel |
//!
//! Put [`#[controller]`](macro@crate::controller) on the `impl` block, as on a controller's; without it the compiler complains
//! about lifetimes first.
//!
//! # What has happened before an action runs
//! 1. The request was authenticated, and its body was read into a typed request.
//! 2. What it asks for lies within the action's features; otherwise it was answered 400 with the field's name.
//! 3. The subscription was fetched through the registered controller, and is the customer's; otherwise 404. So are the
//!    coupon and the price that the request names. A subscription can change before the action
//!    locks it, so look again at what matters.
//!
//! What is left are the merchant's own rules: [`HandlerError`](crate::HandlerError) has a constructor for each usual one, such as
//! [`not_in_trial`](crate::HandlerError::not_in_trial).
//!
//! # Twice
//! Callers retry. Where the caller sends an `Idempotency-Key`, or signs the request, an action that was done is not done
//! again for a day ([`idempotency`](crate::idempotency)). Besides, an action should be idempotent: asking for what is so
//! already is `Ok(())` and changes nothing.
//!
//! # To the end
//! An action that has begun runs on although its caller hangs up or the request's deadline passes. It is dropped only
//! at the [action's own deadline](crate::IntegrationBuilder::action_deadline), between two awaits, so change what belongs together
//! in one transaction.

mod apply_coupon;
mod cancel;
mod change_price;
mod extend_trial;
mod pause;
mod rules;
mod timing;

pub use apply_coupon::{ApplyCouponAction, ApplyCouponRequest};
pub use cancel::{CancelAction, CancelAllRequest, CancelFeatures, CancelRequest};
pub use change_price::{ChangePriceAction, ChangePriceFeatures, ChangePriceRequest};
pub use extend_trial::{ExtendTrialAction, ExtendTrialFeatures, ExtendTrialRequest};
pub use pause::{PauseAction, PauseAllRequest, PauseFeatures, PauseRequest};
pub use timing::{ActionDuration, Durations, Schedule, Schedules};
