//! The demo data of `examples/demo-billing.json`, and generated customers.

use churnkey_integrator::{
    CustomerId, Email, Phone, Timestamp,
    model::{Coupon, Customer, Family, Price, Product, Subscription},
};
use serde::Deserialize;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The demo data of both modes.
#[derive(Debug, Deserialize)]
pub struct Demo {
    /// The time at which the data are meant to be seen.
    pub clock: Timestamp,
    /// The records of live mode.
    pub live: DataSet,
    /// The records of test mode.
    pub test: DataSet,
}

/// The records of one mode, in order of creation.
#[derive(Debug, Default, Deserialize)]
pub struct DataSet {
    /// The customers.
    pub customers: Vec<Customer>,
    /// The families of products.
    pub families: Vec<Family>,
    /// The products.
    pub products: Vec<Product>,
    /// The prices.
    pub prices: Vec<Price>,
    /// The coupons.
    pub coupons: Vec<Coupon>,
    /// The subscriptions.
    pub subscriptions: Vec<Subscription>,
}

impl Demo {
    /// Reads the file that was compiled in.
    ///
    /// # Errors
    /// If the file is not what the models expect.
    pub fn load() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../../demo-billing.json"))
    }
}

/// This many customers from `cus_gen_0000001` on, each with their own e-mail address and phone number.
pub fn generated_customers(
    number: u32,
    created_at: Timestamp,
) -> impl Iterator<Item = Result<Customer, BoxError>> {
    (1..=number).map(move |n| {
        Ok(Customer::new(CustomerId::new(format!("cus_gen_{n:07}"))?)
            .with_name(format!("Generated {n:07}"))
            .with_email(Email::new(format!("gen{n:07}@example.com"))?)
            .with_phone(Phone::new(format!("+888{n:010}"))?)
            .with_metadata([("createdAt", created_at.to_string())]))
    })
}
