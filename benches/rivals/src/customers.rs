//! The generated customers, which are the same in every server. `node/customers.js` has them once more.

/// What differs from customer to customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The id.
    pub id: String,
    /// The full name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The phone number.
    pub phone: String,
    /// The postal code of the only address.
    pub postal_code: String,
    /// The first line of the only address.
    pub line1: String,
}

/// The country of every address.
pub const COUNTRY: &str = "DE";
/// The city of every address.
pub const CITY: &str = "Berlin";
/// The currency of every customer.
pub const CURRENCY: &str = "eur";
/// The only metadata of every customer.
pub const METADATA: (&str, &str) = ("createdAt", "2026-01-15T12:00:00.000Z");

/// The id of the customer with this number.
#[must_use]
pub fn id(number: u64) -> String {
    format!("cus_gen_{number:08}")
}

/// The first customers. They are numbered from 1 on.
#[must_use]
pub fn generated(customers: u32) -> impl ExactSizeIterator<Item = Generated> {
    (0..customers).map(|before| {
        let number = u64::from(before) + 1;
        Generated {
            id: id(number),
            name: format!("Generated {number:08}"),
            email: format!("gen{number:08}@example.com"),
            phone: format!("+888{number:010}"),
            postal_code: format!("{:05}", number % 100_000),
            line1: format!("Street {number}"),
        }
    })
}
