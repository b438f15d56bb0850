//! The models that Churnkey reads, one file each (contract, section 3).
//!
//! Every model has a constructor with its required fields and a `with_*` method for each other one.
//! A `with_*` method takes the value or an `Option` of it, so a nullable column goes straight in.
//! What is absent is omitted from the JSON; what is read back may be absent or `null`, and unknown
//! fields are ignored.

mod coupon;
mod customer;

pub use coupon::{Coupon, CouponDuration, CouponValue, CycleUnit, Discount, Redemptions};
pub use customer::{Address, Customer};

use serde::{Deserialize, Deserializer};

/// `null` stands for an absent list or map: Churnkey's samples in other languages write it.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
