//! The look-ups of a customers controller.

use churnkey_integrator::CustomersOperation::{self, FindByEmail, FindByPhone, Retrieve};
use serde_json::Value;

use crate::{
    fixtures::Contact,
    records::{CUSTOMERS, with_swapped_case},
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{described, same_record, status_is},
};

impl Suite {
    pub(crate) async fn customer(&mut self) {
        let id = self.fixtures.customer.clone();
        if let Some(record) = self.record(Retrieve, CUSTOMERS, "/customers/", &id).await {
            self.references(Retrieve, CUSTOMERS, &record).await;
        }
        if let Some(id) = self.fixtures.test_customer.clone() {
            let path = self.path(&format!("/customers/{}", encoded(&id)));
            let in_test = self.in_test_mode().get_unchecked(&path).await;
            self.check(Retrieve, Rule::Found, CUSTOMERS.is(&in_test, &id));
            let in_live = self.client.get_unchecked(&path).await;
            let when = "for the test customer in live mode";
            self.check_absent(Retrieve, Rule::ModesApart, &in_live, when);
        }
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
        let Some(contact) = in_test.body().get(what).and_then(Value::as_str) else {
            return;
        };
        let path = format!("{base}{}", encoded(contact));
        let in_live = self.client.get_unchecked(&path).await;
        let when = "for the test customer in live mode";
        self.check_absent(operation, Rule::ModesApart, &in_live, when);
    }

    pub(crate) async fn find_by_email(&mut self) {
        let email = self.fixtures.email.clone();
        let shared = self.fixtures.shared_email.clone();
        let is_found = self
            .find_by(FindByEmail, "email", email.as_ref(), shared)
            .await;
        if let Some(Contact { value, owner }) = email.filter(|_| is_found) {
            let base = self.path("/customers/email/");
            for spelling in [value.to_ascii_uppercase(), value.to_ascii_lowercase()] {
                let path = format!("{base}{}", encoded(&spelling));
                let answer = self.client.get_unchecked(&path).await;
                self.check(
                    FindByEmail,
                    Rule::EmailIgnoresCase,
                    CUSTOMERS.is(&answer, &owner),
                );
            }
        }
    }

    pub(crate) async fn find_by_phone(&mut self) {
        let phone = self.fixtures.phone.clone();
        let shared = self.fixtures.shared_phone.clone();
        self.find_by(FindByPhone, "phone", phone.as_ref(), shared)
            .await;
    }

    /// A listed customer is the one who is found by their address, in any letter case, and by their number. If somebody
    /// else has it as well, that is ambiguous, or the fixtures say who is found.
    pub(crate) async fn is_found_by_contact(&mut self, record: &Value) {
        let text = |field: &str| record.get(field).and_then(Value::as_str);
        let Some(id) = text("id") else {
            return;
        };
        for (operation, what) in [(FindByEmail, "email"), (FindByPhone, "phone")] {
            let Some(contact) = text(what).filter(|_| self.serves(operation)) else {
                continue;
            };
            let base = self.path(&format!("/customers/{what}/"));
            let when = format!("for the {what} of the listed customer {id}");
            let preferred = self.preferred(operation, contact);
            let id = preferred.as_deref().unwrap_or(id);
            if !self
                .finds_the_listed(operation, Rule::Found, (&base, contact), id, &when)
                .await
            {
                continue;
            }
            self.plus_is_a_plus(operation, (&base, contact), id).await;
            let swapped = with_swapped_case(contact);
            if operation == FindByEmail && swapped != contact {
                let when = format!("{when} in other letter case");
                let rule = Rule::EmailIgnoresCase;
                self.finds_the_listed(operation, rule, (&base, &swapped), id, &when)
                    .await;
            }
        }
    }

    /// A plus in a path means itself, also where it is not percent-encoded.
    async fn plus_is_a_plus(
        &mut self,
        operation: CustomersOperation,
        (base, contact): (&str, &str),
        id: &str,
    ) {
        if !contact.contains('+') {
            return;
        }
        let path = format!("{base}{}", encoded(contact).replace("%2B", "+"));
        let answer = self.client.get_unchecked(&path).await;
        let verdict = match answer.status() {
            // Several have it, as the percent-encoded look-up said.
            409 => Ok(()),
            _ => CUSTOMERS.is(&answer, id),
        };
        let verdict = verdict.map_err(|(expected, got)| {
            let unencoded = "for a plus in the path that is not percent-encoded";
            (format!("{expected} {unencoded}"), got)
        });
        self.check(operation, Rule::Found, verdict);
    }

    /// Who is found by a contact that several have, if the fixtures say so.
    fn preferred(&self, operation: CustomersOperation, contact: &str) -> Option<String> {
        let preferred = match operation {
            FindByEmail => &self.fixtures.preferred_by_email,
            _ => &self.fixtures.preferred_by_phone,
        };
        let mut same = preferred
            .iter()
            .filter(|one| one.value.eq_ignore_ascii_case(contact));
        same.next().map(|one| one.owner.clone())
    }

    async fn finds_the_listed(
        &mut self,
        operation: CustomersOperation,
        rule: Rule,
        (base, contact): (&str, &str),
        id: &str,
        when: &str,
    ) -> bool {
        let path = format!("{base}{}", encoded(contact));
        let answer = self.client.get_unchecked(&path).await;
        let verdict = match answer.status() {
            409 => status_is(&answer, 409, when),
            status => CUSTOMERS.is(&answer, id).map_err(|(_, got)| {
                let fix = match operation {
                    _ if status != 200 => "",
                    FindByEmail => ", or Fixtures::preferred_by_email(..) if another one is meant",
                    _ => ", or Fixtures::preferred_by_phone(..) if another one is meant",
                };
                (format!("the customer {id}, or 409, {when}{fix}"), got)
            }),
        };
        let is_found = verdict.is_ok();
        self.check(operation, rule, verdict);
        is_found
    }

    /// Whether the contact's owner was found by it.
    async fn find_by(
        &mut self,
        operation: CustomersOperation,
        what: &str,
        contact: Option<&Contact>,
        shared: Option<String>,
    ) -> bool {
        let base = self.path(&format!("/customers/{what}/"));
        let Some(Contact { value, owner }) = contact else {
            self.fixture_is_missing(operation, what);
            return false;
        };
        let path = format!("{base}{}", encoded(value));
        let found = self.client.get_unchecked(&path).await;
        let verdict = CUSTOMERS.is(&found, owner);
        let is_found = verdict.is_ok();
        self.check(operation, Rule::Found, verdict);
        self.live_stays_out_of_test_mode(operation, CUSTOMERS, &path)
            .await;
        self.test_stays_out_of_live_mode(operation, what, &base)
            .await;

        if is_found {
            self.plus_is_a_plus(operation, (&base, value), owner).await;
        }
        let by_id = self.path(&format!("/customers/{}", encoded(owner)));
        let by_id = self.client.get_unchecked(&by_id).await;
        let expected = format!("200 and the customer {owner}");
        if is_found && !self.failed(CUSTOMERS.retrieve, &expected, &by_id) {
            let of = format!("retrieve and this look-up for the customer {owner}");
            let verdict = same_record(by_id.body(), found.body(), &of);
            self.check(operation, Rule::SameRecord, verdict);
        }

        if is_found {
            let has_it = found.body().get(what).is_some_and(Value::is_string);
            let verdict = match has_it {
                true => Ok(()),
                false => Err((
                    format!(
                        "the {what} in the record of the customer {owner}, who was found by it"
                    ),
                    "a record without".to_owned(),
                )),
            };
            self.check(operation, Rule::ContactInRecord, verdict);
        }

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
            let verdict = match answer.status() {
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
        self.odd_input(operation, &base, "").await;
        is_found
    }
}
