//! What holds for every operation: the manifest, authentication, modes, and what errors say.

use super::{Rule, Suite, encoded};
use crate::{
    operation::{CustomersOperation, Line, Operation, Section},
    testing::Answer,
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
    pub(super) async fn manifest(&mut self) {
        let answer = self.client.get(&self.path("/features")).await;
        for operation in Operation::all() {
            let Some(Line {
                section,
                module,
                key,
            }) = operation.manifest_line()
            else {
                continue;
            };
            let section = match section {
                Section::Controllers => "controllers",
                Section::Actions => "actions",
            };
            let module = format!("{section}.{module}");
            let pointer = format!("/{}", module.replace('.', "/"));
            let advertised = match key {
                None => answer.body.pointer(&pointer).is_some(),
                Some(key) => answer.body.pointer(&format!("{pointer}/{key}")) == Some(&true.into()),
            };
            let key = key.map_or(module.clone(), |key| format!("{module}.{key}"));
            let served = self.served.contains(&operation);
            let verdict = if advertised == served {
                Ok(())
            } else {
                Err((
                    format!("{key}: {served} in the manifest"),
                    advertised.to_string(),
                ))
            };
            self.check(operation, Rule::ManifestMatchesRoutes, verdict);
        }
    }

    /// A request for the operation that would be answered with 200, were it authenticated.
    fn example(&self, operation: Operation) -> String {
        let fixtures = &self.fixtures;
        let contact = |contact: &Option<super::Contact>| {
            contact
                .as_ref()
                .map_or("nobody".to_owned(), |c| c.value.clone())
        };
        let argument = match operation {
            Operation::Customers(CustomersOperation::FindByEmail) => contact(&fixtures.email),
            Operation::Customers(CustomersOperation::FindByPhone) => contact(&fixtures.phone),
            _ => fixtures.customer.clone(),
        };
        let path = operation.path();
        let path = match path.split_once('{') {
            Some((start, _)) => format!("{start}{}", encoded(&argument)),
            None => path.to_owned(),
        };
        self.path(&path)
    }

    pub(super) async fn authentication(&mut self, operation: Operation) {
        let path = self.example(operation);
        let client = self.client.clone();
        let now = client.now();
        let late = now.unix_seconds().saturating_sub(3600);
        let late = Timestamp::from_unix_seconds(late).unwrap_or(now);
        let zeros = format!("v1={}", "0".repeat(64));
        let call = || client.call(operation.method(), &path);
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
            self.check(operation, Rule::Unauthorized, verdict);
        }
        let unknown = call().signed_in_mode("staging", now).send_unchecked().await;
        let verdict = status_is(&unknown, 400, "for the mode staging");
        self.check(operation, Rule::UnknownMode, verdict);
    }

    /// Asks for things that no store has, each of which has broken some store before.
    pub(super) async fn odd_input(&mut self, operation: CustomersOperation, base: &str) {
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
            let path = format!("{base}{}", encoded(text));
            let answer = self.client.get_unchecked(&path).await;
            if !matches!(answer.status, 400 | 404) {
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
        operation: CustomersOperation,
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

pub(super) fn status_is(answer: &Answer, status: u16, when: &str) -> Result<(), (String, String)> {
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
