//! Checks a Churnkey integration against the contract, as Churnkey would call it: over HTTP, with signed requests.
//!
//! * [`Client`] calls an integration, in process or at a URL.
//! * [`Fixtures`] name the records that may be used for it.
//! * [`check`] runs the suite, and returns a [`Report`].
//!
//! The suite knows an integration by its features manifest and its answers alone, so that it checks one that is not made
//! with `churnkey-integrator` as well. It is for tests: `cargo add --dev churnkey-conformance`.
//!
//! # In process
//! A test hands over the app as it is served, so that its layers are checked, too. Here the app is only the integration's
//! router:
//!
//! ```
//! use churnkey_conformance::{Client, Fixtures, check};
//! use churnkey_integrator::{
//!     CustomerId, CustomersController, Integration, IntegrationToken, Mode, RequestContext, Result, controller,
//!     model::Customer,
//! };
//!
//! /// One customer, in live mode only.
//! struct Shop;
//!
//! #[controller]
//! impl CustomersController for Shop {
//!     async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
//!         let is_known = cx.mode() == Mode::Live && id.as_str() == "cus_1";
//!         Ok(is_known.then(|| Customer::new(id.clone())))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! // #[tokio::test]
//! // async fn the_shop_conforms_to_the_contract() {
//! let token = IntegrationToken::new("a-token-for-tests-only")?;
//! let integration = Integration::builder("Acme", token.clone()).customers(Shop).build()?;
//! let app: axum::Router = integration.into_router();
//!
//! let client = Client::new(app, token);
//! let fixtures = Fixtures::new("cus_1", "cus_nobody");
//! check(&client, &fixtures).await?.assert_passed();
//! # Ok(())
//! # }
//! ```
//!
//! An integration that is not mounted at `/churnkey` needs [`Client::mounted_at`], and one with a clock of its own
//! [`Client::with_clock`].
//!
//! # At a URL
//! The same with [`Client::at`], for a merchant that runs already, such as a staging server:
//!
//! ```no_run
//! # use churnkey_conformance::{Client, Fixtures, check};
//! # use churnkey_integrator::IntegrationToken;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let token = IntegrationToken::from_env("CK_INTEGRATION_TOKEN")?;
//! let client = Client::at("https://staging.example.com", token)?;
//! let fixtures = Fixtures::new("cus_1", "cus_nobody")
//!     .email("ada@example.com", "cus_1")
//!     .subscription("cus_1", "sub_1")
//!     .price("price_1");
//! let report = check(&client, &fixtures).await?;
//! println!("{report}");
//! # Ok(())
//! # }
//! ```
//!
//! The requests are about live data, and over `http://` anybody on the way can read the token. Call nothing but a
//! merchant of your own.
//!
//! # Fixtures
//! [`Fixtures::new`] takes a customer who exists and an id that nobody has. Everything else that is served needs a fixture
//! of its own: [`subscription`](Fixtures::subscription), [`price`](Fixtures::price), [`email`](Fixtures::email) and so
//! on. One that is missing is a finding, so that nothing goes unchecked in silence.
//!
//! The records exist in live mode only. If both modes have the same prices, coupons, products and families, say so with
//! [`shared_catalogue`](Fixtures::shared_catalogue), or of a part of them with
//! [`shared_prices`](Fixtures::shared_prices) and the like.
//!
//! Customers of the list are looked up by their e-mail address and phone number: each of them is found, or it is a 409
//! because others have it as well. A merchant who prefers one of several owners names that one with
//! [`preferred_by_email`](Fixtures::preferred_by_email).
//!
//! The subscriptions of other customers of the list are looked at too, up to a hundred in all: a row that can't be served,
//! or a price that is not sold any more, is often somebody else's than the fixture's. So the test's store should hold such
//! rows.
//!
//! # What is changed
//! An action is done only to a [`Disposable`], a record that the suite may change for good. Each run needs a fresh one:
//!
//! ```
//! # use std::sync::{Arc, Mutex};
//! # use churnkey_conformance::{Client, check};
//! # use churnkey_integrator::{
//! #     Amount, Currency, CustomerId, CustomersController, Integration, IntegrationToken, ItemId, Mode, Page, PageRequest,
//! #     PriceId, PricesController, RequestContext, Result, SubscriptionId, SubscriptionsController, Timestamp,
//! #     actions::{CancelAction, CancelFeatures, CancelRequest, Schedules},
//! #     controller,
//! #     model::{BillingDuration, Customer, Item, Period, Price, PriceAmount, PriceType, Subscription, SubscriptionStatus},
//! # };
//! # /// One customer with two subscriptions, and when the second one was cancelled.
//! # #[derive(Default)]
//! # struct Shop(Mutex<Option<Timestamp>>);
//! # fn price() -> Result<Price> {
//! #     let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?);
//! #     Ok(Price::standalone(PriceId::new("price_1")?, BillingDuration::MONTHLY, amount))
//! # }
//! # #[controller]
//! # impl CustomersController for Shop {
//! #     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
//! #         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
//! #     }
//! # }
//! # #[controller]
//! # impl PricesController for Shop {
//! #     fn price_type(&self) -> PriceType { PriceType::Standalone }
//! #     async fn retrieve(&self, _: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
//! #         Ok(Some(price()?).filter(|price| price.id() == id))
//! #     }
//! #     async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Price>> {
//! #         Ok(Page::new(vec![price()?], None))
//! #     }
//! # }
//! # #[controller]
//! # impl SubscriptionsController for Shop {
//! #     async fn retrieve(&self, _: &RequestContext, owner: &CustomerId, id: &SubscriptionId) -> Result<Option<Subscription>> {
//! #         if owner.as_str() != "cus_1" || !matches!(id.as_str(), "sub_1" | "sub_2") { return Ok(None) }
//! #         let start = "2026-01-01T00:00:00Z".parse()?;
//! #         let period = Period::new(start, "2026-02-01T00:00:00Z".parse()?)?;
//! #         let end = self.0.lock().map_err(|_| "poisoned")?.filter(|_| id.as_str() == "sub_2");
//! #         let status = end.map_or(SubscriptionStatus::active(period), SubscriptionStatus::canceled);
//! #         let items = [Item::new(ItemId::new("si_1")?, price()?, 1)?];
//! #         Ok(Some(Subscription::new(id.clone(), owner.clone(), status, start, BillingDuration::MONTHLY, items)))
//! #     }
//! # }
//! # #[controller]
//! # impl CancelAction for Shop {
//! #     fn features(&self) -> CancelFeatures { CancelFeatures::new(Schedules::Immediate) }
//! #     async fn cancel(&self, _: &RequestContext, request: &CancelRequest) -> Result<()> {
//! #         assert_eq!(request.subscription().id().as_str(), "sub_2", "the other one is not given away");
//! #         self.0.lock().map_err(|_| "poisoned")?.get_or_insert_with(Timestamp::now);
//! #         Ok(())
//! #     }
//! # }
//! use churnkey_conformance::{Disposable, Fixtures};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let token = IntegrationToken::new("a-token-for-tests-only")?;
//! # let shop = Arc::new(Shop::default());
//! # let builder = Integration::builder("Acme", token.clone()).customers(shop.clone()).prices(shop.clone());
//! # let integration = builder.subscriptions(shop.clone()).cancel(shop).live_only().build()?;
//! # let client = Client::new(integration.into_router(), token);
//! let fixtures = Fixtures::new("cus_1", "cus_nobody")
//!     .subscription("cus_1", "sub_1")
//!     .price("price_1")
//!     .disposable(Disposable::to_cancel("cus_1", "sub_2"));
//! check(&client, &fixtures).await?.assert_passed();
//!
//! // It is canceled by now.
//! let again = check(&client, &fixtures).await?;
//! assert_eq!(again.findings()[0].rule().name(), "fixture-given");
//! # Ok(())
//! # }
//! ```
//!
//! An action may be asked for in several ways: at once or at the end of the period, for a period or until a date. Each way
//! that the manifest declares needs a disposable of its own, in the order that [`Disposable`] has.
//!
//! # What takes effect later
//! A cancellation, a pause or a price may be asked for at the end of the period. The suite sees at once that nothing has
//! changed yet. To see that it changes when the period ends, it has to get there: with
//! [`advance_clock`](Fixtures::advance_clock), which is given a moment, and may call anything.
//!
//! ```
//! # use std::sync::{Arc, Mutex};
//! # use churnkey_conformance::{Disposable, Fixtures};
//! # use churnkey_integrator::Timestamp;
//! # let clock = Arc::new(Mutex::new(Timestamp::now()));
//! let fixtures = Fixtures::new("cus_1", "cus_nobody")
//!     .disposable(Disposable::to_cancel("cus_1", "sub_2"))
//!     .disposable(Disposable::to_cancel("cus_1", "sub_3"))
//!     .advance_clock(move |moment| {
//!         let clock = clock.clone();
//!         async move { *clock.lock().unwrap() = moment }
//!     });
//! # let _ = fixtures;
//! ```
//!
//! Here `sub_2` is canceled at once, and `sub_3` at the end of its period: the clock is advanced to two days after that, and
//! `sub_3` has to be canceled. A merchant at a URL advances the clock of their staging system, or runs the job that ends
//! periods.
//!
//! # What was not checked
//! Without a disposable, an action is still checked for everything that it must reject: unknown and foreign
//! subscriptions, bodies that can't be read, options that the manifest does not declare. An integration made with
//! `churnkey-integrator` rejects these before the merchant's code runs. One that does not may change a fixture, so give
//! fixtures of a test's store. [`Report::skipped`] names what was not done, and what could not be seen for want of a clock:
//!
//! ```text
//! skipped pause with startAt end-of-period and a duration of type date: not checked, add Disposable::to_pause(..)
//! skipped cancel with scheduledAt end-of-period, once the period has ended: not checked, add Fixtures::advance_clock(..)
//! ```
//!
//! # Reading a report
//! A [`Finding`] names the operation and the rule, says what should have come and what came, and which feature of Churnkey
//! the merchant goes without until it is fixed:
//!
//! ```text
//! cancel broke effect-visible (contract, section 5.1): expected the subscription sub_2 with the status canceled; got
//! active; this costs the cancel flow, and every offer in it
//! ```
//!
//! [`Report::assert_passed`] panics with the findings. `Display` is a line for each rule that was kept, each skipped action
//! and each finding. Programs have [`findings`](Report::findings), [`passed`](Report::passed),
//! [`skipped`](Report::skipped) and [`to_json`](Report::to_json).
//!
//! What the log says of a failure is part of a finding if the integration runs in this process.
//!
//! # Stores of idempotency records
//! [`idempotency`] holds an [`IdempotencyStore`] of your own against the rules of that trait. That one is not about an
//! integration, and needs no client.
//!
//! # What is not checked
//! What no caller can see: whether look-ups use an index, what happens when the store is gone, what two actions at the same
//! moment do, or which `limit` is the merchant's largest. Nor is anything compared with the merchant's own records: an
//! amount that is wrong everywhere is not found.
//!
//! [`IdempotencyStore`]: churnkey_integrator::idempotency::IdempotencyStore
#![forbid(unsafe_code)]

mod answer;
mod client;
mod remote;
mod shape;
mod transport;

mod fixtures;
mod report;
mod rule;
mod verdict;

mod actions;
mod catalogue;
mod customers;
mod errors;
mod every_operation;
mod lists;
mod records;
mod references;
mod subscriptions;
mod suite;

mod run;

pub mod idempotency;
pub mod replays;

pub use answer::Answer;
pub use client::{Call, Client};
pub use fixtures::{Disposable, Fixtures};
pub use remote::UrlError;
pub use report::{Finding, Report, Skipped};
pub use rule::Rule;
pub use run::{NotChecked, check};
pub use shape::WrongShape;
pub use suite::served;
pub use transport::RequestBody;

/// The version of bytes that [`RequestBody`] holds.
pub use bytes;
/// The version of churnkey-integrator whose token, clock and operations are meant.
pub use churnkey_integrator;
/// The version of http in the requests and answers of a [`Client`].
pub use http;
/// The version of http-body that the body of an answer implements.
pub use http_body;
/// The version of http-body-util whose `Full` is [`RequestBody`].
pub use http_body_util;
/// The version of serde_json whose `Value` [`Answer::body`] and [`Report::to_json`] return.
pub use serde_json;
/// The version of tower whose `Service` a [`Client`] calls.
pub use tower;
