//! Calls that a README shows, with their answers.

use std::{io, process::Output};

use serde_json::{Map, Value};
use tokio::process::Command;

use crate::{Program, difference};

/// Where a README's programs listen.
const README_ADDRESS: &str = "127.0.0.1:3000";

/// Runs a printed call as if it were pasted into a shell. `Null` if the answer is not JSON.
///
/// # Errors
/// If there is no `bash`.
pub async fn paste(call: &str) -> io::Result<Value> {
    let answer = bash(call).await?;
    Ok(serde_json::from_str(&answer).unwrap_or_default())
}

async fn bash(script: &str) -> io::Result<String> {
    let output = Command::new("bash").args(["-c", script]).output().await;
    output.map(|Output { stdout, .. }| String::from_utf8_lossy(&stdout).into_owned())
}

impl Program {
    /// Pastes each block of a README that shows answers into a shell, with this program's address, and compares: an answer is the
    /// JSON in the comments below its call. Returns how many there were.
    ///
    /// Extra keys in the program's answer are allowed. A long hexadecimal text, such as an id or a token, may have other digits.
    ///
    /// # Errors
    /// If there is no `bash`.
    ///
    /// # Panics
    /// If an answer differs.
    pub async fn follow(&self, readme: &str) -> io::Result<usize> {
        let address = self.address().to_string();
        let mut compared = 0;
        for block in blocks(readme).filter(|block| !block.answers.is_empty()) {
            let got = bash(&block.script.replace(README_ADDRESS, &address)).await?;
            let mut got = got.split('\0');
            for expected in &block.answers {
                let got = got.next().unwrap_or_default();
                assert_eq!(loose_difference(expected, got), None, "{expected}\n{got}");
                compared += 1;
            }
        }
        Ok(compared)
    }
}

/// A block of shell. What it writes has a zero byte after each call with an answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block {
    script: String,
    answers: Vec<String>,
}

fn blocks(readme: &str) -> impl Iterator<Item = Block> {
    let blocks = readme.split("```bash\n").skip(1);
    blocks.map(|block| {
        let lines = block.split("```").next().unwrap_or_default().lines();
        let mut block = Block::default();
        let mut in_answer = false;
        for line in lines {
            let comment = line.strip_prefix("# ");
            match (comment, block.answers.last_mut()) {
                (Some(more), Some(answer)) if in_answer => answer.push_str(more),
                (Some(answer), _) if answer.starts_with(['{', '[']) => {
                    block.answers.push(answer.to_owned());
                    block.script.push_str("printf '\\0'\n");
                    in_answer = true;
                }
                _ => {
                    block.script.push_str(line);
                    block.script.push('\n');
                    in_answer = false;
                }
            }
        }
        block
    })
}

fn loose_difference(expected: &str, got: &str) -> Option<String> {
    let expected: Value = match serde_json::from_str(expected) {
        Ok(expected) => expected,
        Err(error) => return Some(format!("the README has no JSON there: {error}")),
    };
    let got: Option<Value> = serde_json::from_str(got).ok();
    difference(&expected, got.as_ref())?;
    difference(&form(&expected), got.map(|got| form(&got)).as_ref())
}

/// The value with zeros for the digits of everything that looks like an id or a token.
fn form(value: &Value) -> Value {
    match value {
        Value::String(text) if is_generated(text) => {
            let digits = text.chars();
            Value::String(
                digits
                    .map(|one| if one == '-' { '-' } else { '0' })
                    .collect(),
            )
        }
        Value::Array(items) => items.iter().map(form).collect(),
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), form(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn is_generated(text: &str) -> bool {
    text.len() >= 32
        && text
            .chars()
            .all(|one| one == '-' || one.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_the_comments_that_begin_as_json() {
        let readme = "```sh\ncargo run\n```\n\n```bash\na=1\n# why\ncall $a \\\n  b\n# {\"a\":\n#  1}\ncall c\n# []\n```\ntext\n```bash\nlone # {}\n```\n";
        let block = |script: &str, answers: &[&str]| Block {
            script: script.to_owned(),
            answers: answers.iter().copied().map(str::to_owned).collect(),
        };
        let both = "a=1\n# why\ncall $a \\\n  b\nprintf '\\0'\ncall c\nprintf '\\0'\n";
        let expected = [
            block(both, &["{\"a\": 1}", "[]"]),
            block("lone # {}\n", &[]),
        ];
        assert_eq!(blocks(readme).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_id_may_have_other_digits_and_everything_else_matches_the_readme() {
        let answer =
            |id: &str, number: i64| json!({"id": id, "list": [number], "more": 1}).to_string();
        let expected = "{\"id\": \"0f42b842-007d-4c98-9160-ae6b6e908ca0\", \"list\": [1]}";
        let same = answer("0f42b842-007d-4c98-9160-ae6b6e908ca0", 1);
        let another = answer("5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c03", 1);
        let shorter = answer("5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c0", 1);
        let other_number = answer("0f42b842-007d-4c98-9160-ae6b6e908ca0", 2);
        assert_eq!(loose_difference(expected, &same), None);
        assert_eq!(loose_difference(expected, &another), None);
        assert!(loose_difference(expected, &shorter).is_some());
        let difference = loose_difference(expected, &other_number);
        assert_eq!(difference.as_deref(), Some("/list/0: expected 1, got 2"));
        assert!(loose_difference(expected, "<html>").is_some());
        assert!(loose_difference("{", &same).is_some());
    }

    #[tokio::test]
    async fn a_call_is_pasted_into_a_shell() {
        assert_eq!(paste("a=1; echo \"[$a]\"").await.unwrap(), json!([1]));
        assert_eq!(paste("echo no").await.unwrap(), Value::Null);
    }
}
