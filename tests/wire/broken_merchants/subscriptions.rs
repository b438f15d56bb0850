//! Merchants whose subscriptions controller is broken.

use churnkey_conformance::{Report, Rule, check};
use churnkey_integrator::{
    Amount, CouponId, Currency, Cursor, CustomerId, HandlerError, Integration, Mode, Page,
    PageRequest, Percentage, PriceId, ProductId, RequestContext, Result, SubscriptionId,
    SubscriptionsController, controller,
    model::{
        BillingDuration, Coupon, CouponDuration, CouponValue, Discount, InvalidField, Item, Price,
        PriceAmount, Subscription,
    },
};
use in_memory::store::{Shop, Store};

use super::broken_merchants;
use crate::merchants::{billing_fixtures, billing_store, client_of, token};

/// Delegates every call to a good merchant, except for its one fault.
struct Broken {
    good: Store,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    ServesAnybodys,
    ServesWithAnotherOwner,
    InventsSubscriptions,
    FailsOnMissing,
    EchoesTheId,
    IdsIgnoreCase,
    PastesCustomersIntoSql,
    MixesModes,
    ListsLiveAlways,
    ListsEverybodys,
    ListsEverybodysAsTheirs,
    ListsForNobody,
    ListsActiveOnly,
    ListsAnotherStatus,
    RepeatsTheLastRow,
    NeverComesToAnEnd,
    ItemAtAnotherPrice,
    ItemAtAPriceThatIsGone,
    ItemAtAPriceOfAnotherType,
    HidesItsDiscountsCoupons,
    FailsOnAnInvalidRow,
    HidesAPriceThatMaryHas,
    HidesACouponThatMaryHas,
}

impl Broken {
    fn shop(&self, cx: &RequestContext) -> &Shop {
        match cx.mode() {
            Mode::Live => &self.good.live,
            Mode::Test => &self.good.test,
        }
    }

    /// Everybody's subscriptions of a shop, as they are served.
    fn all(&self, shop: &Shop) -> Result<Vec<Subscription>> {
        shop.books.read(|tables| {
            let rows = tables.subscriptions().after(0, usize::MAX);
            let served = rows.map(|(_, row)| row.served(self.good.now(), tables));
            Ok(served.collect::<Result<_, _>>()?)
        })
    }

    /// The subscription with other prices in its items.
    fn priced(&self, found: &Subscription) -> Result<Subscription> {
        let is_marys = found.customer_id().as_str() == "cus_mary";
        let items = found.items().iter().map(|item| {
            let price = match self.fault {
                Fault::HidesAPriceThatMaryHas if is_marys => gone(item.price())?,
                _ => self.price(item.price())?,
            };
            Ok(Item::new(item.id().clone(), price, item.quantity())?)
        });
        let discount = match self.fault {
            Fault::HidesACouponThatMaryHas if is_marys => {
                let value = CouponValue::percentage(Percentage::whole(10)?);
                let id = CouponId::new("coupon_2019")?;
                Some(Discount::new(Coupon::new(
                    id,
                    CouponDuration::Forever,
                    value,
                )))
            }
            _ => None,
        };
        let priced = Subscription::new(
            found.id().clone(),
            found.customer_id().clone(),
            found.status(),
            found.start(),
            found.duration(),
            items.collect::<Result<Vec<_>>>()?,
        );
        Ok(priced.with_discounts(discount))
    }

    fn price(&self, price: &Price) -> Result<Price> {
        match self.fault {
            Fault::ItemAtAnotherPrice => {
                let amount = PriceAmount::fixed(Currency::new("usd")?, Amount::per_unit(1)?);
                let (id, product) = (price.id().clone(), ProductId::new("prod_pro")?);
                Ok(Price::of_product(product, id, price.duration(), amount))
            }
            Fault::ItemAtAPriceThatIsGone => gone(price),
            Fault::ItemAtAPriceOfAnotherType => Ok(Price::standalone(
                price.id().clone(),
                BillingDuration::MONTHLY,
                price.amount().clone(),
            )),
            _ => Ok(price.clone()),
        }
    }
}

/// The same under the id of a price that the catalogue does not have.
fn gone(price: &Price) -> Result<Price> {
    let (id, product) = (PriceId::new("price_2019")?, ProductId::new("prod_pro")?);
    let amount = price.amount().clone();
    Ok(Price::of_product(product, id, price.duration(), amount))
}

/// The same with another owner, as where the record is made from the path instead of from the row.
fn owned_by(owner: &CustomerId, found: &Subscription) -> Subscription {
    Subscription::new(
        found.id().clone(),
        owner.clone(),
        found.status(),
        found.start(),
        found.duration(),
        found.items().to_vec(),
    )
}

fn page_of(rows: Vec<Subscription>, page: &PageRequest) -> Result<Page<Subscription>> {
    let after: usize = page.after()?.unwrap_or(0);
    let rows = (1..).zip(rows).skip(after).take(page.limit() + 1).collect();
    Ok(Page::from_overfetch(rows, page, |(n, _)| *n)?.map(|(_, row)| row))
}

#[controller]
impl SubscriptionsController for Broken {
    async fn retrieve(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        if self.fault == Fault::PastesCustomersIntoSql && customer_id.as_str().contains('\'') {
            return Err("unterminated quoted string".into());
        }
        let found = self.good.retrieve_subscription(cx, customer_id, id).await?;
        let by_id = |rows: Vec<Subscription>| rows.into_iter().find(|row| row.id() == id);
        Ok(match (found, self.fault) {
            (None, Fault::ServesAnybodys) => {
                by_id(self.all(self.shop(cx))?).map(|row| owned_by(customer_id, &row))
            }
            (Some(row), Fault::ServesWithAnotherOwner) => {
                Some(owned_by(&CustomerId::new("org_7")?, &row))
            }
            (None, Fault::InventsSubscriptions) => {
                let first = self.all(&self.good.live)?.into_iter().next();
                first.map(|row| {
                    let item = row.items()[0].clone();
                    Subscription::new(
                        id.clone(),
                        customer_id.clone(),
                        row.status(),
                        row.start(),
                        row.duration(),
                        [item],
                    )
                })
            }
            (None, Fault::FailsOnMissing) => return Err("no rows returned".into()),
            (None, Fault::EchoesTheId) => {
                return Err(HandlerError::not_found(format!("no subscription {id}")));
            }
            (None, Fault::IdsIgnoreCase) => {
                let mut all = self.all(self.shop(cx))?.into_iter();
                let found = all.find(|row| {
                    row.customer_id() == customer_id
                        && row.id().as_str().eq_ignore_ascii_case(id.as_str())
                });
                found.map(|row| {
                    let (id, owner) = (id.clone(), customer_id.clone());
                    let items = row.items().to_vec();
                    Subscription::new(id, owner, row.status(), row.start(), row.duration(), items)
                })
            }
            (None, Fault::MixesModes) => by_id(self.all(&self.good.live)?),
            (Some(row), _) => Some(self.priced(&row)?),
            (None, _) => None,
        })
    }

    async fn list(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        page: &PageRequest,
    ) -> Result<Page<Subscription>> {
        let own = |rows: Vec<Subscription>| -> Vec<Subscription> {
            let rows = rows.into_iter();
            rows.filter(|row| row.customer_id() == customer_id)
                .collect()
        };
        let rows = self.all(self.shop(cx))?;
        match self.fault {
            Fault::FailsOnAnInvalidRow if customer_id.as_str() == "cus_mary" => {
                Err(InvalidField::new("interval", "must be month or year").into())
            }
            Fault::ListsLiveAlways => page_of(own(self.all(&self.good.live)?), page),
            Fault::ListsEverybodys => page_of(rows, page),
            Fault::ListsEverybodysAsTheirs => {
                let theirs = rows.iter().map(|row| owned_by(customer_id, row));
                page_of(theirs.collect(), page)
            }
            Fault::ListsForNobody if own(rows.clone()).is_empty() => {
                let theirs = rows.iter().map(|row| owned_by(customer_id, row));
                page_of(theirs.take(1).collect(), page)
            }
            Fault::ListsActiveOnly => {
                let active = |row: &Subscription| row.status().name() == "active";
                page_of(own(rows).into_iter().filter(active).collect(), page)
            }
            Fault::ListsAnotherStatus => {
                let wrong = own(rows.clone()).into_iter().map(|row| {
                    let status = rows[0].status();
                    let items = row.items().to_vec();
                    let (id, owner) = (row.id().clone(), row.customer_id().clone());
                    Subscription::new(id, owner, status, row.start(), row.duration(), items)
                });
                page_of(wrong.collect(), page)
            }
            Fault::RepeatsTheLastRow if page.limit() == 1 => {
                let turn: usize = page.after()?.unwrap_or(0);
                let rows = own(rows);
                let next = (turn < rows.len())
                    .then(|| Cursor::new(&(turn + 1)))
                    .transpose()?;
                let row = rows[turn.saturating_sub(1).min(rows.len() - 1)].clone();
                Ok(Page::new(vec![row], next))
            }
            Fault::NeverComesToAnEnd => {
                let rows = own(rows).into_iter().take(1).collect();
                Ok(Page::new(rows, Some(Cursor::new(&1)?)))
            }
            _ => {
                let rows = own(rows)
                    .iter()
                    .map(|row| self.priced(row))
                    .collect::<Result<_>>()?;
                page_of(rows, page)
            }
        }
    }
}

/// [`Store`] has a `retrieve` of several traits.
trait Retrieves {
    async fn retrieve_subscription(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>>;
}

impl Retrieves for Store {
    async fn retrieve_subscription(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        SubscriptionsController::retrieve(self, cx, customer_id, id).await
    }
}

async fn report_on(fault: Fault) -> Report {
    let good = billing_store();
    let builder = Integration::builder("Broken", token())
        .customers(good.clone())
        .prices(good.clone())
        .products(good.clone())
        .families(good.clone());
    let builder = match fault {
        Fault::HidesItsDiscountsCoupons => builder,
        _ => builder.coupons(good.clone()),
    };
    let fixtures = billing_fixtures(&good);
    let integration = builder.subscriptions(Broken { good, fault }).build();
    check(&client_of(&integration.unwrap()), &fixtures)
        .await
        .unwrap()
}

broken_merchants! {
    a_subscription_of_anybody: ServesAnybodys breaks OwnersOnly,
        "subscriptions.retrieve broke owners-only (contract, section 4): expected 404 for sub_linus_seats under the customer cus_ada; got 200",
        in [
            "missing: subscriptions.retrieve",
            "odd-input: subscriptions.retrieve",
            "owners-only: subscriptions.retrieve",
        ];
    a_subscription_that_names_another_owner: ServesWithAnotherOwner breaks Found, "got 404: Subscription not found",
        in ["found: subscriptions.retrieve", "same-record: subscriptions.list"];
    a_subscription_out_of_nothing: InventsSubscriptions breaks Missing,
        "expected 404 for the subscription cus_nobody, an id that nobody has; got 200",
        in [
            "missing: subscriptions.retrieve",
            "modes-apart: subscriptions.retrieve",
            "odd-input: subscriptions.retrieve",
            "owners-only: subscriptions.retrieve",
        ];
    an_error_instead_of_none: FailsOnMissing breaks Missing,
        "expected 404 for the subscription cus_nobody, an id that nobody has; got 500: no rows",
        in ["missing: subscriptions.retrieve", "odd-input: subscriptions.retrieve"];
    an_error_that_echoes_the_id: EchoesTheId breaks ErrorsTellNothing, "in the message \"no subscription cus_nobody",
        in ["errors-tell-nothing: subscriptions.retrieve"];
    an_id_compared_without_case: IdsIgnoreCase breaks Missing,
        "404 for the subscription SUB_LINUS_SEATS, an id in other letter case; got 200",
        in ["missing: subscriptions.retrieve"];
    a_customers_id_pasted_into_sql: PastesCustomersIntoSql breaks OddInput, "got 500: unterminated quoted string",
        in ["odd-input: subscriptions.retrieve"];
    live_and_test_mixed: MixesModes breaks ModesApart, "expected 404 for the live subscription in test mode; got 200",
        in ["modes-apart: subscriptions.retrieve"];
    a_list_of_live_subscriptions_in_test_mode: ListsLiveAlways breaks ModesApart,
        "subscriptions.list broke modes-apart (contract, section 2.4): expected a list in test mode without the other mode's subscription sub_linus_seats",
        in ["modes-apart: subscriptions.list"];
    a_list_of_everybodys_subscriptions: ListsEverybodys breaks PageWithinLimit, "the list holds a subscription of another customer",
        in ["missing: subscriptions.list", "odd-input: subscriptions.list", "page-within-limit: subscriptions.list"];
    a_list_of_everybodys_subscriptions_as_ones_own: ListsEverybodysAsTheirs breaks OwnersOnly,
        "expected subscriptions of the customer cus_ada only; got sub_linus_seats in it",
        in [
            "missing: subscriptions.list",
            "odd-input: subscriptions.list",
            "owners-only: subscriptions.list",
            "same-record: subscriptions.list",
        ];
    a_list_for_nobody: ListsForNobody breaks Missing, "expected no subscription of a customer who is not there; got 200 and some",
        in ["missing: subscriptions.list", "odd-input: subscriptions.list", "same-record: subscriptions.list"];
    a_list_of_active_subscriptions_only: ListsActiveOnly breaks Found, "expected the subscription sub_linus_seats among the listed; got 0 others",
        in ["found: subscriptions.list"];
    a_list_with_another_status: ListsAnotherStatus breaks SameRecord, "records that differ in [\"status\"]",
        in ["same-record: subscriptions.list"];
    a_subscription_on_two_pages: RepeatsTheLastRow breaks EachRecordOnce, "sub_linus_paused again",
        in ["each-record-once: subscriptions.list"];
    a_crawl_without_an_end: NeverComesToAnEnd breaks CrawlEnds, "subscriptions.list broke crawl-ends",
        in ["crawl-ends: subscriptions.list"];
    an_item_at_another_price_than_the_catalogues: ItemAtAnotherPrice breaks SameRecord,
        "the same record from subscriptions.retrieve, in the items of the subscription sub_linus_seats, and prices.retrieve for the price price_pro_month; got records that differ in [\"amount\", \"name\"]",
        in ["same-record: subscriptions.list subscriptions.retrieve"];
    an_item_at_a_price_that_is_gone: ItemAtAPriceThatIsGone breaks ReferenceResolves,
        "expected the price price_2019 of the items of the subscription sub_linus_seats to be served by prices.retrieve; got 404: Price not found",
        in ["reference-resolves: subscriptions.list subscriptions.retrieve"];
    an_item_at_a_price_of_the_other_type: ItemAtAPriceOfAnotherType breaks Found, "a price is not of the type that price_type() declares",
        in ["found: subscriptions.retrieve", "page-within-limit: subscriptions.list"];
    discounts_without_a_coupons_controller: HidesItsDiscountsCoupons breaks ReferenceResolves,
        "expected the coupon coupon_stay20 of the discounts of the customer cus_grace to be served by coupons.retrieve; got no such controller in the manifest",
        in ["reference-resolves: customers.list"];
    a_list_that_fails_on_an_invalid_row: FailsOnAnInvalidRow breaks PageWithinLimit,
        "subscriptions.list broke page-within-limit (contract, section 2.5): expected 200 and the subscriptions of the customer cus_mary; got 500: `interval` must be month or year",
        in ["page-within-limit: subscriptions.list"];
    a_hidden_price_that_another_customer_has: HidesAPriceThatMaryHas breaks ReferenceResolves,
        "expected the price price_2019 of the items of the subscription sub_mary_price_planned to be served by prices.retrieve; got 404: Price not found",
        in ["reference-resolves: subscriptions.list"];
    a_hidden_coupon_that_another_customer_has: HidesACouponThatMaryHas breaks ReferenceResolves,
        "expected the coupon coupon_2019 of the discounts of the subscription sub_mary_price_planned to be served by coupons.retrieve; got 404: Coupon not found",
        in ["reference-resolves: subscriptions.list"];
}

#[tokio::test]
async fn what_many_records_refer_to_is_one_finding_of_each_operation() {
    for (fault, findings) in [
        (Fault::HidesAPriceThatMaryHas, 1),
        (Fault::ItemAtAPriceThatIsGone, 2),
    ] {
        let report = report_on(fault).await;
        assert_eq!(report.findings().len(), findings, "{report}");
    }
}
