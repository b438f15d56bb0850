//! The look-ups of a customers controller.

use serde_json::Value;

use super::{
    Contact, Rule, Suite, encoded,
    wire::{described, status_is},
};
use crate::{
    model::Customer,
    operation::CustomersOperation::{self, FindByEmail, FindByPhone, Retrieve},
    testing::Answer,
};

impl Suite {
    pub(super) async fn retrieve(&mut self) {
        let base = self.path("/customers/");
        let id = self.fixtures.customer.clone();
        let path = format!("{base}{}", encoded(&id));
        let answer = self.client.get_unchecked(&path).await;
        self.check(Retrieve, Rule::Found, is_customer(&answer, &id));

        let missing = self.fixtures.missing_customer.clone();
        let missing_path = format!("{base}{}", encoded(&missing));
        let nobody = self.client.get_unchecked(&missing_path).await;
        let verdict = status_is(&nobody, 404, "for the id that nobody has");
        self.check(Retrieve, Rule::Missing, verdict);
        self.tells_nothing(Retrieve, &nobody, Some(&missing));

        let swapped = with_swapped_case(&id);
        if swapped != id {
            let path = format!("{base}{}", encoded(&swapped));
            let answer = self.client.get_unchecked(&path).await;
            let verdict = status_is(&answer, 404, "for an id in other letter case");
            self.check(Retrieve, Rule::Missing, verdict);
        }

        self.odd_input(Retrieve, &base).await;
        self.modes_apart(&base, &path).await;
    }

    async fn modes_apart(&mut self, base: &str, live_path: &str) {
        self.live_stays_out_of_test_mode(Retrieve, live_path).await;
        if let Some(id) = self.fixtures.test_customer.clone() {
            let path = format!("{base}{}", encoded(&id));
            let in_test = self.in_test_mode().get_unchecked(&path).await;
            self.check(Retrieve, Rule::ModesApart, is_customer(&in_test, &id));
            let in_live = self.client.get_unchecked(&path).await;
            let verdict = status_is(&in_live, 404, "for the test customer in live mode");
            self.check(Retrieve, Rule::ModesApart, verdict);
        }
    }

    /// What finds a live customer finds nobody in test mode.
    async fn live_stays_out_of_test_mode(
        &mut self,
        operation: CustomersOperation,
        live_path: &str,
    ) {
        let (status, why) = if self.live_only {
            (400, "in test mode, as only live data is served")
        } else {
            (404, "for the live customer in test mode")
        };
        let answer = self.in_test_mode().get_unchecked(live_path).await;
        self.check(operation, Rule::ModesApart, status_is(&answer, status, why));
    }

    /// What finds the test customer finds nobody in live mode.
    async fn test_stays_out_of_live_mode(
        &mut self,
        operation: CustomersOperation,
        what: &str,
        base: &str,
    ) {
        let Some(id) = self.fixtures.test_customer.clone() else {
            return;
        };
        let path = self.path(&format!("/customers/{}", encoded(&id)));
        let in_test = self.in_test_mode().get_unchecked(&path).await;
        let Some(contact) = in_test.body.get(what).and_then(Value::as_str) else {
            return;
        };
        let path = format!("{base}{}", encoded(contact));
        let in_live = self.client.get_unchecked(&path).await;
        let verdict = status_is(&in_live, 404, "for the test customer in live mode");
        self.check(operation, Rule::ModesApart, verdict);
    }

    pub(super) async fn find_by_email(&mut self) {
        let email = self.fixtures.email.clone();
        let shared = self.fixtures.shared_email.clone();
        self.find_by(FindByEmail, "email", email.as_ref(), shared)
            .await;
        if let Some(Contact { value, owner }) = email {
            let base = self.path("/customers/email/");
            for spelling in [value.to_uppercase(), value.to_lowercase()] {
                let path = format!("{base}{}", encoded(&spelling));
                let answer = self.client.get_unchecked(&path).await;
                self.check(
                    FindByEmail,
                    Rule::EmailIgnoresCase,
                    is_customer(&answer, &owner),
                );
            }
        }
    }

    pub(super) async fn find_by_phone(&mut self) {
        let phone = self.fixtures.phone.clone();
        let shared = self.fixtures.shared_phone.clone();
        self.find_by(FindByPhone, "phone", phone.as_ref(), shared)
            .await;
    }

    async fn find_by(
        &mut self,
        operation: CustomersOperation,
        what: &str,
        contact: Option<&Contact>,
        shared: Option<String>,
    ) {
        let base = self.path(&format!("/customers/{what}/"));
        let Some(Contact { value, owner }) = contact else {
            let verdict = Err((
                format!("Fixtures::{what}(..), as the operation is served"),
                "none, so it could not be checked".to_owned(),
            ));
            self.check(operation, Rule::FixtureGiven, verdict);
            return;
        };
        let path = format!("{base}{}", encoded(value));
        let found = self.client.get_unchecked(&path).await;
        self.check(operation, Rule::Found, is_customer(&found, owner));
        self.live_stays_out_of_test_mode(operation, &path).await;
        self.test_stays_out_of_live_mode(operation, what, &base)
            .await;

        let by_id = self.path(&format!("/customers/{}", encoded(owner)));
        let by_id = self.client.get_unchecked(&by_id).await;
        let verdict = same_record(&by_id.body, &found.body, "retrieve and this look-up");
        self.check(operation, Rule::SameRecord, verdict);

        // A look-up that searches instead of comparing finds these.
        let (_, domain) = value.split_once('@').unwrap_or(("", value));
        let part: String = value.chars().take(value.chars().count() / 2).collect();
        for not_it in [
            format!("nobody-{value}"),
            format!("{value}0"),
            part,
            format!("@{domain}"),
        ] {
            if not_it.trim().is_empty() || not_it == *value {
                continue;
            }
            let path = format!("{base}{}", encoded(&not_it));
            let answer = self.client.get_unchecked(&path).await;
            let verdict = match answer.status {
                400 | 404 => Ok(()),
                _ => Err((
                    format!("404 for a text that is not the whole {what}"),
                    described(&answer),
                )),
            };
            self.check(operation, Rule::Missing, verdict);
            self.tells_nothing(operation, &answer, Some(&not_it));
        }

        if let Some(shared) = shared {
            let path = format!("{base}{}", encoded(&shared));
            let answer = self.client.get_unchecked(&path).await;
            let when = format!("for the {what} that several customers have");
            self.check(operation, Rule::Ambiguous, status_is(&answer, 409, &when));
            self.tells_nothing(operation, &answer, Some(&shared));
        }
        self.odd_input(operation, &base).await;
    }
}

fn with_swapped_case(id: &str) -> String {
    let swapped = id.chars().map(|c| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    });
    swapped.collect()
}

/// 200, the model's shape, and the id that was asked for.
pub(super) fn is_customer(answer: &Answer, id: &str) -> Result<(), (String, String)> {
    let expected = format!("200 and the customer {id}");
    if answer.status != 200 {
        return Err((expected, described(answer)));
    }
    match serde_json::from_value::<Customer>(answer.body.clone()) {
        Ok(customer) if customer.id().as_str() == id => {
            answer.check().map_err(|broken| (expected, broken))
        }
        Ok(customer) => Err((expected, format!("200 and the customer {}", customer.id()))),
        Err(error) => Err((expected, format!("200 and no customer: {error}"))),
    }
}

pub(super) fn same_record(one: &Value, other: &Value, of: &str) -> Result<(), (String, String)> {
    if one == other {
        return Ok(());
    }
    let fields = |value: &Value| match value {
        Value::Object(fields) => fields.clone(),
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let mut differing: Vec<&String> = one
        .keys()
        .chain(other.keys())
        .filter(|key| one.get(*key) != other.get(*key))
        .collect();
    differing.sort();
    differing.dedup();
    Err((
        format!("the same record from {of}"),
        format!("records that differ in {differing:?}"),
    ))
}
