//! Merchants whose prices, coupons, products or families are broken.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use churnkey_conformance::{Report, Rule, check};
use churnkey_integrator::{
    Amount, CouponId, CouponsController, Currency, Cursor, FamiliesController, FamilyId,
    HandlerError, Integration, Mode, Page, PageRequest, Percentage, PriceId, PricesController,
    ProductId, ProductsController, RequestContext, Result, controller,
    model::{
        BillingDuration, Coupon, CouponValue, Family, Price, PriceAmount, PriceType, Product,
        ProductType,
    },
};
use in_memory::store::{Row, Store, Table, Tables};

use super::broken_merchants;
use crate::merchants::{billing_fixtures, billing_store, client_of, token};

/// Delegates every call to a good merchant, except for its one fault.
#[derive(Clone)]
struct Broken {
    good: Store,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    PricesByOffset,
    PricesMixModes,
    PriceOfTheOtherType,
    PriceOfNoProduct,
    PricesWithoutARetiredOne,
    PricesOverTheLimit,
    PricesListedAtAnotherAmount,
    PricesAsTheyWereSeen,
    CouponsMixModes,
    CouponsOnlyWhileRedeemable,
    CouponsListedWithoutACode,
    CouponsWithoutAnEnd,
    CouponAtAnotherValue,
    ProductsMixModes,
    ProductOfNoFamily,
    ProductPanicsOnMissing,
    ProductsSkipOne,
    FamiliesMixModes,
    FamiliesLeakTheirStore,
    FamiliesWithAnEmptyLastPage,
    FamiliesByAnotherName,
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The mode's tables, or always those of live mode.
    fn read<T>(&self, cx: &RequestContext, mixes: Fault, look: impl FnOnce(&Tables) -> T) -> T {
        let shop = match cx.mode() {
            Mode::Test if !self.is(mixes) => &self.good.test,
            _ => &self.good.live,
        };
        shop.books.read(look)
    }
}

fn rows<R: Row + Clone>(table: &Table<R>) -> Vec<R> {
    let rows = table.after(0, usize::MAX);
    rows.map(|(_, row)| row.clone()).collect()
}

fn page_of<R>(rows: Vec<R>, page: &PageRequest) -> Result<Page<R>> {
    let after: usize = page.after()?.unwrap_or(0);
    let rows = (1..).zip(rows).skip(after).take(page.limit() + 1).collect();
    Ok(Page::from_overfetch(rows, page, |(n, _)| *n)?.map(|(_, row)| row))
}

/// A price of some product.
fn price(id: &PriceId, product: &str, cents: u64) -> Result<Price> {
    let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(cents)?);
    let product = ProductId::new(product)?;
    Ok(Price::of_product(
        product,
        id.clone(),
        BillingDuration::MONTHLY,
        amount,
    ))
}

#[controller]
impl PricesController for Broken {
    fn price_type(&self) -> PriceType {
        PriceType::Product
    }

    async fn retrieve(&self, cx: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        let found = self.read(cx, Fault::PricesMixModes, |tables| {
            tables.prices.by_id(id).cloned()
        });
        Ok(match (found, self.fault) {
            (Some(found), Fault::PriceOfTheOtherType) => Some(Price::standalone(
                id.clone(),
                found.duration(),
                found.amount().clone(),
            )),
            (Some(_), Fault::PriceOfNoProduct) => Some(price(id, "prod_none", 2999)?),
            (found, _) => found,
        })
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Price>> {
        let mut all = self.read(cx, Fault::PricesMixModes, |tables| rows(&tables.prices));
        match self.fault {
            // Newest first by OFFSET: a new price moves every other one by one.
            Fault::PricesByOffset => {
                let offset: usize = page.after()?.unwrap_or(0);
                let newest = all.into_iter().rev();
                let rows = newest.skip(offset).take(page.limit() + 1).collect();
                Ok(Page::from_overfetch(rows, page, |_| offset + page.limit())?)
            }
            Fault::PricesOverTheLimit => Ok(Page::new(all, None)),
            Fault::PricesWithoutARetiredOne => {
                all.retain(|price| price.id().as_str() != "price_pro_month");
                page_of(all, page)
            }
            Fault::PricesListedAtAnotherAmount => {
                let other = all.iter().map(|known| price(known.id(), "prod_pro", 1));
                page_of(other.collect::<Result<_>>()?, page)
            }
            // An order by something that each page decides anew.
            Fault::PricesAsTheyWereSeen if page.limit() == 3 => {
                all.reverse();
                page_of(all, page)
            }
            _ => page_of(all, page),
        }
    }
}

#[controller]
impl CouponsController for Broken {
    async fn retrieve(&self, cx: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        let found = self.read(cx, Fault::CouponsMixModes, |tables| {
            tables.coupons.by_id(id).cloned()
        });
        Ok(match (found, self.fault) {
            // A redeemed coupon is still a discount of somebody.
            (Some(found), Fault::CouponsOnlyWhileRedeemable) => {
                let redemptions = found.redemptions().unwrap_or_default();
                Some(found).filter(|_| redemptions.current().unwrap_or(0) == 0)
            }
            (Some(found), Fault::CouponAtAnotherValue) => {
                let value = CouponValue::percentage(Percentage::whole(99)?);
                Some(Coupon::new(id.clone(), found.duration(), value))
            }
            (found, _) => found,
        })
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Coupon>> {
        let all = self.read(cx, Fault::CouponsMixModes, |tables| rows(&tables.coupons));
        match self.fault {
            Fault::CouponsListedWithoutACode => {
                let without = all.into_iter().map(|coupon| coupon.with_code(None::<&str>));
                page_of(without.collect(), page)
            }
            Fault::CouponsWithoutAnEnd => {
                let turn: u64 = page.after()?.unwrap_or(0) + 1;
                let rows = all.into_iter().take(page.limit().min(1)).collect();
                Ok(Page::new(rows, Some(Cursor::new(&(turn % 7))?)))
            }
            _ => page_of(all, page),
        }
    }
}

#[controller]
impl ProductsController for Broken {
    fn product_type(&self) -> ProductType {
        ProductType::Family
    }

    async fn retrieve(&self, cx: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
        let found = self.read(cx, Fault::ProductsMixModes, |tables| {
            tables.products.by_id(id).cloned()
        });
        Ok(match (found, self.fault) {
            (Some(found), Fault::ProductOfNoFamily) => {
                let family = FamilyId::new("fam_none")?;
                Some(Product::of_family(family, id.clone(), found.name()))
            }
            (None, Fault::ProductPanicsOnMissing) => {
                panic!("called `Option::unwrap()` on a `None` value")
            }
            (found, _) => found,
        })
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Product>> {
        let all = self.read(cx, Fault::ProductsMixModes, |tables| rows(&tables.products));
        if self.is(Fault::ProductsSkipOne) {
            // `>` where the cursor is the first of the next page.
            let first: usize = page.after()?.unwrap_or(0);
            let rows: Vec<_> = all.into_iter().enumerate().skip(first).collect();
            let next = rows.get(page.limit()).map(|(n, _)| Cursor::new(&(n + 1)));
            let rows = rows.into_iter().take(page.limit()).map(|(_, row)| row);
            return Ok(Page::new(rows.collect(), next.transpose()?));
        }
        page_of(all, page)
    }
}

#[controller]
impl FamiliesController for Broken {
    async fn retrieve(&self, cx: &RequestContext, id: &FamilyId) -> Result<Option<Family>> {
        let found = self.read(cx, Fault::FamiliesMixModes, |tables| {
            tables.families.by_id(id).cloned()
        });
        if found.is_none() && self.is(Fault::FamiliesLeakTheirStore) {
            return Err(HandlerError::not_found("relation \"families\": 0 rows"));
        }
        Ok(found)
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Family>> {
        let all = self.read(cx, Fault::FamiliesMixModes, |tables| rows(&tables.families));
        match self.fault {
            // The sample in Churnkey's own documentation: `next` whenever the page came back full.
            Fault::FamiliesWithAnEmptyLastPage => {
                let after: usize = page.after()?.unwrap_or(0);
                let rows: Vec<_> = all.into_iter().skip(after).take(page.limit()).collect();
                let next = (rows.len() == page.limit()).then(|| Cursor::new(&(after + rows.len())));
                Ok(Page::new(rows, next.transpose()?))
            }
            Fault::FamiliesByAnotherName => {
                let renamed = all
                    .iter()
                    .map(|family| Family::new(family.id().clone(), "Plans"));
                page_of(renamed.collect(), page)
            }
            _ => page_of(all, page),
        }
    }
}

async fn report_on(fault: Fault) -> Report {
    let good = billing_store();
    let broken = Broken {
        good: good.clone(),
        fault,
    };
    let integration = Integration::builder("Broken", token())
        .customers(good.clone())
        .subscriptions(good.clone())
        .prices(broken.clone())
        .coupons(broken.clone())
        .products(broken.clone())
        .families(broken)
        .build()
        .unwrap();
    let newcomers = Arc::new(AtomicUsize::new(0));
    let fixtures = billing_fixtures(&good).between_pages(move || {
        let n = newcomers.fetch_add(1, Ordering::Relaxed);
        let id = PriceId::new(format!("price_new_{n}")).unwrap();
        let new = price(&id, "prod_pro", 100).unwrap();
        good.live.books.write(|tables| tables.prices.put(new));
        async {}
    });
    check(&client_of(&integration), &fixtures).await.unwrap()
}

broken_merchants! {
    prices_by_offset_under_inserts: PricesByOffset breaks StableUnderChange,
        "prices.list broke stable-under-change (contract, section 2.5): expected each of the prices that are there during the whole crawl, exactly once; got price_",
        in ["stable-under-change: prices.list"];
    prices_of_both_modes: PricesMixModes breaks ModesApart,
        "prices.retrieve broke modes-apart (contract, section 2.4): expected 404 for the live price in test mode, or Fixtures::shared_prices() if both modes have the same; got 200",
        in ["modes-apart: prices.list prices.retrieve"];
    a_price_of_the_other_type: PriceOfTheOtherType breaks Found, "a price is not of the type that price_type() declares",
        in ["found: prices.retrieve"];
    a_price_of_no_product: PriceOfNoProduct breaks ReferenceResolves,
        "prices.retrieve broke reference-resolves (contract, section 1.3): expected the product prod_none of the price price_pro_month to be served by products.retrieve; got 404",
        in [
            "reference-resolves: prices.retrieve",
            "same-record: prices.list subscriptions.list subscriptions.retrieve",
        ];
    a_list_without_a_retired_price: PricesWithoutARetiredOne breaks Found,
        "prices.list broke found (contract, section 4): expected the price price_pro_month among the listed",
        in ["found: prices.list"];
    a_page_of_prices_over_the_limit: PricesOverTheLimit breaks PageWithinLimit, "prices.list broke page-within-limit",
        in ["page-within-limit: prices.list"];
    prices_listed_at_another_amount: PricesListedAtAnotherAmount breaks SameRecord,
        "prices.list broke same-record (contract, section 4): expected the same record from list and retrieve for the price price_pro_month; got records that differ in [\"amount\"",
        in ["same-record: prices.list"];
    prices_in_an_order_of_each_page_size: PricesAsTheyWereSeen breaks StableOrder,
        "the same order of prices with limit=3 as in one page; got another order",
        in ["stable-order: prices.list"];
    coupons_of_both_modes: CouponsMixModes breaks ModesApart, "expected 404 for the live coupon in test mode, or Fixtures::shared_coupons() if both modes have the same; got 200",
        in ["modes-apart: coupons.list coupons.retrieve"];
    a_coupon_that_is_gone_though_a_discount_holds_it: CouponsOnlyWhileRedeemable breaks ReferenceResolves,
        "expected the coupon coupon_stay20 of the discounts of the customer cus_grace to be served by coupons.retrieve; got 404: Coupon not found",
        in ["found: coupons.retrieve", "reference-resolves: customers.list", "same-record: coupons.list"];
    coupons_listed_without_their_code: CouponsListedWithoutACode breaks SameRecord,
        "coupons.list broke same-record (contract, section 4): expected the same record from list and retrieve for the coupon coupon_stay20; got records that differ in [\"code\"]",
        in ["same-record: coupons.list"];
    coupons_without_an_end: CouponsWithoutAnEnd breaks CrawlEnds,
        "coupons.list broke crawl-ends (contract, section 2.5): expected a crawl of coupons that comes to its end; got the same next again",
        in ["crawl-ends: coupons.list"];
    a_coupon_at_another_value_than_its_discounts: CouponAtAnotherValue breaks SameRecord,
        "customers.list, in the discounts of the customer cus_grace, and coupons.retrieve for the coupon coupon_stay20; got records that differ in [\"code\", \"name\", \"value\"]",
        in ["same-record: coupons.list customers.list"];
    products_of_both_modes: ProductsMixModes breaks ModesApart, "expected 404 for the live product in test mode, or Fixtures::shared_products() if both modes have the same; got 200",
        in ["modes-apart: products.list products.retrieve"];
    a_product_of_no_family: ProductOfNoFamily breaks ReferenceResolves,
        "products.retrieve broke reference-resolves (contract, section 1.3): expected the family fam_none of the product prod_pro to be served by families.retrieve; got 404",
        in ["reference-resolves: products.retrieve", "same-record: products.list"];
    a_panic_instead_of_none: ProductPanicsOnMissing breaks Missing,
        "expected 404 for the product cus_nobody, an id that nobody has; got 500: the controller panicked",
        in ["missing: products.retrieve", "odd-input: products.retrieve"];
    a_product_on_no_page: ProductsSkipOne breaks EachRecordOnce, "prod_basic is missing",
        in ["each-record-once: products.list", "no-empty-page: products.list"];
    families_of_both_modes: FamiliesMixModes breaks ModesApart, "expected 404 for the live family in test mode, or Fixtures::shared_families() if both modes have the same; got 200",
        in ["modes-apart: families.list families.retrieve"];
    families_that_leak_their_store: FamiliesLeakTheirStore breaks ErrorsTellNothing, "families.retrieve broke errors-tell-nothing",
        in ["errors-tell-nothing: families.retrieve"];
    families_with_an_empty_last_page: FamiliesWithAnEmptyLastPage breaks NoEmptyPage, "an empty page",
        in ["no-empty-page: families.list"];
    families_listed_by_another_name: FamiliesByAnotherName breaks SameRecord,
        "families.list broke same-record (contract, section 4): expected the same record from list and retrieve for the family fam_core; got records that differ in [\"name\"]",
        in ["same-record: families.list"];
}
