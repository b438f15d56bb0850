//! Subscriptions, which are there for their own customer only.

use churnkey_integrator::{
    CustomersOperation,
    SubscriptionsOperation::{List, Retrieve},
};
use serde_json::Value;

use crate::{
    fixtures::Subject,
    lists::{Listing, SAMPLED},
    records::SUBSCRIPTIONS,
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{described, is_empty_page, status_is},
};

/// How many customers are asked for somebody else's subscription.
const ASKED: usize = 3;
/// So many lists that fail are enough to know.
const MOST_FAILURES: usize = 3;

impl Suite {
    pub(crate) async fn subscription(&mut self) {
        let Some(subject) = self.fixtures.subscription.clone() else {
            self.fixture_is_missing(Retrieve, "subscription");
            return;
        };
        let Subject {
            customer,
            subscription,
        } = &subject;
        let base = format!("/customers/{}/subscriptions/", encoded(customer));
        let record = self
            .record(Retrieve, SUBSCRIPTIONS, &base, subscription)
            .await;
        if let Some(record) = record {
            let verdict = match record.get("customerId") {
                Some(owner) if owner == customer => Ok(()),
                owner => Err((
                    format!("{subscription} with the customerId {customer}"),
                    owner.map_or("none".to_owned(), Value::to_string),
                )),
            };
            self.check(Retrieve, Rule::OwnersOnly, verdict);
            self.references(Retrieve, SUBSCRIPTIONS, &record).await;
        }
        let customers = self.path("/customers/");
        let rest = format!("/subscriptions/{}", encoded(subscription));
        self.odd_input(Retrieve, &customers, &rest).await;

        let path = format!(
            "{customers}{}{rest}",
            encoded(&self.fixtures.missing_customer)
        );
        let answer = self.client.get_unchecked(&path).await;
        let verdict = status_is(
            &answer,
            404,
            "for the subscription of a customer who is not there",
        );
        self.check(Retrieve, Rule::Missing, verdict);
        for other in self.others.clone() {
            let path = format!("{customers}{}{rest}", encoded(&other));
            let answer = self.client.get_unchecked(&path).await;
            let when = format!("for {subscription} under the customer {other}");
            self.check_absent(Retrieve, Rule::OwnersOnly, &answer, &when);
        }
        self.test_subscription_stays_in_test_mode().await;
    }

    /// The test customer's subscriptions, if they can be listed, are nobody's in live mode.
    async fn test_subscription_stays_in_test_mode(&mut self) {
        let Some(customer) = self.fixtures.test_customer.clone() else {
            return;
        };
        if !self.serves(List) {
            return;
        }
        let path = self.path(&format!("/customers/{}/subscriptions", encoded(&customer)));
        let listed = self.in_test_mode().get_unchecked(&path).await;
        let Some(id) = listed.body().pointer("/data/0/id").and_then(Value::as_str) else {
            return;
        };
        let in_live = self
            .client
            .get_unchecked(&format!("{path}/{}", encoded(id)))
            .await;
        let when = "for the test subscription in live mode";
        self.check_absent(Retrieve, Rule::ModesApart, &in_live, when);
    }

    /// What a list of one customer must not hold: anybody else's.
    pub(crate) async fn lists_are_the_owners(&mut self) {
        let Some(subject) = self.fixtures.subscription.clone() else {
            self.fixture_is_missing(List, "subscription");
            return;
        };
        self.lists_of_others(&subject).await;
        let missing = self.fixtures.missing_customer.clone();
        let answer = self
            .get(&format!("/customers/{}/subscriptions", encoded(&missing)))
            .await;
        let verdict = match answer.status() {
            404 => Ok(()),
            200 if is_empty_page(&answer) => Ok(()),
            200 => Err((
                "no subscription of a customer who is not there".to_owned(),
                "200 and some".to_owned(),
            )),
            _ => Err((
                "404 or an empty list for a customer who is not there".to_owned(),
                described(&answer),
            )),
        };
        self.check(List, Rule::Missing, verdict);
        self.tells_nothing(List, &answer, Some(&missing));
        let customers = self.path("/customers/");
        self.odd_input(List, &customers, "/subscriptions").await;
    }

    /// Of many customers, as rows that can't be served are where nobody looks for them.
    async fn lists_of_others(&mut self, subject: &Subject) {
        let mut others = self.others.clone();
        if !self.is_asked_for(CustomersOperation::List) {
            self.listed_customers = self.first_customers(SAMPLED).await;
        }
        for id in &self.listed_customers {
            if *id != subject.customer && !others.contains(id) {
                others.push(id.clone());
            }
        }
        let (mut left, mut failed) = (SAMPLED, 0);
        for other in others.into_iter().take(SAMPLED) {
            let path = self.path(&format!("/customers/{}/subscriptions", encoded(&other)));
            let answer = self.client.get_unchecked(&path).await;
            let data = answer.body().get("data").and_then(Value::as_array);
            let Some(data) = data.filter(|_| answer.status() == 200) else {
                let expected = format!("200 and the subscriptions of the customer {other}");
                let verdict = Err((expected, described(&answer)));
                self.check(List, Rule::PageWithinLimit, verdict);
                failed += 1;
                if failed == MOST_FAILURES {
                    return;
                }
                continue;
            };
            let foreign = data.iter().find(|record| {
                record["customerId"] != other || record["id"] == subject.subscription
            });
            if let Some(record) = foreign {
                let expected = format!("subscriptions of the customer {other} only");
                let got = format!("{} in it", record["id"].as_str().unwrap_or_default());
                self.check(List, Rule::OwnersOnly, Err((expected, got)));
                continue;
            }
            self.check(List, Rule::OwnersOnly, Ok(()));
            let listing = Listing {
                operation: List.into(),
                kind: SUBSCRIPTIONS,
                of: format!("subscriptions of the customer {other}"),
                path,
                live: None,
                test: None,
            };
            let records = data.get(..left.min(data.len())).unwrap_or_default();
            left -= records.len();
            for record in records {
                self.check(List, Rule::WellFormed, SUBSCRIPTIONS.is_well_formed(record));
            }
            self.compare(&listing, records).await;
        }
    }

    /// The ids of the first live customers that are listed.
    async fn first_customers(&self, limit: usize) -> Vec<String> {
        if !self.serves(CustomersOperation::List) {
            return Vec::new();
        }
        let page = self.get(&format!("/customers?limit={limit}")).await;
        let listed = page.body().get("data").and_then(Value::as_array);
        let ids = listed.into_iter().flatten();
        let ids = ids.filter_map(|record| record.get("id")?.as_str());
        ids.map(str::to_owned).collect()
    }

    /// Some live customers besides the one of the subscription.
    pub(crate) async fn other_customers(&self) -> Vec<String> {
        let fixtures = &self.fixtures;
        let mut known = vec![fixtures.customer.clone()];
        known.extend(fixtures.email.iter().map(|contact| contact.owner.clone()));
        known.extend(fixtures.phone.iter().map(|contact| contact.owner.clone()));
        known.extend(self.first_customers(10).await);
        let mut others: Vec<String> = Vec::new();
        for id in known {
            let is_owner = fixtures
                .subscription
                .as_ref()
                .is_some_and(|subject| subject.customer == id);
            if !is_owner && !others.contains(&id) && others.len() < ASKED {
                others.push(id);
            }
        }
        others
    }
}
