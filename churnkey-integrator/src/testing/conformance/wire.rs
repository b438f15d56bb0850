//! What holds for every operation: the manifest, authentication, modes, and what errors say.

use http::Method;
use serde_json::Value;

use super::{Rule, Suite, encoded, fixtures::Contact, report::Verdict};
use crate::{
    operation::{CustomersOperation, Line, Operation, Section, SubscriptionsOperation},
    testing::{Answer, Call},
    time::Timestamp,
};

/// What a store's error messages have in them, and answers for callers have not.
const INTERNALS: [&str; 14] = [
    "select ",
    "insert into",
    "sql",
    "postgres",
    "db error",
    "syntax error",
    "relation \"",
    "connection refused",
    "os error",
    "://",
    ".rs:",
    "panicked",
    "backtrace",
    "error {",
];

impl Suite {
    /// What the manifest lists is there: of its probes not all are a 404.
    pub(super) async fn answers_something(&mut self, operation: Operation) {
        let answers = self.probes(operation).await;
        let verdict = if answers.iter().any(|answer| answer.status != 404) {
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
    pub(super) async fn answers_nothing(&mut self, operation: Operation) {
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

    /// What must not be there for whoever asks. That it is breaks the rule; a failure, and a 404 of another shape, break
    /// that of missing records.
    pub(super) fn check_absent(
        &mut self,
        operation: impl Into<Operation>,
        rule: Rule,
        answer: &Answer,
        when: &str,
    ) {
        let verdict = status_is(answer, 404, when);
        let rule = match (&verdict, answer.status) {
            (Err(_), 404 | 500..) => Rule::Missing,
            _ => rule,
        };
        self.check(operation, rule, verdict);
    }

    /// Whether another operation failed to retrieve what this one refers to, which is its own finding then.
    pub(super) fn failed(&mut self, retrieve: Operation, expected: &str, answer: &Answer) -> bool {
        let failed = answer.status >= 500;
        if failed {
            let verdict = Err((expected.to_owned(), described(answer)));
            self.check(retrieve, Rule::Found, verdict);
        }
        failed
    }

    /// Whether the integration takes the token itself as proof, or signatures only.
    pub(super) async fn plain_token_is_taken(&self) -> bool {
        let path = self.path("/features");
        let call = self.client.call(Method::GET, &path).with_token();
        call.send_unchecked().await.status == 200
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

    pub(super) async fn authentication(&mut self, operation: Operation) {
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
            let same = answer.bytes == br#"{"code":401,"message":"Unauthorized"}"#;
            let verdict = if answer.status == 401 && same {
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

    /// Asks for things that no store has, each of which has broken some store before.
    pub(super) async fn odd_input(
        &mut self,
        operation: impl Into<Operation>,
        base: &str,
        rest: &str,
    ) {
        let operation = operation.into();
        let long = "x".repeat(10_000);
        let odd = [
            "'",
            "' OR '1'='1",
            "1; DROP TABLE customers",
            "\\",
            "%",
            "_%",
            "*",
            "a/b",
            "..",
            "\0",
            "a\nb",
            " ",
            "é",
            "\u{202e}",
            "null",
            "undefined",
            &long,
        ];
        let mut broken = Vec::new();
        for text in odd {
            let path = format!("{base}{}{rest}", encoded(text));
            let answer = self.client.get_unchecked(&path).await;
            // A proxy on the way may find the path too long.
            if !matches!(answer.status, 400 | 404 | 414) && !is_empty_page(&answer) {
                let shown: String = text.chars().take(40).collect();
                broken.push((shown, described(&answer)));
            }
            // What is answered to plain words is no echo.
            let asked = (text.len() > 6).then_some(text);
            self.tells_nothing(operation, &answer, asked);
        }
        let verdict = match broken.first() {
            None => Ok(()),
            Some((shown, got)) => Err((
                format!("404 or 400 for {shown:?}"),
                format!(
                    "{got} (texts that broke it: {} of {})",
                    broken.len(),
                    odd.len()
                ),
            )),
        };
        self.check(operation, Rule::OddInput, verdict);
    }

    /// An error may hold neither what was asked for nor what the store said.
    pub(super) fn tells_nothing(
        &mut self,
        operation: impl Into<Operation>,
        answer: &Answer,
        asked: Option<&str>,
    ) {
        if answer.status < 400 {
            return;
        }
        let message = answer.message().unwrap_or_default();
        let folded = message.to_lowercase();
        let leaked = INTERNALS
            .into_iter()
            .find(|internal| folded.contains(internal));
        let leaked = leaked.or(asked.filter(|asked| message.contains(asked)));
        let verdict = match leaked {
            None => Ok(()),
            Some(leaked) => Err((
                "an error without anything of the store or of what was asked for".to_owned(),
                format!("{leaked:?} in the message {message:?}"),
            )),
        };
        self.check(operation, Rule::ErrorsTellNothing, verdict);
    }
}

/// Where the manifest has the controller or the action.
fn place(line: Line) -> String {
    match line.section {
        Section::Controllers => format!("controllers.{}", line.module),
        Section::Actions => format!("actions.{}", line.module),
    }
}

/// Whether the manifest lists the operation. It always lists itself.
pub(super) fn is_advertised(manifest: &Value, operation: Operation) -> bool {
    let Some(line) = operation.manifest_line() else {
        return true;
    };
    let module = manifest.pointer(&format!("/{}", place(line).replace('.', "/")));
    match line.key {
        None => module.is_some(),
        Some(key) => module.and_then(|module| module.get(key)) == Some(&true.into()),
    }
}

pub(super) fn is_empty_page(answer: &Answer) -> bool {
    let data = answer.body.get("data").and_then(Value::as_array);
    answer.status == 200 && data.is_some_and(Vec::is_empty)
}

pub(super) fn status_is(answer: &Answer, status: u16, when: &str) -> Verdict {
    if answer.status == status {
        answer
            .check()
            .map_err(|broken| ("the contract's shape".to_owned(), broken))
    } else {
        Err((format!("{status} {when}"), described(answer)))
    }
}

/// The status, and what is known of why.
pub(super) fn described(answer: &Answer) -> String {
    match (&answer.cause, answer.message()) {
        (Some(cause), _) => format!("{}: {cause}", answer.status),
        (None, Some(message)) => format!("{}: {message}", answer.status),
        (None, None) => answer.status.to_string(),
    }
}
