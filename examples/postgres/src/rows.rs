//! Queries, and the mapping from their rows to Churnkey's model.
//!
//! A customer is mapped column by column. The other records come from several tables; the views of
//! `migrations/0007_records.sql` join them to Churnkey's JSON, in one round trip.

use churnkey_integrator::{
    CouponId, Currency, CustomerId, Email, HandlerError, Page, PageRequest, Phone, PriceId,
    RequestContext, Result, Timestamp,
    model::{self, Address, Country, Coupon, Customer, Discount, Item, Metadata, Pause, Price},
};
use example_billing::{Catalogue, Planned, PlannedPrice, Subscription};
use serde::{Deserialize, de::DeserializeOwned};
use tokio_postgres::{Row, types::Json};

use crate::store::{Parameter, Statement, Store};

impl Store {
    /// The only row that the statement finds, if it finds one.
    pub(crate) async fn one<T>(
        &self,
        cx: &RequestContext,
        statement: &Statement,
        parameters: &[Parameter<'_>],
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Option<T>> {
        let rows = self.query(cx, statement, parameters).await?;
        rows.first().map(read).transpose()
    }

    /// The owner of an address. Of several none is chosen: Churnkey would offer one the subscriptions of another.
    pub(crate) async fn only(
        &self,
        cx: &RequestContext,
        statement: &Statement,
        key: Parameter<'_>,
        what: &'static str,
    ) -> Result<Option<Customer>> {
        match self.query(cx, statement, &[key]).await?.as_slice() {
            [] => Ok(None),
            [row] => customer(row).map(Some),
            _ => Err(HandlerError::ambiguous(what)),
        }
    }

    /// A page of a list. The statement's first column is the row's number. Its last two parameters are the number of the
    /// last row of the page before, and how many rows to read: one more than the page holds, to know whether there is a
    /// next one.
    pub(crate) async fn page<T>(
        &self,
        cx: &RequestContext,
        statement: &Statement,
        parameters: &[Parameter<'_>],
        page: &PageRequest,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Page<T>> {
        let (after, limit) = (page.after()?.unwrap_or(0_i64), page.fetch_limit());
        let position: [Parameter<'_>; 2] = [&after, &limit];
        let rows = self
            .query(cx, statement, &[parameters, &position].concat())
            .await?;
        let rows = rows
            .iter()
            .map(|row| Ok((row.try_get::<_, i64>(0)?, read(row)?)));
        let rows = rows.collect::<Result<_>>()?;
        Ok(Page::from_overfetch(rows, page, |(seq, _)| *seq)?.map(|(_, record)| record))
    }
}

/// A customer. A `with_*` method takes a nullable column as it is.
///
/// The columns are read by their place, because a page has a thousand of them and each look-up by name compares several.
pub(crate) fn customer(row: &Row) -> Result<Customer> {
    let id: String = row.try_get(1)?;
    let name: Option<String> = row.try_get(2)?;
    let last_name: Option<String> = row.try_get(3)?;
    let email: Option<String> = row.try_get(4)?;
    let phone: Option<String> = row.try_get(5)?;
    let currency: Option<&str> = row.try_get(6)?;
    let addresses: Option<Json<Vec<StoredAddress>>> = row.try_get(7)?;
    let addresses = addresses.map_or_else(Vec::new, |addresses| addresses.0);
    let discounts: Vec<Json<Discount>> = row.try_get(8)?;
    let metadata: Json<Metadata> = row.try_get(9)?;

    Ok(Customer::new(CustomerId::new(id)?)
        .with_name(name)
        .with_last_name(last_name)
        .with_email(email.map(Email::new).transpose()?)
        .with_phone(phone.map(Phone::new).transpose()?)
        .with_addresses(addresses.into_iter().map(|StoredAddress(address)| address))
        .with_discounts(discounts.into_iter().map(|discount| discount.0))
        .with_currency(currency.map(Currency::new).transpose()?)
        .with_metadata(metadata.0))
}

/// An address as the column has it.
#[derive(Deserialize)]
#[serde(from = "AddressParts")]
struct StoredAddress(Address);

/// The parts of an address. Its country may be in words, as nothing checks for a code.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressParts {
    country: Option<String>,
    state: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
    line1: Option<String>,
    line2: Option<String>,
}

impl From<AddressParts> for StoredAddress {
    /// Leaves out a country that is not a code. As an error it would fail the whole page.
    fn from(parts: AddressParts) -> Self {
        let country = parts.country.and_then(|code| Country::new(&code).ok());
        Self(
            Address::new()
                .with_country(country)
                .with_state(parts.state)
                .with_city(parts.city)
                .with_postal_code(parts.postal_code)
                .with_line1(parts.line1)
                .with_line2(parts.line2),
        )
    }
}

/// A record that a view has as Churnkey's JSON.
pub(crate) fn record<R: DeserializeOwned>(row: &Row) -> Result<R> {
    let Json(record) = row.try_get("record")?;
    Ok(record)
}

/// A subscription as the billing rules know it, with every price and coupon that it refers to: nothing is looked up item
/// by item.
pub(crate) struct Stored {
    pub(crate) seq: i64,
    pub(crate) subscription: Subscription,
    prices: Vec<Price>,
    coupons: Vec<Coupon>,
}

/// What is planned for a subscription, as its view has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plans {
    cancel_at: Option<Timestamp>,
    pause: Option<Pause>,
    price_at: Option<Timestamp>,
    price: Option<Price>,
}

/// A subscription with what is planned for it.
pub(crate) fn stored(row: &Row) -> Result<Stored> {
    let served: model::Subscription = record(row)?;
    let Json(plans): Json<Plans> = row.try_get("planned")?;

    let mut subscription = Subscription::from_served(&served);
    let price = plans.price.as_ref().zip(plans.price_at);
    subscription.planned = Planned {
        cancel_at: plans.cancel_at,
        pause: plans.pause,
        price: price.map(|(price, at)| PlannedPrice {
            at,
            price: price.id().clone(),
            duration: price.duration(),
        }),
    };
    let prices = served.items().iter().map(Item::price).cloned();
    let coupons = served.discounts().iter().map(Discount::coupon).cloned();
    Ok(Stored {
        seq: row.try_get("seq")?,
        subscription,
        prices: prices.chain(plans.price).collect(),
        coupons: coupons.collect(),
    })
}

impl Stored {
    /// What Churnkey is served at this time. Foreign keys keep everything in the tables that it refers to.
    pub(crate) fn served(&self, now: Timestamp) -> Result<model::Subscription> {
        Ok(self.subscription.served(now, self)?)
    }
}

impl Catalogue for Stored {
    fn price(&self, id: &PriceId) -> Option<Price> {
        self.prices.iter().find(|price| price.id() == id).cloned()
    }

    fn coupon(&self, id: &CouponId) -> Option<Coupon> {
        self.coupons
            .iter()
            .find(|coupon| coupon.id() == id)
            .cloned()
    }
}
