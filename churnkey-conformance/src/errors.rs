//! What must not be found, and what an error may say.

use churnkey_integrator::Operation;

use crate::{
    answer::Answer,
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{described, is_empty_page, status_is},
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
    /// What must not be there for whoever asks. That it is breaks the rule; a failure, and a 404 of another shape, break
    /// that of missing records.
    pub(crate) fn check_absent(
        &mut self,
        operation: impl Into<Operation>,
        rule: Rule,
        answer: &Answer,
        when: &str,
    ) {
        let verdict = status_is(answer, 404, when);
        let rule = match (&verdict, answer.status()) {
            (Err(_), 404 | 500..) => Rule::Missing,
            _ => rule,
        };
        self.check(operation, rule, verdict);
    }

    /// Whether another operation failed to retrieve what this one refers to, which is its own finding then.
    pub(crate) fn failed(&mut self, retrieve: Operation, expected: &str, answer: &Answer) -> bool {
        let failed = answer.status() >= 500;
        if failed {
            let verdict = Err((expected.to_owned(), described(answer)));
            self.check(retrieve, Rule::Found, verdict);
        }
        failed
    }

    /// Asks for things that no store has, each of which has broken some store before.
    pub(crate) async fn odd_input(
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
            "../customers",
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
            if !matches!(answer.status(), 400 | 404 | 414) && !is_empty_page(&answer) {
                let shown: String = text.chars().take(40).collect();
                broken.push((shown, described(&answer)));
            }
            // A short text may be part of what any answer says.
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
    pub(crate) fn tells_nothing(
        &mut self,
        operation: impl Into<Operation>,
        answer: &Answer,
        asked: Option<&str>,
    ) {
        if answer.status() < 400 {
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
