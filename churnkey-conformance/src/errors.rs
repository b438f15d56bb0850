//! What must not be found, and what an error may say.

use churnkey_integrator::Operation;

use crate::{
    answer::Answer,
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{described, is_empty_page, status_is},
};

/// What the messages and stack traces of servers and stores have in them, and answers for callers have not.
const INTERNALS: [&str; 25] = [
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
    "panicked",
    "backtrace",
    "traceback",
    "stack trace",
    "error {",
    "<html",
    "<!doctype",
    ".rs:",
    ".py\"",
    ".js:",
    ".ts:",
    ".java:",
    ".rb:",
    ".go:",
    ".php",
];

/// What the message of an error says that a caller must not read.
fn leaked<'a>(message: &str, asked: Option<&'a str>) -> Option<&'a str> {
    let folded = message.to_lowercase();
    let mut internals = INTERNALS.into_iter();
    let internal = internals.find(|internal| folded.contains(internal));
    internal.or(asked.filter(|asked| message.contains(asked)))
}

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
        let verdict = match leaked(message, asked) {
            None => Ok(()),
            Some(leaked) => Err((
                "an error without anything of the store or of what was asked for".to_owned(),
                format!("{leaked:?} in the message {message:?}"),
            )),
        };
        self.check(operation, Rule::ErrorsTellNothing, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::leaked;

    #[test]
    fn a_stack_trace_of_any_language_is_internal() {
        for (message, expected) in [
            ("thread 'main' panicked at src/main.rs:7:5", "panicked"),
            (
                "Traceback (most recent call last):\n  File \"/srv/shop.py\", line 7",
                "traceback",
            ),
            (
                "TypeError: id is undefined at find (/srv/shop.js:7:5)",
                ".js:",
            ),
            (
                "NullPointerException at com.shop.Find.one(Find.java:7)",
                ".java:",
            ),
            ("undefined method `id' for nil: /srv/shop.rb:7", ".rb:"),
            ("goroutine 1 [running]: main.find() /srv/shop.go:7", ".go:"),
            ("Undefined index: id in /srv/shop.php on line 7", ".php"),
            ("<!DOCTYPE html><title>Error</title>", "<!doctype"),
            ("no customer cus_1", "cus_1"),
        ] {
            assert_eq!(leaked(message, Some("cus_1")), Some(expected), "{message}");
        }
        for message in ["Customer not found", "limit must be a positive integer", ""] {
            assert_eq!(leaked(message, Some("cus_1")), None, "{message}");
        }
    }
}
