//! What records refer to: a price to its product, a product to its family, an item to its price, a discount to its
//! coupon.

use churnkey_integrator::Operation;
use serde_json::{Map, Value};

use crate::{
    records::{self, Kind},
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{described, same_record},
};

impl Suite {
    /// Everything that the record refers to is served, and whole copies in it are those of their own controllers.
    pub(crate) async fn references(
        &mut self,
        operation: impl Into<Operation>,
        kind: Kind,
        record: &Value,
    ) {
        let operation = operation.into();
        let text = |field: &str| record.get(field).and_then(Value::as_str);
        let what = kind.what;
        let whose = format!("the {what} {}", text("id").unwrap_or_default());
        if let Some(id) = text("productId") {
            self.resolves(operation, records::PRODUCTS, id, &whose)
                .await;
        }
        if let Some(id) = text("familyId") {
            self.resolves(operation, records::FAMILIES, id, &whose)
                .await;
        }
        for item in list(record, "items") {
            if let Some(price) = item.get("price") {
                let whose = format!("the items of {whose}");
                self.is_a_copy(operation, records::PRICES, price, &whose)
                    .await;
            }
        }
        for discount in list(record, "discounts") {
            if let Some(coupon) = discount.get("coupon") {
                let whose = format!("the discounts of {whose}");
                self.is_a_copy(operation, records::COUPONS, coupon, &whose)
                    .await;
            }
        }
    }

    /// Returns the record that the other controller has. Many records refer to the same one: it is looked up once.
    async fn resolves(
        &mut self,
        operation: Operation,
        kind: Kind,
        id: &str,
        whose: &str,
    ) -> Option<Value> {
        let Kind { what, retrieve, .. } = kind;
        let name = retrieve.name();
        let expected = format!("the {what} {id} of {whose} to be served by {name}");
        if !self.serves(retrieve) {
            let got = "no such controller in the manifest".to_owned();
            self.check(operation, Rule::ReferenceResolves, Err((expected, got)));
            return None;
        }
        let path = retrieve.path().replace("{id}", &encoded(id));
        let key = (operation, path);
        if let Some(known) = self.referred_to.get(&key) {
            return known.clone();
        }
        let found = self.look_up(operation, kind, &key.1, expected).await;
        self.referred_to.insert(key, found.clone());
        found
    }

    async fn look_up(
        &mut self,
        operation: Operation,
        kind: Kind,
        path: &str,
        expected: String,
    ) -> Option<Value> {
        let answer = self.get(path).await;
        if self.failed(kind.retrieve, &expected, &answer) {
            return None;
        }
        let verdict = match answer.status() {
            200 => Ok(()),
            _ => Err((expected, described(&answer))),
        };
        let is_there = verdict.is_ok();
        self.check(operation, Rule::ReferenceResolves, verdict);
        is_there.then_some(answer.into_body())
    }

    async fn is_a_copy(&mut self, operation: Operation, kind: Kind, copy: &Value, whose: &str) {
        let id = copy.get("id").and_then(Value::as_str).unwrap_or_default();
        if let Some(original) = self.resolves(operation, kind, id, whose).await {
            let (what, retrieve) = (kind.what, kind.retrieve.name());
            let name = operation.name();
            let of = format!("{name}, in {whose}, and {retrieve} for the {what} {id}");
            let verdict = same_record(&lasting(copy), &lasting(&original), &of);
            self.check(operation, Rule::SameRecord, verdict);
        }
    }
}

fn list<'a>(record: &'a Value, field: &str) -> Vec<&'a Value> {
    let list = record.get(field).and_then(Value::as_array);
    list.map(|list| list.iter().collect()).unwrap_or_default()
}

/// Without what may be counted between two requests, or since the copy was made.
fn lasting(record: &Value) -> Value {
    let mut fields: Map<String, Value> = record.as_object().cloned().unwrap_or_default();
    fields.remove("redemptions");
    Value::Object(fields)
}
