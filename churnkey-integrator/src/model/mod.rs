//! The models that Churnkey reads, one file each (contract, section 3).
//!
//! Every model has a constructor that takes the required fields, and a `with_*` method for each optional field. A `with_*`
//! method takes the value or an `Option` of it, so that a nullable column fits; see [`OptionalText`].
//!
//! A record, such as a [`Customer`] or a [`Price`], is one pointer to fields that its clones share, so a store in memory
//! hands out clones for the price of a counter. A `with_*` method copies the fields first if a clone shares them.
//!
//! An absent field is omitted from the JSON. When JSON is read, an optional field may be absent or `null`, and unknown
//! fields are ignored.

mod column;
mod coupon;
mod customer;
mod cycle;
mod family;
mod metadata;
mod price;
mod product;
mod subscription;

pub use coupon::{Coupon, CouponDuration, CouponValue, Discount, Redemptions};
pub use customer::{Address, Country, Customer, InvalidCountry};
pub use cycle::{BillingDuration, CycleUnit, Period};
pub use family::Family;
pub use metadata::Metadata;
pub use price::{Price, PriceAmount, PriceType, Tier, TierMode, Tiers};
pub use product::{Product, ProductType};
pub use subscription::{Item, Pause, Subscription, SubscriptionStatus};

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::{money::MAX_SAFE_INTEGER, pii::Private};

/// `null` is read as an absent list or map, because Churnkey's samples in other languages write it.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The value of a field is not valid. The message names the field as the JSON does, and the rule. The value is not
/// repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {rule}")]
pub struct InvalidField {
    field: &'static str,
    rule: &'static str,
}

impl InvalidField {
    /// A field of your own mapping, and the rule that its value breaks: `must be month or year`. Both are written in the
    /// program, so that no value can get into the log by them.
    ///
    /// ```
    /// use churnkey_integrator::model::InvalidField;
    ///
    /// let error = InvalidField::new("status", "must be one that Churnkey knows");
    /// assert_eq!(error.to_string(), "`status` must be one that Churnkey knows");
    /// ```
    #[must_use]
    pub const fn new(field: &'static str, rule: &'static str) -> Self {
        Self { field, rule }
    }

    /// Refuses an integer that JavaScript does not represent exactly.
    fn unless_safe(field: &'static str, number: u64) -> Result<(), Self> {
        if number > MAX_SAFE_INTEGER {
            return Err(Self::new(
                field,
                "must be at most 9007199254740991, the largest integer that JavaScript represents exactly",
            ));
        }
        Ok(())
    }

    /// The name of the field in the JSON.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }
}

/// An optional text, which the `with_*` methods for texts take: made of a `String`, a `&str`, or an `Option` of either.
///
/// ```
/// # use churnkey_integrator::{CustomerId, model::Customer};
/// # let customer = Customer::new(CustomerId::new("cus_1")?);
/// # struct Row { name: Option<String> }
/// # let row = Row { name: None };
/// let customer = customer.with_name("Ada"); // a literal
/// let customer = customer.with_name(row.name); // a nullable column
/// # assert_eq!(customer.name(), None);
/// # Ok::<(), churnkey_integrator::InvalidId>(())
/// ```
#[derive(Clone)]
pub struct OptionalText(Option<String>);

impl OptionalText {
    fn into_private(self) -> Option<Private> {
        self.0.map(Private::from)
    }
}

impl From<String> for OptionalText {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<&str> for OptionalText {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl From<Option<String>> for OptionalText {
    fn from(text: Option<String>) -> Self {
        Self(text)
    }
}

impl From<Option<&str>> for OptionalText {
    fn from(text: Option<&str>) -> Self {
        Self(text.map(str::to_owned))
    }
}

/// Shows nothing of the text, which may be about a person.
impl fmt::Debug for OptionalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OptionalText([redacted])")
    }
}
