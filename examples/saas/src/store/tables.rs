//! Lists and look-ups by id, which are alike for every table.

use sqlx::{FromRow, postgres::PgRow};
use uuid::Uuid;

use super::statements as sql;
use crate::record::{Coupon, Customer, Price, Product};

/// A table whose rows are listed in the order of their ids.
pub trait Table: for<'r> FromRow<'r, PgRow> + Send + Unpin {
    #[doc(hidden)]
    const BY_ID: &str;
    #[doc(hidden)]
    const AFTER: &str;

    /// The row's id.
    fn id(&self) -> Uuid;
}

macro_rules! tables {
    ($($row:ident $by_id:ident $after:ident)*) => {
        $(
            impl Table for $row {
                const BY_ID: &str = sql::$by_id;
                const AFTER: &str = sql::$after;

                fn id(&self) -> Uuid {
                    self.id
                }
            }
        )*
    };
}

tables! {
    Customer CUSTOMER CUSTOMERS_AFTER
    Coupon COUPON COUPONS_AFTER
    Product PRODUCT PRODUCTS_AFTER
    Price PRICE PRICES_AFTER
}
