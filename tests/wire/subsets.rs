//! Whatever is registered, the manifest's keys are the routes that answer. A combination that can't be built is an error that
//! names every missing part.

use std::collections::BTreeSet;

use churnkey_conformance::Client;
use churnkey_integrator::{
    Amount, ApplyCouponAction, ApplyCouponOperation, CancelAction, CancelOperation,
    ChangePriceAction, ChangePriceOperation, CouponId, CouponsController, CouponsOperation,
    Currency, CustomerId, CustomersController, CustomersOperation, Email, ExtendTrialAction,
    ExtendTrialOperation, FamiliesController, FamiliesOperation, FamilyId, Integration, ItemId,
    Operation, Page, PageRequest, PauseAction, PauseOperation, Percentage, Phone, PriceId,
    PricesController, PricesOperation, ProductId, ProductsController, ProductsOperation,
    RequestContext, Result, Serves, SubscriptionId, SubscriptionsController,
    SubscriptionsOperation, Timestamp,
    actions::{
        ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest, ChangePriceFeatures,
        ChangePriceRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseAllRequest,
        PauseFeatures, PauseRequest, Schedules,
    },
    async_trait,
    model::{
        BillingDuration, Coupon, CouponDuration, CouponValue, Customer, Family, Item, Period,
        Price, PriceAmount, PriceType, Product, ProductType, Subscription, SubscriptionStatus,
    },
};
use serde_json::Value;

use crate::merchants::{client_of, token};

/// The optional operations, one bit for each.
const OPTIONAL: [Operation; 6] = [
    Operation::Customers(CustomersOperation::List),
    Operation::Customers(CustomersOperation::FindByEmail),
    Operation::Customers(CustomersOperation::FindByPhone),
    Operation::Subscriptions(SubscriptionsOperation::List),
    Operation::Cancel(CancelOperation::CancelAll),
    Operation::Pause(PauseOperation::PauseAll),
];

/// Has every record that it is asked for, and serves the operations that it is told to.
#[derive(Clone, Copy)]
struct Everything {
    optional: usize,
    price_type: PriceType,
    product_type: ProductType,
}

impl Everything {
    fn serves(&self, operation: Operation) -> bool {
        let bit = OPTIONAL.iter().position(|optional| *optional == operation);
        bit.is_none_or(|bit| self.optional & (1 << bit) != 0)
    }
}

macro_rules! serves {
    ($($operations:ty),*) => {$(
        impl Serves<$operations> for Everything {
            fn operations(&self) -> &'static [$operations] {
                let all = <$operations>::ALL.iter().copied();
                let served = all.filter(|operation| self.serves((*operation).into()));
                Box::leak(served.collect())
            }
        }
    )*};
}

serves!(
    CustomersOperation,
    SubscriptionsOperation,
    PricesOperation,
    CouponsOperation,
    ProductsOperation,
    FamiliesOperation,
    CancelOperation,
    PauseOperation,
    ApplyCouponOperation,
    ExtendTrialOperation,
    ChangePriceOperation
);

impl Everything {
    fn price(&self, id: &PriceId) -> Price {
        let amount = PriceAmount::fixed(Currency::new("usd").unwrap(), Amount::flat(1).unwrap());
        let (id, monthly) = (id.clone(), BillingDuration::MONTHLY);
        match self.price_type {
            PriceType::Standalone => Price::standalone(id, monthly, amount),
            PriceType::Product => {
                Price::of_product(ProductId::new("prod").unwrap(), id, monthly, amount)
            }
            other => panic!("no price of type {other}"),
        }
    }

    fn product(&self, id: &ProductId) -> Product {
        match self.product_type {
            ProductType::Standalone => Product::standalone(id.clone(), "P"),
            ProductType::Family => {
                Product::of_family(FamilyId::new("fam").unwrap(), id.clone(), "P")
            }
            other => panic!("no product of type {other}"),
        }
    }

    fn coupon(&self, id: &CouponId) -> Coupon {
        let value = CouponValue::percentage(Percentage::whole(10).unwrap());
        Coupon::new(id.clone(), CouponDuration::Once, value)
    }
}

#[async_trait]
impl CustomersController for Everything {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(id.clone())))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        Ok(Page::new(Vec::new(), None))
    }

    async fn find_by_email(&self, _: &RequestContext, _: &Email) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(CustomerId::new("found")?)))
    }

    async fn find_by_phone(&self, _: &RequestContext, _: &Phone) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(CustomerId::new("found")?)))
    }
}

#[async_trait]
impl SubscriptionsController for Everything {
    async fn retrieve(
        &self,
        _: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Option<Subscription>> {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse()?;
        let item = Item::new(ItemId::new("si")?, self.price(&PriceId::new("price")?), 1)?;
        Ok(Some(Subscription::new(
            id.clone(),
            customer_id.clone(),
            SubscriptionStatus::active(Period::new(start, start)?),
            start,
            BillingDuration::MONTHLY,
            [item],
        )))
    }

    async fn list(
        &self,
        _: &RequestContext,
        _: &CustomerId,
        _: &PageRequest,
    ) -> Result<Page<Subscription>> {
        Ok(Page::new(Vec::new(), None))
    }
}

#[async_trait]
impl PricesController for Everything {
    fn price_type(&self) -> PriceType {
        self.price_type
    }

    async fn retrieve(&self, _: &RequestContext, id: &PriceId) -> Result<Option<Price>> {
        Ok(Some(self.price(id)))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Price>> {
        Ok(Page::new(Vec::new(), None))
    }
}

#[async_trait]
impl CouponsController for Everything {
    async fn retrieve(&self, _: &RequestContext, id: &CouponId) -> Result<Option<Coupon>> {
        Ok(Some(self.coupon(id)))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Coupon>> {
        Ok(Page::new(Vec::new(), None))
    }
}

#[async_trait]
impl ProductsController for Everything {
    fn product_type(&self) -> ProductType {
        self.product_type
    }

    async fn retrieve(&self, _: &RequestContext, id: &ProductId) -> Result<Option<Product>> {
        Ok(Some(self.product(id)))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Product>> {
        Ok(Page::new(Vec::new(), None))
    }
}

#[async_trait]
impl FamiliesController for Everything {
    async fn retrieve(&self, _: &RequestContext, id: &FamilyId) -> Result<Option<Family>> {
        Ok(Some(Family::new(id.clone(), "F")))
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Family>> {
        Ok(Page::new(Vec::new(), None))
    }
}

#[async_trait]
impl CancelAction for Everything {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::EndOfPeriod)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Ok(())
    }

    async fn cancel_all(&self, _: &RequestContext, _: &CancelAllRequest) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl PauseAction for Everything {
    fn features(&self) -> PauseFeatures {
        PauseFeatures::new(Schedules::Immediate, Durations::Period)
    }

    async fn pause(&self, _: &RequestContext, _: &PauseRequest) -> Result<()> {
        Ok(())
    }

    async fn pause_all(&self, _: &RequestContext, _: &PauseAllRequest) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl ApplyCouponAction for Everything {
    async fn apply_coupon(&self, _: &RequestContext, _: &ApplyCouponRequest) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl ExtendTrialAction for Everything {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Date).with_multiple()
    }

    async fn extend_trial(&self, _: &RequestContext, _: &ExtendTrialRequest) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl ChangePriceAction for Everything {
    fn features(&self) -> ChangePriceFeatures {
        ChangePriceFeatures::new(Schedules::Both).with_proration()
    }

    async fn change_price(&self, _: &RequestContext, _: &ChangePriceRequest) -> Result<()> {
        Ok(())
    }
}

/// The modules besides customers, one bit for each, by the builder's methods.
const MODULES: [&str; 10] = [
    "subscriptions",
    "prices",
    "coupons",
    "products",
    "families",
    "cancel",
    "pause",
    "apply_coupon",
    "extend_trial",
    "change_price",
];

type Built = Result<Integration, churnkey_integrator::BuildError>;

fn build(modules: &BTreeSet<&str>, merchant: Everything) -> Built {
    let mut builder = Integration::builder("Any", token()).customers(merchant);
    for module in modules {
        builder = match *module {
            "subscriptions" => builder.subscriptions(merchant),
            "prices" => builder.prices(merchant),
            "coupons" => builder.coupons(merchant),
            "products" => builder.products(merchant),
            "families" => builder.families(merchant),
            "cancel" => builder.cancel(merchant),
            "pause" => builder.pause(merchant),
            "apply_coupon" => builder.apply_coupon(merchant),
            "extend_trial" => builder.extend_trial(merchant),
            "change_price" => builder.change_price(merchant),
            other => panic!("{other}"),
        };
    }
    builder.build()
}

/// What the contract's section 1.3 says is missing: module, and what it needs.
fn missing(modules: &BTreeSet<&str>, merchant: Everything) -> BTreeSet<(String, String)> {
    let mut needs = vec![
        ("subscriptions", "prices"),
        ("cancel", "subscriptions"),
        ("pause", "subscriptions"),
        ("pause", "cancel"),
        ("apply_coupon", "subscriptions"),
        ("apply_coupon", "coupons"),
        ("apply_coupon", "cancel"),
        ("extend_trial", "subscriptions"),
        ("extend_trial", "cancel"),
        ("change_price", "subscriptions"),
        ("change_price", "prices"),
        ("change_price", "cancel"),
    ];
    if merchant.price_type == PriceType::Product {
        needs.push(("prices", "products"));
    }
    if merchant.product_type == ProductType::Family {
        needs.push(("products", "families"));
    }
    needs
        .into_iter()
        .filter(|(module, need)| modules.contains(module) && !modules.contains(need))
        .map(|(module, need)| (module.to_owned(), need.to_owned()))
        .collect()
}

/// Products without prices of theirs, and families without products of theirs.
fn unused_types(modules: &BTreeSet<&str>, merchant: Everything) -> usize {
    let all = |names: [&str; 2]| names.iter().all(|name| modules.contains(name));
    let prices = all(["prices", "products"]) && merchant.price_type == PriceType::Standalone;
    let products =
        all(["products", "families"]) && merchant.product_type == ProductType::Standalone;
    usize::from(prices) + usize::from(products)
}

fn subsets() -> impl Iterator<Item = BTreeSet<&'static str>> {
    (0..1_usize << MODULES.len()).map(|bits| {
        let chosen = MODULES.iter().enumerate();
        let chosen = chosen.filter(|(bit, _)| bits & (1 << bit) != 0);
        chosen.map(|(_, module)| *module).collect()
    })
}

fn types() -> impl Iterator<Item = (PriceType, ProductType)> {
    [PriceType::Standalone, PriceType::Product]
        .into_iter()
        .flat_map(|price| {
            [ProductType::Standalone, ProductType::Family].map(|product| (price, product))
        })
}

#[test]
fn what_is_missing_is_a_build_error_that_names_every_part_at_once() {
    let (mut good, mut rejected) = (0, 0);
    for modules in subsets() {
        for (price_type, product_type) in types() {
            let merchant = Everything {
                optional: 0,
                price_type,
                product_type,
            };
            let missing = missing(&modules, merchant);
            let unused = unused_types(&modules, merchant);
            let problems = match build(&modules, merchant) {
                Ok(_) => Vec::new(),
                Err(error) => error.problems().to_vec(),
            };
            assert_eq!(
                problems.len(),
                missing.len() + unused,
                "{modules:?} {price_type:?} {product_type:?}: {problems:?}"
            );
            for (module, need) in &missing {
                let typed = match module.as_str() {
                    "prices" => "price_type() is Product, which needs .products(..)",
                    "products" => "product_type() is Family, which needs .families(..)",
                    _ => "",
                };
                let plain = format!(".{module}(..) needs .{need}(..): add it");
                assert!(
                    problems.iter().any(|problem| *problem == plain
                        || (!typed.is_empty() && problem.starts_with(typed))),
                    "{plain} in {problems:?}"
                );
            }
            if problems.is_empty() {
                good += 1;
            } else {
                rejected += 1;
            }
        }
    }
    // By hand: 24 without prices, 12 with prices alone, 12 with subscriptions, 144 with cancel on top.
    assert_eq!((good, rejected), (192, 3904));
}

/// The operations that the manifest lists.
fn advertised(manifest: &Value) -> BTreeSet<&'static str> {
    let listed = |pointer: &str| manifest.pointer(pointer);
    let is_true = |pointer: &str| listed(pointer) == Some(&Value::Bool(true));
    [
        (
            "customers.retrieve",
            is_true("/controllers/customers/retrieve"),
        ),
        ("customers.list", is_true("/controllers/customers/list")),
        (
            "customers.find_by_email",
            is_true("/controllers/customers/findByEmail"),
        ),
        (
            "customers.find_by_phone",
            is_true("/controllers/customers/findByPhone"),
        ),
        (
            "subscriptions.retrieve",
            is_true("/controllers/subscriptions/retrieve"),
        ),
        (
            "subscriptions.list",
            is_true("/controllers/subscriptions/list"),
        ),
        ("prices.retrieve", is_true("/controllers/prices/retrieve")),
        ("prices.list", is_true("/controllers/prices/list")),
        ("coupons.retrieve", is_true("/controllers/coupons/retrieve")),
        ("coupons.list", is_true("/controllers/coupons/list")),
        (
            "products.retrieve",
            is_true("/controllers/products/retrieve"),
        ),
        ("products.list", is_true("/controllers/products/list")),
        (
            "families.retrieve",
            is_true("/controllers/families/retrieve"),
        ),
        ("families.list", is_true("/controllers/families/list")),
        ("cancel", listed("/actions/cancel/schedules").is_some()),
        ("cancel_all", is_true("/actions/cancel/all")),
        ("pause", is_true("/actions/pause/enabled")),
        ("pause_all", is_true("/actions/pause/all")),
        ("apply_coupon", is_true("/actions/applyCoupon/enabled")),
        ("extend_trial", is_true("/actions/extendTrial/enabled")),
        ("change_price", is_true("/actions/changePrice/enabled")),
    ]
    .into_iter()
    .filter_map(|(operation, is_there)| is_there.then_some(operation))
    .collect()
}

/// The operations whose routes answer something else than 404.
async fn answering(client: &Client) -> BTreeSet<&'static str> {
    let mut answering = BTreeSet::new();
    for operation in Operation::all().filter(|operation| *operation != Operation::Features) {
        // An address as id, so that nothing else is meant where two routes are alike.
        let path = operation
            .path()
            .replace("{customerId}", "a@b")
            .replace("{id}", "a@b");
        let path = path.replace("{email}", "a@b").replace("{phone}", "1");
        let call = client.call(operation.method(), &format!("/churnkey{path}"));
        let answer = call.signed().send().await;
        if answer.status() != 404 {
            assert!(
                matches!(answer.status(), 200 | 400),
                "{path}: {}",
                answer.status()
            );
            answering.insert(operation.name());
        }
    }
    answering
}

#[tokio::test]
async fn for_every_subset_the_manifests_keys_are_the_routes_that_are_not_404() {
    let mut built = 0;
    for (number, modules) in subsets().enumerate() {
        for (price_type, product_type) in types() {
            let everything = modules.len() == MODULES.len();
            // With all modules every choice of optional operations; else one that changes from subset to subset.
            let choices = match everything {
                true => (0..64).collect(),
                false => vec![number % 64, 63],
            };
            for optional in choices {
                let merchant = Everything {
                    optional,
                    price_type,
                    product_type,
                };
                let Ok(integration) = build(&modules, merchant) else {
                    continue;
                };
                built += 1;
                let client = client_of(&integration);
                let manifest = client.get("/churnkey/features").await.into_body();
                let routes = answering(&client).await;
                assert_eq!(advertised(&manifest), routes, "{modules:?} {optional:b}");
                let operations = integration.operations().map(Operation::name);
                let operations: BTreeSet<_> = operations.filter(|o| *o != "features").collect();
                assert_eq!(operations, routes, "{modules:?}");
                let is_ready = modules.contains("prices") && modules.contains("subscriptions");
                assert_eq!(integration.readiness().is_ready(), is_ready, "{modules:?}");
            }
        }
    }
    assert_eq!(built, 191 * 2 + 64);
}

#[tokio::test]
async fn the_manifest_says_what_the_actions_can_do() {
    let merchant = Everything {
        optional: 63,
        price_type: PriceType::Product,
        product_type: ProductType::Family,
    };
    let integration = build(&MODULES.into_iter().collect(), merchant).unwrap();
    let manifest = client_of(&integration)
        .get("/churnkey/features")
        .await
        .into_body();
    assert_eq!(
        manifest["actions"],
        serde_json::json!({
            "cancel": {"all": true, "schedules": {"immediate": false, "end-of-period": true}},
            "pause": {
                "enabled": true, "all": true,
                "startDates": {"immediate": true, "end-of-period": false},
                "durations": {"period": true, "date": false},
                "allowAnnual": false
            },
            "applyCoupon": {"enabled": true},
            "extendTrial": {
                "enabled": true, "multiple": true, "durations": {"period": false, "date": true}
            },
            "changePrice": {
                "enabled": true, "prorate": true,
                "schedules": {"immediate": true, "end-of-period": true}
            }
        })
    );
    assert_eq!(manifest["controllers"]["prices"]["type"], "product");
    assert_eq!(manifest["controllers"]["products"]["type"], "family");
    assert_eq!(
        integration.readiness().to_string(),
        "Churnkey has what it needs to publish this integration"
    );
}

#[test]
fn customers_alone_build_and_say_what_is_missing() {
    let merchant = Everything {
        optional: 0b001,
        price_type: PriceType::Standalone,
        product_type: ProductType::Standalone,
    };
    let integration = build(&BTreeSet::new(), merchant).unwrap();
    assert_eq!(
        integration.readiness().to_string(),
        "Churnkey can't publish this integration before it has .prices(..) and .subscriptions(..); \
         no managed flow by e-mail without find_by_email; no managed flow by phone without find_by_phone; \
         no cancel flow, and no offers in it, without .cancel(..); no pause offers without .pause(..); \
         no discounts without .coupons(..); no discount offers without .apply_coupon(..); \
         no trial extension offers without .extend_trial(..); no plan change offers without .change_price(..)"
    );
}
