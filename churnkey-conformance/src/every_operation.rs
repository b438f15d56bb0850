//! What holds for every operation: it is there if the manifest lists it, and it asks for a credential and a mode.

use churnkey_integrator::{CustomersOperation, Operation, SubscriptionsOperation, Timestamp};
use http::Method;
use serde_json::json;

use crate::{
    answer::Answer,
    client::Call,
    fixtures::Contact,
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{described, status_is},
};

impl Suite {
    /// What the manifest lists is there: of its probes not all are a 404.
    pub(crate) async fn answers_something(&mut self, operation: Operation) {
        let answers = self.probes(operation).await;
        let verdict = if answers.iter().any(|answer| answer.status() != 404) {
            Ok(())
        } else {
            let got = answers.first().map(described).unwrap_or_default();
            Err((
                "another answer than 404 for what the manifest lists".to_owned(),
                got,
            ))
        };
        self.check(operation, Rule::ManifestMatchesRoutes, verdict);
    }

    /// What is not in the manifest is a 404, whatever is asked.
    pub(crate) async fn answers_nothing(&mut self, operation: Operation) {
        let answers = self.probes(operation).await;
        let verdicts = answers
            .iter()
            .map(|answer| status_is(answer, 404, "for what the manifest does not list"));
        let verdict = verdicts.collect();
        self.check(operation, Rule::ManifestMatchesRoutes, verdict);
    }

    /// What is answered to an authenticated request, and to one with the wrong method, which tells a route that is not
    /// there (404) from a record that is not (405). An action would find fault with the body.
    async fn probes(&self, operation: Operation) -> [Answer; 2] {
        let wrong_method = match operation.method() {
            Method::POST => Method::GET,
            _ => Method::POST,
        };
        let own = self.example(operation, operation.method()).body("");
        let wrong = self.example(operation, wrong_method).body("");
        [
            own.signed().send_unchecked().await,
            wrong.signed().send_unchecked().await,
        ]
    }

    /// Whether the integration accepts the token itself, or signatures only.
    pub(crate) async fn plain_token_is_taken(&self) -> bool {
        let path = self.path("/features");
        let call = self.client.call(Method::GET, &path).with_token();
        call.send_unchecked().await.status() == 200
    }

    /// A request for the operation that would be answered, were it authenticated. It changes nothing in any case.
    fn example(&self, operation: Operation, method: Method) -> Call<'_> {
        let fixtures = &self.fixtures;
        let nobody = || fixtures.missing_customer.clone();
        let contact =
            |contact: &Option<Contact>| contact.as_ref().map_or_else(nobody, |c| c.value.clone());
        let subject = fixtures.subscription.as_ref();
        let argument = match operation {
            Operation::Customers(CustomersOperation::FindByEmail) => contact(&fixtures.email),
            Operation::Customers(CustomersOperation::FindByPhone) => contact(&fixtures.phone),
            Operation::Customers(_) => fixtures.customer.clone(),
            Operation::Subscriptions(SubscriptionsOperation::Retrieve) => {
                subject.map_or_else(nobody, |subject| subject.subscription.clone())
            }
            _ => {
                let known = self.catalogue(operation).and_then(|(_, id)| id);
                known.unwrap_or_else(nobody)
            }
        };
        let owner = subject.map_or_else(nobody, |subject| subject.customer.clone());
        let path = operation.path().replace("{customerId}", &encoded(&owner));
        let path = match path.split_once('{') {
            Some((start, _)) => format!("{start}{}", encoded(&argument)),
            None => path,
        };
        let call = self.client.call(method, &self.path(&path));
        match self.harmless(operation) {
            Some(body) => call
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => call,
        }
    }

    pub(crate) async fn authentication(&mut self, operation: Operation) {
        let now = self.client.now();
        let late = now.unix_seconds().saturating_sub(3600);
        let late = Timestamp::from_unix_seconds(late).unwrap_or(now);
        let zeros = format!("v1={}", "0".repeat(64));
        let call = || self.example(operation, operation.method());
        let attempts = [
            ("without a credential", call()),
            (
                "with a wrong token",
                call().header("authorization", "Bearer no-such-token-0000"),
            ),
            (
                "with a wrong signature",
                call().signed().replacing("x-churnkey-signature", &zeros),
            ),
            ("signed an hour ago", call().signed_at(late)),
            (
                "signed for the other mode",
                call()
                    .signed_in_mode("test", now)
                    .replacing("x-churnkey-mode", "live"),
            ),
        ];
        let mut verdicts = Vec::new();
        for (how, call) in attempts {
            let answer = call.send_unchecked().await;
            let same = *answer.body() == json!({ "code": 401, "message": "Unauthorized" });
            let verdict = if answer.status() == 401 && same {
                Ok(())
            } else {
                Err((
                    format!(r#"401 {{"code":401,"message":"Unauthorized"}} {how}"#),
                    described(&answer),
                ))
            };
            verdicts.push(verdict);
        }
        let unknown = call().signed_in_mode("staging", now).send_unchecked().await;
        for verdict in verdicts {
            self.check(operation, Rule::Unauthorized, verdict);
        }
        let verdict = status_is(&unknown, 400, "for the mode staging");
        self.check(operation, Rule::UnknownMode, verdict);
    }
}
