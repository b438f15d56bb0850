//! `churnkey call`: sends one request, and says what is wrong with the shape of the answer.

use std::time::Instant;

use churnkey_conformance::{
    Answer, WrongShape,
    churnkey_integrator::{Operation, Timestamp},
};
use serde_json::{Value, json};

use super::body_of;
use crate::{
    arguments::CallArguments,
    connection::Connection,
    exit::{Failure, Outcome},
    operations::operation_of,
    output::{self, BAD, FAINT, GOOD, printable, styled},
};

pub(crate) async fn run(
    arguments: &CallArguments,
    connection: &Connection,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let request = &arguments.request;
    let body = body_of(request)?;
    let operation = operation_of(&request.method, &request.path);
    let path = connection.path(&request.path);
    let now = Timestamp::now();

    let (mut is_good, mut answers) = (true, Vec::new());
    for _ in 0..arguments.repeat {
        let mut call = connection
            .client
            .call(request.method.clone(), &path)
            .body(body.clone());
        if request.body.is_some() {
            call = call.header("content-type", "application/json");
        }
        if let Some(key) = &arguments.idempotency_key {
            call = call.header("idempotency-key", key);
        }
        call = if arguments.plain {
            call.header("x-churnkey-mode", connection.mode().as_str())
                .with_token()
        } else {
            call.signed_at(now)
        };
        let begun = Instant::now();
        let answer = connection.answered(call.send_unchecked().await)?;
        let came = Came {
            milliseconds: begun.elapsed().as_millis(),
            wrong: answer.wrong_shapes(operation),
            operation,
            answer,
        };
        is_good &= came.wrong.is_empty();
        if as_json {
            answers.push(came.to_json());
        } else {
            connection.progress().end();
            came.print()?;
        }
    }
    connection.progress().end();
    if as_json {
        output::json(&json!({ "version": output::VERSION, "answers": answers }))?;
    }
    Ok(Outcome::good_if(is_good))
}

/// An answer, and what was found in it.
struct Came {
    answer: Answer,
    milliseconds: u128,
    operation: Option<Operation>,
    wrong: Vec<WrongShape>,
}

impl Came {
    fn request_id(&self) -> Option<&str> {
        self.answer.header("x-request-id")
    }

    /// The body, if it is JSON.
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.answer.bytes()).ok()
    }

    fn print(&self) -> Result<(), Failure> {
        let status = self.answer.status();
        let style = if status < 400 { GOOD } else { BAD };
        let id = printable(self.request_id().unwrap_or("none"));
        let about = format!("{} ms, request id {id}", self.milliseconds);
        output::line(format_args!(
            "{} {}",
            styled(style, status),
            styled(FAINT, about)
        ))?;
        match self.json() {
            Some(json) => output::line(format_args!("{json:#}"))?,
            None if self.answer.bytes().is_empty() => {}
            None => output::line(printable(&String::from_utf8_lossy(self.answer.bytes())))?,
        }
        let name = self
            .operation
            .map_or("no operation of the contract", Operation::name);
        if self.wrong.is_empty() {
            return output::line(format_args!(
                "{} ({name})",
                styled(GOOD, "the shape is right")
            ));
        }
        output::line(format_args!(
            "{} ({name}):",
            styled(BAD, "the shape is wrong")
        ))?;
        for wrong in &self.wrong {
            output::line(format_args!("  {}", printable(&wrong.to_string())))?;
        }
        if (300..400).contains(&status) {
            output::line(
                "redirects are not followed with a credential: give the URL that it leads to",
            )?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let wrong = self.wrong.iter().map(|wrong| {
            json!({
                "field": wrong.field(),
                "expected": wrong.expected(),
                "got": wrong.got(),
                "section": wrong.section(),
            })
        });
        let json = self.json();
        let text = match json {
            Some(_) => None,
            None => Some(String::from_utf8_lossy(self.answer.bytes())),
        };
        json!({
            "status": self.answer.status(),
            "milliseconds": u64::try_from(self.milliseconds).unwrap_or(u64::MAX),
            "requestId": self.request_id(),
            "operation": self.operation.map(Operation::name),
            "json": json,
            "text": text,
            "wrong": wrong.collect::<Vec<_>>(),
        })
    }
}
