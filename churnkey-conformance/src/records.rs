//! What holds for every record that is looked up by its id.

use churnkey_integrator::{
    CouponsOperation, CustomersOperation, FamiliesOperation, Operation, PricesOperation,
    ProductsOperation, SubscriptionsOperation,
    model::{Coupon, Customer, Family, Price, Product, Subscription},
};
use serde_json::Value;

use crate::{
    answer::Answer,
    rule::Rule,
    shape::read,
    suite::{Suite, encoded},
    verdict::{Verdict, described, status_is},
};

/// Records of one kind, and how one is read.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// What one of them is called.
    pub(crate) what: &'static str,
    /// What several of them are called.
    pub(crate) several: &'static str,
    /// The operation that has them one by one.
    pub(crate) retrieve: Operation,
    /// Reads the model and says its id, or where it can't be read.
    id_of: fn(&Value) -> Result<String, String>,
}

macro_rules! kinds {
    ($($kind:ident: $model:ty, $what:literal, $several:literal, $retrieve:expr;)*) => {$(
        pub(crate) const $kind: Kind = Kind {
            what: $what,
            several: $several,
            retrieve: $retrieve,
            id_of: |record| {
                read::<$model>(record).map(|record| record.id().to_string())
            },
        };
    )*};
}

kinds! {
    CUSTOMERS: Customer, "customer", "customers", Operation::Customers(CustomersOperation::Retrieve);
    SUBSCRIPTIONS: Subscription, "subscription", "subscriptions", Operation::Subscriptions(SubscriptionsOperation::Retrieve);
    PRICES: Price, "price", "prices", Operation::Prices(PricesOperation::Retrieve);
    COUPONS: Coupon, "coupon", "coupons", Operation::Coupons(CouponsOperation::Retrieve);
    PRODUCTS: Product, "product", "products", Operation::Products(ProductsOperation::Retrieve);
    FAMILIES: Family, "family", "families", Operation::Families(FamiliesOperation::Retrieve);
}

impl Kind {
    /// The model can read the record.
    pub(crate) fn is_well_formed(self, record: &Value) -> Verdict {
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
        let what = self.what;
        (self.id_of)(record)
            .map(|_| ())
            .map_err(|error| (format!("the {what} {id} in the shape of its model"), error))
    }

    /// 200, the model's shape, and the id that was asked for.
    pub(crate) fn is(self, answer: &Answer, id: &str) -> Verdict {
        let what = self.what;
        let expected = format!("200 and the {what} {id}");
        if answer.status() != 200 {
            return Err((expected, described(answer)));
        }
        match (self.id_of)(answer.body()) {
            Ok(found) if found == id => answer.check().map_err(|broken| (expected, broken)),
            Ok(found) => Err((expected, format!("200 and the {what} {found}"))),
            Err(error) => Err((expected, format!("200 and no {what}: {error}"))),
        }
    }
}

impl Suite {
    /// A record that is there, ids that are not, and the other mode. Returns the record.
    pub(crate) async fn record(
        &mut self,
        operation: impl Into<Operation>,
        kind: Kind,
        base: &str,
        id: &str,
    ) -> Option<Value> {
        let operation = operation.into();
        let base = self.path(base);
        let path = format!("{base}{}", encoded(id));
        let answer = self.client.get_unchecked(&path).await;
        let verdict = kind.is(&answer, id);
        let is_found = verdict.is_ok();
        self.check(operation, Rule::Found, verdict);

        let missing = self.fixtures.missing_customer.clone();
        let missing_path = format!("{base}{}", encoded(&missing));
        let nothing = self.client.get_unchecked(&missing_path).await;
        let verdict = status_is(
            &nothing,
            404,
            &format!("for the {} {missing}, an id that nobody has", kind.what),
        );
        self.check(operation, Rule::Missing, verdict);
        self.tells_nothing(operation, &nothing, Some(&missing));

        let swapped = with_swapped_case(id);
        if swapped != id {
            let path = format!("{base}{}", encoded(&swapped));
            let answer = self.client.get_unchecked(&path).await;
            let verdict = status_is(
                &answer,
                404,
                &format!(
                    "for the {} {swapped}, an id in other letter case",
                    kind.what
                ),
            );
            self.check(operation, Rule::Missing, verdict);
        }

        self.odd_input(operation, &base, "").await;
        self.live_stays_out_of_test_mode(operation, kind, &path)
            .await;
        is_found.then_some(answer.into_body())
    }

    /// What finds a live record finds nothing in test mode.
    pub(crate) async fn live_stays_out_of_test_mode(
        &mut self,
        operation: impl Into<Operation>,
        kind: Kind,
        live_path: &str,
    ) {
        let operation = operation.into();
        if self.is_shared(operation) {
            return;
        }
        let answer = self.in_test_mode().get_unchecked(live_path).await;
        if self.live_only {
            let verdict = status_is(&answer, 400, "in test mode, as only live data is served");
            self.check(operation, Rule::ModesApart, verdict);
            return;
        }
        let what = kind.what;
        let fix = match self.catalogue(operation) {
            Some((kind, _)) => format!(
                ", or Fixtures::shared_{}() if both modes have the same",
                kind.several
            ),
            None => String::new(),
        };
        let when = format!("for the live {what} in test mode{fix}");
        self.check_absent(operation, Rule::ModesApart, &answer, &when);
    }

    /// Whether the merchant says that both modes have the same records there.
    pub(crate) fn is_shared(&self, operation: Operation) -> bool {
        let shared = self.fixtures.shared;
        let is_shared = match operation {
            Operation::Prices(_) => shared.prices,
            Operation::Coupons(_) => shared.coupons,
            Operation::Products(_) => shared.products,
            Operation::Families(_) => shared.families,
            _ => false,
        };
        is_shared && !self.live_only
    }

    /// The kind of a catalogue's operation, and the fixture of it.
    pub(crate) fn catalogue(&self, operation: Operation) -> Option<(Kind, Option<String>)> {
        let fixtures = &self.fixtures;
        let (kind, id) = match operation {
            Operation::Prices(_) => (PRICES, &fixtures.price),
            Operation::Coupons(_) => (COUPONS, &fixtures.coupon),
            Operation::Products(_) => (PRODUCTS, &fixtures.product),
            Operation::Families(_) => (FAMILIES, &fixtures.family),
            _ => return None,
        };
        Some((kind, id.clone()))
    }

    /// Prices and products each are of one type, which the manifest declares.
    pub(crate) fn is_of_the_declared_type(&mut self, operation: Operation, record: &Value) {
        let Some(line) = operation.manifest_line() else {
            return;
        };
        let declared = format!("/controllers/{}/type", line.module());
        let (Some(declared), Some(came)) = (self.manifest.pointer(&declared), record.get("type"))
        else {
            return;
        };
        let verdict = if declared == came {
            Ok(())
        } else {
            let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
            Err((
                format!("{id} to be of the type {declared}, as the manifest declares"),
                came.to_string(),
            ))
        };
        self.check(operation, Rule::DeclaredType, verdict);
    }
}

pub(crate) fn with_swapped_case(id: &str) -> String {
    let swapped = id.chars().map(|c| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    });
    swapped.collect()
}
