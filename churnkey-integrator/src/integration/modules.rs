//! What is registered, what each part needs (contract, section 1.3), and how it is mounted.

use std::sync::Arc;

use crate::{
    actions::{ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, PauseAction},
    controllers::{
        CouponsController, CustomersController, FamiliesController, PricesController,
        ProductsController, SubscriptionsController,
    },
    http::{
        self as wire, Routes, actions::Action, prices::Prices, products::Products,
        subscriptions::Subscriptions,
    },
    idempotency::IdempotencyStore,
    model::{PriceType, ProductType},
};

/// Lists, so that a second registration is not lost before it can be reported.
#[derive(Default)]
pub(super) struct Modules {
    pub(super) customers: Vec<Arc<dyn CustomersController>>,
    pub(super) subscriptions: Vec<Arc<dyn SubscriptionsController>>,
    pub(super) prices: Vec<Arc<dyn PricesController>>,
    pub(super) coupons: Vec<Arc<dyn CouponsController>>,
    pub(super) products: Vec<Arc<dyn ProductsController>>,
    pub(super) families: Vec<Arc<dyn FamiliesController>>,
    pub(super) cancel: Vec<Arc<dyn CancelAction>>,
    pub(super) pause: Vec<Arc<dyn PauseAction>>,
    pub(super) apply_coupon: Vec<Arc<dyn ApplyCouponAction>>,
    pub(super) extend_trial: Vec<Arc<dyn ExtendTrialAction>>,
    pub(super) change_price: Vec<Arc<dyn ChangePriceAction>>,
}

/// A part of an integration, by the builder's method that registers it.
#[derive(Clone, Copy)]
struct Part {
    method: &'static str,
    times: usize,
}

impl Part {
    fn of<T>(method: &'static str, registered: &[T]) -> Self {
        Self {
            method,
            times: registered.len(),
        }
    }

    fn is_there(self) -> bool {
        self.times > 0
    }
}

impl Modules {
    pub(super) fn problems(&self) -> Vec<String> {
        let customers = Part::of("customers", &self.customers);
        let subscriptions = Part::of("subscriptions", &self.subscriptions);
        let prices = Part::of("prices", &self.prices);
        let coupons = Part::of("coupons", &self.coupons);
        let products = Part::of("products", &self.products);
        let families = Part::of("families", &self.families);
        let cancel = Part::of("cancel", &self.cancel);
        let pause = Part::of("pause", &self.pause);
        let apply_coupon = Part::of("apply_coupon", &self.apply_coupon);
        let extend_trial = Part::of("extend_trial", &self.extend_trial);
        let change_price = Part::of("change_price", &self.change_price);

        let mut problems = Vec::new();
        if !customers.is_there() {
            problems.push(
                "no controller is registered: add .customers(..), which Churnkey needs first of all"
                    .to_owned(),
            );
        }
        for part in [
            customers,
            subscriptions,
            prices,
            coupons,
            products,
            families,
            cancel,
            pause,
            apply_coupon,
            extend_trial,
            change_price,
        ] {
            if part.times > 1 {
                let method = part.method;
                problems.push(format!(
                    ".{method}(..) is there more than once: keep one of them"
                ));
            }
        }
        let needs: [(Part, &[Part]); 6] = [
            (subscriptions, &[prices]),
            (cancel, &[subscriptions]),
            (pause, &[subscriptions, cancel]),
            (apply_coupon, &[subscriptions, coupons, cancel]),
            (extend_trial, &[subscriptions, cancel]),
            (change_price, &[subscriptions, prices, cancel]),
        ];
        for (part, needed) in needs {
            for missing in needed.iter().filter(|_| part.is_there()) {
                if !missing.is_there() {
                    let (method, missing) = (part.method, missing.method);
                    problems.push(format!(".{method}(..) needs .{missing}(..): add it"));
                }
            }
        }
        problems.extend(self.type_problems());
        problems
    }

    /// Prices and products say what they belong to, and that has to be there.
    fn type_problems(&self) -> Vec<String> {
        let price_type = self.prices.first().map(|prices| prices.price_type());
        let product_type = self
            .products
            .first()
            .map(|products| products.product_type());
        let has_products = !self.products.is_empty();
        let has_families = !self.families.is_empty();
        let problem = |is_there: bool, text: &str| is_there.then(|| text.to_owned());
        [
            problem(
                price_type == Some(PriceType::Product) && !has_products,
                "price_type() is Product, which needs .products(..): add it, or declare Standalone",
            ),
            problem(
                price_type == Some(PriceType::Standalone) && has_products,
                "there are .products(..), so prices must belong to them: declare Product in price_type(), or leave \
                 .products(..) out",
            ),
            problem(
                product_type == Some(ProductType::Family) && !has_families,
                "product_type() is Family, which needs .families(..): add it, or declare Standalone",
            ),
            problem(
                product_type == Some(ProductType::Standalone) && has_families,
                "there are .families(..), so products must belong to them: declare Family in product_type(), or leave \
                 .families(..) out",
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Mounts everything whose needs are there, as [`problems`](Self::problems) has made sure.
    pub(super) fn mount(self, routes: &mut Routes, idempotency: &Arc<dyn IdempotencyStore>) {
        let [customers] = &*self.customers else {
            return;
        };
        wire::customers::mount(routes, customers);

        let families = self.families.into_iter().next();
        let products = self.products.into_iter().next();
        let coupons = self.coupons.into_iter().next();
        let prices = self.prices.into_iter().next().map(|controller| {
            Arc::new(Prices {
                declared: controller.price_type(),
                controller,
            })
        });
        let subscriptions = self.subscriptions.into_iter().next().zip(prices.clone());
        let subscriptions = subscriptions.map(|(controller, prices)| {
            Arc::new(Subscriptions {
                controller,
                customers: Arc::clone(customers),
                prices,
            })
        });

        if let Some(subscriptions) = &subscriptions {
            wire::subscriptions::mount(routes, subscriptions);
        }
        if let Some(prices) = &prices {
            wire::prices::mount(routes, prices);
            routes.features_mut().declare_price_type(prices.declared);
        }
        if let Some(coupons) = &coupons {
            wire::coupons::mount(routes, coupons);
        }
        if let Some(controller) = products {
            let products = Arc::new(Products {
                declared: controller.product_type(),
                controller,
            });
            wire::products::mount(routes, &products);
            routes
                .features_mut()
                .declare_product_type(products.declared);
        }
        if let Some(families) = &families {
            wire::families::mount(routes, families);
        }

        let Some(subscriptions) = subscriptions else {
            return;
        };
        if let Some(action) = self.cancel.into_iter().next() {
            let features = action.features();
            let cancel = Action::new(action, features, &subscriptions, idempotency, ());
            wire::actions::mount_cancel(routes, &cancel);
            routes.features_mut().declare_cancel(features);
        }
        if let Some(action) = self.pause.into_iter().next() {
            let features = action.features();
            let pause = Action::new(action, features, &subscriptions, idempotency, ());
            wire::actions::mount_pause(routes, &pause);
            routes.features_mut().declare_pause(features);
        }
        if let Some((action, coupons)) = self.apply_coupon.into_iter().next().zip(coupons) {
            let apply_coupon = Action::new(action, (), &subscriptions, idempotency, coupons);
            wire::actions::mount_apply_coupon(routes, &apply_coupon);
        }
        if let Some(action) = self.extend_trial.into_iter().next() {
            let features = action.features();
            let extend_trial = Action::new(action, features, &subscriptions, idempotency, ());
            wire::actions::mount_extend_trial(routes, &extend_trial);
            routes.features_mut().declare_extend_trial(features);
        }
        if let Some((action, prices)) = self.change_price.into_iter().next().zip(prices) {
            let features = action.features();
            let change_price = Action::new(action, features, &subscriptions, idempotency, prices);
            wire::actions::mount_change_price(routes, &change_price);
            routes.features_mut().declare_change_price(features);
        }
    }
}
