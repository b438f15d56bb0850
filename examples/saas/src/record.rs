//! Rows as the platform stores them: blanks for what is not known, times without a zone, amounts as decimals.
//!
//! They have no `Debug`, as they hold personal data.
#![expect(
    missing_debug_implementations,
    reason = "nothing of a row must get into a log"
)]
#![expect(missing_docs, reason = "the columns of the tables")]

use chrono::{DateTime, NaiveDateTime, Utc};
use churnkey_integrator::{InvalidId, InvalidTimestamp, Timestamp, model::InvalidField};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// A customer of a tenant.
#[derive(FromRow)]
pub struct Customer {
    pub id: Uuid,
    pub customer_number: String,
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    pub email: String,
    pub phone: String,
    pub address: String,
    pub postal_code: String,
    pub city: String,
    pub country: String,
    pub currency: String,
    pub created_at: NaiveDateTime,
    #[sqlx(json(nullable))]
    pub discount: Option<Discount>,
}

/// A customer's coupon.
#[derive(Deserialize)]
pub struct Discount {
    pub coupon: Coupon,
    pub starts_at: Option<NaiveDateTime>,
    pub ends_at: Option<NaiveDateTime>,
}

/// A coupon of a tenant.
#[derive(Deserialize, FromRow)]
pub struct Coupon {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub basis_points: Option<i64>,
    /// A decimal.
    pub amount_off: Option<String>,
    pub currency: String,
    pub duration: String,
    pub duration_months: Option<i64>,
    pub max_redemptions: Option<i64>,
    pub times_redeemed: i64,
    pub redeem_by: Option<NaiveDateTime>,
}

/// A product of a tenant.
#[derive(FromRow)]
pub struct Product {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub unit_name: String,
}

/// What a plan costs in one currency.
#[derive(Deserialize, FromRow)]
pub struct Price {
    pub id: Uuid,
    pub product_id: Uuid,
    pub plan_name: String,
    pub billing_interval: String,
    pub interval_count: i64,
    pub metered: bool,
    pub currency: String,
    /// A decimal.
    pub amount: String,
}

/// A subscription with everything that belongs to it.
#[derive(FromRow)]
pub struct Subscription {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub status: String,
    pub started_at: NaiveDateTime,
    pub billing_anchor: NaiveDateTime,
    pub trial_ends_at: Option<NaiveDateTime>,
    pub pause_starts_at: Option<NaiveDateTime>,
    pub resumes_at: Option<NaiveDateTime>,
    pub next_price_at: Option<NaiveDateTime>,
    pub cancel_at: Option<NaiveDateTime>,
    pub canceled_at: Option<NaiveDateTime>,
    #[sqlx(json)]
    pub items: Vec<Item>,
    #[sqlx(json(nullable))]
    pub next_price: Option<Price>,
    /// The customer's.
    #[sqlx(json(nullable))]
    pub discount: Option<Discount>,
}

/// So many of one price.
#[derive(Deserialize)]
pub struct Item {
    pub id: Uuid,
    pub quantity: i64,
    pub price: Price,
}

/// A token of a tenant.
#[derive(FromRow)]
pub struct Token {
    pub tenant_id: Uuid,
    pub tenant_name: String,
    pub token: String,
}

/// The id of a row, as Churnkey reads it.
///
/// # Errors
/// Never: a UUID is an id.
pub fn id<I: TryFrom<String, Error = InvalidId>>(key: Uuid) -> Result<I, InvalidId> {
    I::try_from(key.to_string())
}

/// The key of a row, if the id is written exactly as [`id`] writes it. PostgreSQL would read `{ABC..}` as `abc..`, too.
#[must_use]
pub fn uuid(id: &str) -> Option<Uuid> {
    let key = Uuid::parse_str(id).ok()?;
    (key.to_string() == id).then_some(key)
}

/// A moment that a column holds, all of which are in UTC.
///
/// # Errors
/// [`InvalidTimestamp`] if somebody has mistyped the year: PostgreSQL has later ones than 9999.
pub fn at(time: NaiveDateTime) -> Result<Timestamp, InvalidTimestamp> {
    Timestamp::from_chrono_assuming_utc(time)
}

/// The same, where there may be none.
///
/// # Errors
/// As [`at`].
pub fn maybe_at(time: Option<NaiveDateTime>) -> Result<Option<Timestamp>, InvalidTimestamp> {
    time.map(at).transpose()
}

/// A moment as the columns hold it.
#[must_use]
pub fn utc(at: Timestamp) -> NaiveDateTime {
    DateTime::<Utc>::from(at).naive_utc()
}

/// A number that counts something, in a column whose type allows others.
///
/// # Errors
/// [`InvalidField`] if it is negative.
pub fn count<N: TryFrom<i64>>(field: &'static str, number: i64) -> Result<N, InvalidField> {
    N::try_from(number).map_err(|_| InvalidField::new(field, "must be a count"))
}
