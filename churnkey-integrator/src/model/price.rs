//! Price, also called plan (contract, section 3.5).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BillingDuration, InvalidField, OptionalText};
use crate::{
    id::{PriceId, ProductId},
    money::{Amount, Currency},
    variant::words,
};

/// Whether prices are standalone or belong to products. All prices of an integration have one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PriceType {
    /// Prices without products.
    Standalone,
    /// Each price belongs to a product. Needs a products controller.
    Product,
}

words!(PriceType, "price type": Standalone = "standalone", Product = "product");

/// A price, also called a plan (contract, section 3.5). Its type follows from the constructor, so that a price of a
/// product always names the product.
///
/// # Example
/// ```
/// use churnkey_integrator::{
///     Amount, Currency, PriceId, ProductId,
///     model::{BillingDuration, Price, PriceAmount},
/// };
///
/// let price = Price::of_product(
///     ProductId::new("prod_pro")?,
///     PriceId::new("price_pro_month")?,
///     BillingDuration::MONTHLY,
///     PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(2999)?),
/// )
/// .with_name("Pro, monthly");
/// assert_eq!(
///     serde_json::to_value(&price)?,
///     serde_json::json!({
///         "id": "price_pro_month",
///         "type": "product",
///         "duration": { "amount": 1, "unit": "month" },
///         "amount": { "model": "fixed", "currency": "usd", "unit": 2999 },
///         "productId": "prod_pro",
///         "name": "Pro, monthly"
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from, extend(
        "if" = { "properties": { "type": { "const": "product" } } },
        "then" = { "required": ["productId"] },
        "else" = { "properties": { "productId": false } },
    ))
)]
#[serde(try_from = "PriceFields")]
pub struct Price(Arc<PriceFields>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename = "Price", rename_all = "camelCase")]
struct PriceFields {
    /// The merchant's own id of the price.
    id: PriceId,
    /// Whether it belongs to a product.
    r#type: PriceType,
    /// How often it is charged.
    duration: BillingDuration,
    /// How much is charged each time.
    amount: PriceAmount,
    /// The product that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<ProductId>,
    /// What it is called in front of customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Price {
    /// A price without a product.
    #[must_use]
    pub fn standalone(id: PriceId, duration: BillingDuration, amount: PriceAmount) -> Self {
        Self::new(id, None, duration, amount)
    }

    /// A price of a product.
    #[must_use]
    pub fn of_product(
        product_id: ProductId,
        id: PriceId,
        duration: BillingDuration,
        amount: PriceAmount,
    ) -> Self {
        Self::new(id, Some(product_id), duration, amount)
    }

    fn new(
        id: PriceId,
        product_id: Option<ProductId>,
        duration: BillingDuration,
        amount: PriceAmount,
    ) -> Self {
        let r#type = match product_id {
            None => PriceType::Standalone,
            Some(_) => PriceType::Product,
        };
        Self(Arc::new(PriceFields {
            id,
            r#type,
            duration,
            amount,
            product_id,
            name: None,
            description: None,
        }))
    }

    /// The name that customers see. Without a name, Churnkey shows amount and duration.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<OptionalText>) -> Self {
        self.change().name = name.into().0;
        self
    }

    /// A note for the merchant, which customers never see.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<OptionalText>) -> Self {
        self.change().description = description.into().0;
        self
    }

    /// The merchant's id of the price.
    #[must_use]
    pub fn id(&self) -> &PriceId {
        &self.0.id
    }

    /// Whether it is standalone or belongs to a product.
    #[must_use]
    pub fn price_type(&self) -> PriceType {
        self.0.r#type
    }

    /// The product that it belongs to, if any.
    #[must_use]
    pub fn product_id(&self) -> Option<&ProductId> {
        self.0.product_id.as_ref()
    }

    /// The billing cycle.
    #[must_use]
    pub fn duration(&self) -> BillingDuration {
        self.0.duration
    }

    /// What is charged for each cycle.
    #[must_use]
    pub fn amount(&self) -> &PriceAmount {
        &self.0.amount
    }

    /// See [`with_name`](Self::with_name).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// See [`with_description`](Self::with_description).
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    fn change(&mut self) -> &mut PriceFields {
        Arc::make_mut(&mut self.0)
    }
}

impl TryFrom<PriceFields> for Price {
    type Error = InvalidField;

    fn try_from(fields: PriceFields) -> Result<Self, InvalidField> {
        match (fields.r#type, &fields.product_id) {
            (PriceType::Standalone, Some(_)) => Err(InvalidField::new(
                "productId",
                "is only for prices of type `product`",
            )),
            (PriceType::Product, None) => Err(InvalidField::new(
                "productId",
                "is missing from a price of type `product`",
            )),
            _ => Ok(Self(Arc::new(fields))),
        }
    }
}

/// What is charged for each cycle, in minor units: $1.10 is 110.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(tag = "model", rename_all = "lowercase")]
#[non_exhaustive]
pub enum PriceAmount {
    /// An amount that does not depend on tiers.
    #[non_exhaustive]
    Fixed {
        /// The currency of the amount.
        currency: Currency,
        /// The amount.
        #[serde(flatten)]
        amount: Amount,
    },
    /// Amounts by tiers of the quantity.
    #[non_exhaustive]
    Tiered {
        /// The currency of the amounts.
        currency: Currency,
        /// How the tiers price a quantity.
        mode: TierMode,
        /// The tiers.
        tiers: Tiers,
    },
}

impl PriceAmount {
    /// An amount that does not depend on tiers.
    #[must_use]
    pub fn fixed(currency: Currency, amount: Amount) -> Self {
        Self::Fixed { currency, amount }
    }

    /// Amounts by tiers of the quantity.
    ///
    /// ```
    /// use churnkey_integrator::{
    ///     Amount, Currency,
    ///     model::{PriceAmount, Tier, TierMode, Tiers},
    /// };
    ///
    /// // $10 for each of the first 10 seats, $8 for each further seat.
    /// let tiers = Tiers::new([
    ///     Tier::up_to(10, Amount::per_unit(1000)?),
    ///     Tier::unbounded(Amount::per_unit(800)?),
    /// ])?;
    /// let seats = PriceAmount::tiered(Currency::new("usd")?, TierMode::Graduated, tiers);
    /// # assert_eq!(serde_json::to_value(&seats)?, serde_json::json!({
    /// #     "model": "tiered", "currency": "usd", "mode": "graduated",
    /// #     "tiers": [{ "unit": 1000, "upTo": 10 }, { "unit": 800 }]
    /// # }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tiered(currency: Currency, mode: TierMode, tiers: Tiers) -> Self {
        Self::Tiered {
            currency,
            mode,
            tiers,
        }
    }

    /// The currency of the amount.
    #[must_use]
    pub fn currency(&self) -> Currency {
        match self {
            Self::Fixed { currency, .. } | Self::Tiered { currency, .. } => *currency,
        }
    }
}

/// How tiers price a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TierMode {
    /// Each tier prices the part of the quantity that is within it.
    Graduated,
    /// The tier that the quantity reaches prices the whole quantity.
    Total,
}

words!(TierMode, "tier mode": Graduated = "graduated", Total = "total");

/// The tiers of a price, in ascending order. Each has an upper bound except the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from, extend("minItems" = 1))
)]
#[serde(try_from = "Vec<Tier>")]
pub struct Tiers(Vec<Tier>);

impl Tiers {
    /// Checks and wraps the tiers.
    ///
    /// # Errors
    /// [`InvalidField`] if there is no tier, if the last tier has an upper bound, if another tier has none, if the bounds
    /// don't ascend, or if one is above 2^53 - 1.
    pub fn new(tiers: impl IntoIterator<Item = Tier>) -> Result<Self, InvalidField> {
        let tiers: Vec<Tier> = tiers.into_iter().collect();
        let Some((last, bounded)) = tiers.split_last() else {
            return Err(InvalidField::new("tiers", "must not be empty"));
        };
        if last.up_to.is_some() {
            return Err(InvalidField::new(
                "upTo",
                "must be absent from the last tier, which has no upper bound",
            ));
        }
        let mut reached = 0;
        for tier in bounded {
            match tier.up_to {
                None => {
                    return Err(InvalidField::new(
                        "upTo",
                        "is missing from a tier that is not the last",
                    ));
                }
                Some(up_to) if up_to <= reached => {
                    return Err(InvalidField::new(
                        "upTo",
                        "must be positive and ascend from tier to tier",
                    ));
                }
                Some(up_to) => {
                    InvalidField::unless_safe("upTo", up_to)?;
                    reached = up_to;
                }
            }
        }
        Ok(Self(tiers))
    }

    /// The tiers, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Tier] {
        &self.0
    }
}

impl TryFrom<Vec<Tier>> for Tiers {
    type Error = InvalidField;

    fn try_from(tiers: Vec<Tier>) -> Result<Self, InvalidField> {
        Self::new(tiers)
    }
}

/// A tier of a price, up to and including a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Tier {
    #[serde(flatten)]
    amount: Amount,
    /// The last quantity of the tier; the last tier has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(range(min = 1)))]
    up_to: Option<u64>,
}

impl Tier {
    /// A tier up to and including this quantity.
    #[must_use]
    pub fn up_to(quantity: u64, amount: Amount) -> Self {
        Self {
            amount,
            up_to: Some(quantity),
        }
    }

    /// The last tier, without an upper bound.
    #[must_use]
    pub fn unbounded(amount: Amount) -> Self {
        Self {
            amount,
            up_to: None,
        }
    }

    /// What it charges, in minor units.
    #[must_use]
    pub fn amount(self) -> Amount {
        self.amount
    }

    /// The upper bound, which belongs to the tier; `None` for the last tier.
    #[must_use]
    pub fn last_quantity(self) -> Option<u64> {
        self.up_to
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn error(price: Value) -> String {
        from_value::<Price>(price).unwrap_err().to_string()
    }

    #[test]
    fn a_price_has_a_product_exactly_if_its_type_says_so() {
        let fields = |kind: &str, product: Value| {
            json!({
                "id": "p", "type": kind, "productId": product,
                "duration": {"amount": 1, "unit": "month"},
                "amount": {"model": "fixed", "currency": "USD", "flat": 0},
            })
        };
        assert!(from_value::<Price>(fields("standalone", Value::Null)).is_ok());
        assert!(from_value::<Price>(fields("product", json!("prod"))).is_ok());
        assert_eq!(
            error(fields("product", Value::Null)),
            "`productId` is missing from a price of type `product`"
        );
        assert_eq!(
            error(fields("standalone", json!("prod"))),
            "`productId` is only for prices of type `product`"
        );
    }

    #[test]
    fn tiers_grow_and_only_the_last_one_has_no_end() {
        let cents = Amount::per_unit(100).unwrap();
        let rule = |tiers: &[Tier]| Tiers::new(tiers.iter().copied()).unwrap_err().to_string();
        assert_eq!(rule(&[]), "`tiers` must not be empty");
        assert_eq!(
            rule(&[Tier::up_to(10, cents)]),
            "`upTo` must be absent from the last tier, which has no upper bound"
        );
        assert_eq!(
            rule(&[Tier::unbounded(cents), Tier::unbounded(cents)]),
            "`upTo` is missing from a tier that is not the last"
        );
        for bounds in [[10, 10], [10, 9], [0, 9]] {
            let [a, b] = bounds.map(|bound| Tier::up_to(bound, cents));
            assert_eq!(
                rule(&[a, b, Tier::unbounded(cents)]),
                "`upTo` must be positive and ascend from tier to tier"
            );
        }
        assert!(Tiers::new([Tier::up_to(1, cents), Tier::unbounded(cents)]).is_ok());
    }

    #[test]
    fn a_bound_that_javascript_reads_wrong_is_refused() {
        let tiers = |up_to: u64| json!([{"flat": 1, "upTo": up_to}, {"flat": 1}]);
        assert!(from_value::<Tiers>(tiers(9_007_199_254_740_991)).is_ok());
        let error = from_value::<Tiers>(tiers(9_007_199_254_740_992)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`upTo` must be at most 9007199254740991, the largest integer that JavaScript represents exactly"
        );
    }

    #[test]
    fn an_amount_without_unit_and_flat_is_refused_in_every_place() {
        for amount in [
            json!({"model": "fixed", "currency": "usd"}),
            json!({"model": "tiered", "currency": "usd", "mode": "total", "tiers": [{}]}),
        ] {
            let error = from_value::<PriceAmount>(amount).unwrap_err().to_string();
            assert_eq!(error, "an amount needs `unit`, `flat` or both");
        }
    }
}
