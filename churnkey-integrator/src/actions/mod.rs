//! The actions, by which Churnkey changes a merchant's subscriptions: one trait per action (contract, section 5).
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
//! Put [`#[controller]`](macro@crate::controller) on the `impl` block. Without it, the compiler's first error is about
//! lifetimes.
//!
//! # Before an action runs
//! 1. The request is authenticated, and its body is read into a typed request.
//! 2. The request is checked against the action's features. What they don't allow is a 400 that names the field.
//! 3. The subscription is fetched through the registered controller. If the customer has no such subscription, the answer is
//!    404. The coupon and the price that the request names are fetched in the same way.
//!
//! A subscription can change before the action locks it, so check again what matters. The merchant's own rules are up to the
//! action: [`HandlerError`](crate::HandlerError) has constructors for the usual ones, such as
//! [`not_in_trial`](crate::HandlerError::not_in_trial).
//!
//! # Retries
//! Callers retry. If a request is signed or has an `Idempotency-Key`, an action that was done is not done again for a day
//! ([`idempotency`](crate::idempotency)). Other requests can't be recognized, so make every action idempotent: if the
//! subscription is already as requested, change nothing and return `Ok(())`.
//!
//! # Deadlines and disconnects
//! An action that has begun goes on even if its caller disconnects or the request's deadline passes. It is dropped only at
//! the [action's own deadline](crate::IntegrationBuilder::action_deadline), at an `.await`. So make changes that belong
//! together in one transaction.

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
#[cfg(feature = "openapi")]
pub(crate) use timing::longest;
pub use timing::{ActionDuration, Durations, Schedule, Schedules};
