//! The shape of one answer, field by field: for a program that shows a person what came.

use std::fmt;

use churnkey_integrator::{
    CustomersOperation, Operation, SubscriptionsOperation,
    model::{Coupon, Customer, Family, Price, Product, Subscription},
};
use http::{Method, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::Answer;

/// A part of an answer that is not as the contract has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongShape {
    field: String,
    expected: String,
    got: String,
    section: &'static str,
}

impl WrongShape {
    fn new(
        field: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
        section: &'static str,
    ) -> Self {
        Self {
            field: field.into(),
            expected: expected.into(),
            got: got.into(),
            section,
        }
    }

    /// Where it is: a path in the body such as `data[0].duration.unit`, `status`, `body`, or the name of a header.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What should have been there.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What is there.
    #[must_use]
    pub fn got(&self) -> &str {
        &self.got
    }

    /// The section of the contract that says so.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.section
    }
}

impl fmt::Display for WrongShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            expected,
            got,
            section,
        } = self;
        write!(
            f,
            "{field}: expected {expected}; got {got} (contract, section {section})"
        )
    }
}

impl Answer {
    /// What is wrong with the shape, for an answer to this operation: nothing for a page, a record or an error as the
    /// contract has them, whatever the status is. Without an operation, only what holds for every answer is looked at. Each
    /// record names its first mistake.
    ///
    /// ```
    /// # use churnkey_integrator::{CustomerId, CustomersController, CustomersOperation, Integration, IntegrationToken, RequestContext, Result, controller, model::Customer};
    /// # use churnkey_conformance::Client;
    /// # use http::Method;
    /// # struct Shop;
    /// # #[controller]
    /// # impl CustomersController for Shop {
    /// #     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
    /// #         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
    /// #     }
    /// # }
    /// # let token = IntegrationToken::new("a-token-for-this-example")?;
    /// # let integration = Integration::builder("Acme", token.clone()).customers(Shop).build()?;
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// # let client = Client::new(integration.into_router(), token);
    /// let call = client.call(Method::GET, "/churnkey/customers/cus_1").signed();
    /// let answer = call.send_unchecked().await;
    /// assert_eq!(answer.wrong_shapes(Some(CustomersOperation::Retrieve.into())), []);
    /// # });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wrong_shapes(&self, operation: Option<Operation>) -> Vec<WrongShape> {
        let mut wrong = self.wrong_headers();
        wrong.extend(if *self.method() == Method::HEAD {
            None
        } else {
            self.wrong_body()
        });
        if wrong.is_empty() && self.status() == 200 && *self.method() == Method::GET {
            wrong.extend(
                operation
                    .into_iter()
                    .flat_map(|operation| wrong_content(operation, self.body())),
            );
        }
        wrong
    }

    fn wrong_headers(&self) -> Vec<WrongShape> {
        let status = self.status();
        let mut wrong = Vec::new();
        if status < 400 && status != 200 {
            wrong.push(WrongShape::new(
                "status",
                "200, or an error from 400 on",
                status.to_string(),
                "2.6",
            ));
        }
        if !self.is_done() && !self.is_json() {
            let got = self.header(header::CONTENT_TYPE.as_str());
            wrong.push(WrongShape::new(
                header::CONTENT_TYPE.as_str(),
                "application/json",
                got.unwrap_or("none"),
                "2.1",
            ));
        }
        let retry_after = self.header(header::RETRY_AFTER.as_str());
        if status == 503 && retry_after.is_none() {
            wrong.push(WrongShape::new(
                "retry-after",
                "when to try again",
                "none",
                "2.6",
            ));
        }
        wrong
    }

    fn wrong_body(&self) -> Option<WrongShape> {
        let (status, body) = (self.status(), self.body());
        if self.is_done() {
            let length = self.bytes().len();
            return (length > 0)
                .then(|| WrongShape::new("body", "nothing", format!("{length} bytes"), "5"));
        }
        let Some(fields) = body.as_object() else {
            let section = if status < 400 { "2.1" } else { "2.6" };
            return Some(WrongShape::new(
                "body",
                "a JSON object",
                self.kind(),
                section,
            ));
        };
        if status < 400 {
            return None;
        }
        let wrong = |field: &str, expected: &str| {
            let got = fields.get(field).map_or("none".to_owned(), shown);
            Some(WrongShape::new(field, expected, got, "2.6"))
        };
        if fields.get("code") != Some(&status.into()) {
            return wrong("code", &status.to_string());
        }
        if !fields.get("message").is_some_and(Value::is_string) {
            return wrong("message", "a string");
        }
        let more = fields
            .keys()
            .find(|key| !matches!(key.as_str(), "code" | "message"))?;
        Some(WrongShape::new(
            more,
            "code and message only",
            "this field",
            "2.6",
        ))
    }

    /// What the body is instead of an object.
    fn kind(&self) -> String {
        match self.body() {
            Value::Null if self.bytes().is_empty() => "nothing".to_owned(),
            Value::Null if self.bytes() != b"null" => "text that is not JSON".to_owned(),
            body => shown(body),
        }
    }
}

/// What is wrong with the body of a 200.
fn wrong_content(operation: Operation, body: &Value) -> Vec<WrongShape> {
    match operation {
        Operation::Features => wrong_manifest(body).into_iter().collect(),
        Operation::Customers(operation) => {
            wrong_records::<Customer>(operation == CustomersOperation::List, body, "3.1")
        }
        Operation::Subscriptions(operation) => {
            let is_list = operation == SubscriptionsOperation::List;
            wrong_records::<Subscription>(is_list, body, "3.7")
        }
        Operation::Prices(_) => wrong_records::<Price>(is_list(operation), body, "3.5"),
        Operation::Coupons(_) => wrong_records::<Coupon>(is_list(operation), body, "3.4"),
        Operation::Products(_) => wrong_records::<Product>(is_list(operation), body, "3.9"),
        Operation::Families(_) => wrong_records::<Family>(is_list(operation), body, "3.10"),
        _ => Vec::new(),
    }
}

/// Of a catalogue, what has no parameter in its path is the list.
fn is_list(operation: Operation) -> bool {
    !operation.path().contains('{')
}

fn wrong_manifest(body: &Value) -> Option<WrongShape> {
    let wrong = |field, expected| {
        let got = body.get(field).map_or("none".to_owned(), shown);
        Some(WrongShape::new(field, expected, got, "2.3"))
    };
    if !body.get("name").is_some_and(Value::is_string) {
        return wrong("name", "a string");
    }
    if !body.get("controllers").is_some_and(Value::is_object) {
        return wrong("controllers", "an object");
    }
    match body.get("actions") {
        None | Some(Value::Object(_)) => None,
        Some(_) => wrong("actions", "an object"),
    }
}

fn wrong_records<M: DeserializeOwned>(
    is_list: bool,
    body: &Value,
    section: &'static str,
) -> Vec<WrongShape> {
    if !is_list {
        return wrong_record::<M>("", body, section).into_iter().collect();
    }
    let Some(data) = body.get("data").and_then(Value::as_array) else {
        let got = body.get("data").map_or("none".to_owned(), shown);
        return vec![WrongShape::new("data", "an array", got, "2.5")];
    };
    let records = data.iter().enumerate().filter_map(|(index, record)| {
        wrong_record::<M>(&format!("data[{index}]"), record, section)
    });
    let next = match body.get("next") {
        None | Some(Value::Null | Value::String(_)) => None,
        Some(next) => Some(WrongShape::new("next", "a string", shown(next), "2.5")),
    };
    records.chain(next).collect()
}

/// The record, or where it can't be read and why.
pub(crate) fn read<M: DeserializeOwned>(record: &Value) -> Result<M, String> {
    serde_path_to_error::deserialize(record).map_err(|error| {
        let text = error.to_string();
        match text.rsplit_once(", expected ") {
            Some((got, expected)) => format!("{got}, expected {}", in_json(expected)),
            None => text,
        }
    })
}

/// The first mistake of a record.
fn wrong_record<M: DeserializeOwned>(
    at: &str,
    record: &Value,
    section: &'static str,
) -> Option<WrongShape> {
    let error = serde_path_to_error::deserialize::<_, M>(record).err()?;
    let path = error.path().to_string();
    let mut field = match (at, path.as_str()) {
        (at, ".") => at.to_owned(),
        ("", path) => path.to_owned(),
        (at, path) => format!("{at}.{path}"),
    };
    let message = error.into_inner().to_string();
    // serde has no other access to the parts of its sentences.
    if let Some(missing) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        if !field.is_empty() {
            field.push('.');
        }
        field.push_str(missing);
        return Some(WrongShape::new(field, "a value", "none", section));
    }
    if field.is_empty() {
        "body".clone_into(&mut field);
    }
    let said = ["invalid type: ", "invalid value: ", "unknown variant "]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once(", expected "));
    Some(match said {
        Some((got, expected)) => WrongShape::new(field, in_json(expected), got, section),
        None => {
            let got = value_at(record, &path).map_or("another value".to_owned(), shown);
            WrongShape::new(field, format!("a valid value: {message}"), got, section)
        }
    })
}

/// What serde calls by the name of a Rust type, as JSON has it.
fn in_json(expected: &str) -> &str {
    match expected {
        "u64" => "a whole number, not negative",
        "i64" => "a whole number",
        "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        _ if expected.starts_with("struct ") || expected.contains(" enum ") => "an object",
        _ => expected,
    }
}

/// The value at a path such as `items[0].price`.
fn value_at<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer: String = path
        .split(['.', '[', ']'])
        .filter(|part| !part.is_empty())
        .map(|part| format!("/{part}"))
        .collect();
    record.pointer(&pointer)
}

/// A value as a reader wants it in a sentence: no long ones.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(values) => format!("an array of {}", values.len()),
        Value::String(text) if text.chars().count() > 80 => "a long text".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use churnkey_integrator::{PricesOperation, ProductsOperation};
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn answer(method: Method, status: u16, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if method == Method::GET || status >= 400 {
            headers.insert("content-type", "application/json".parse().unwrap());
        }
        Answer::new(method, status, headers, body.into(), None)
    }

    fn sentences(wrong: &[WrongShape]) -> Vec<String> {
        wrong.iter().map(ToString::to_string).collect()
    }

    fn of(operation: impl Into<Operation>, body: &Value) -> Vec<String> {
        let answer = answer(Method::GET, 200, &body.to_string());
        sentences(&answer.wrong_shapes(Some(operation.into())))
    }

    fn price() -> Value {
        json!({
            "id": "price_1", "type": "standalone", "duration": { "amount": 1, "unit": "month" },
            "amount": { "model": "fixed", "currency": "usd", "unit": 2999 },
        })
    }

    #[test]
    fn a_mistake_in_a_record_is_named_by_its_path() {
        assert_eq!(of(PricesOperation::Retrieve, &price()), [""; 0]);
        let mut wrong = price();
        wrong["duration"]["unit"] = "week".into();
        assert_eq!(
            of(PricesOperation::Retrieve, &wrong),
            ["duration.unit: expected `month` or `year`; got `week` (contract, section 3.5)"]
        );
        wrong["duration"] = json!({ "unit": "month" });
        assert_eq!(
            of(PricesOperation::List, &json!({ "data": [price(), wrong] })),
            ["data[1].duration.amount: expected a value; got none (contract, section 3.5)"]
        );
        let mut wrong = price();
        wrong["amount"]["unit"] = "29.99".into();
        assert_eq!(
            of(PricesOperation::Retrieve, &wrong),
            [
                "amount: expected a whole number, not negative; got string \"29.99\" (contract, section 3.5)"
            ]
        );
        assert_eq!(
            of(PricesOperation::List, &json!({ "data": ["p"] })),
            ["data[0]: expected an object; got string \"p\" (contract, section 3.5)"]
        );
        assert_eq!(
            of(ProductsOperation::Retrieve, &json!({})),
            ["id: expected a value; got none (contract, section 3.9)"]
        );
        assert_eq!(
            of(
                CustomersOperation::Retrieve,
                &json!({ "id": "cus_1", "email": " " })
            ),
            [
                "email: expected a valid value: an e-mail address must not be empty; got \" \" (contract, section 3.1)"
            ]
        );
    }

    #[test]
    fn a_page_and_the_manifest_have_shapes_of_their_own() {
        assert_eq!(
            of(PricesOperation::List, &price()),
            ["data: expected an array; got none (contract, section 2.5)"]
        );
        assert_eq!(
            of(PricesOperation::List, &json!({ "data": [], "next": 2 })),
            ["next: expected a string; got 2 (contract, section 2.5)"]
        );
        assert_eq!(
            of(
                Operation::Features,
                &json!({ "name": "Acme", "controllers": [] })
            ),
            ["controllers: expected an object; got an array of 0 (contract, section 2.3)"]
        );
        assert_eq!(
            of(
                Operation::Features,
                &json!({ "name": "Acme", "controllers": {} })
            ),
            [""; 0]
        );
    }

    #[test]
    fn an_error_has_its_status_and_a_message_and_no_more() {
        let of = |body: &str| sentences(&answer(Method::GET, 404, body).wrong_shapes(None));
        assert_eq!(of(r#"{"code":404,"message":"Not Found"}"#), [""; 0]);
        for (body, expected) in [
            (
                r#"{"code":400,"message":""}"#,
                "code: expected 404; got 400 (contract, section 2.6)",
            ),
            (
                r#"{"code":404}"#,
                "message: expected a string; got none (contract, section 2.6)",
            ),
            (
                r#"{"code":404,"message":"","trace":"at line 1"}"#,
                "trace: expected code and message only; got this field (contract, section 2.6)",
            ),
            (
                "<h1>",
                "body: expected a JSON object; got text that is not JSON (contract, section 2.6)",
            ),
        ] {
            assert_eq!(of(body), [expected]);
        }
    }

    #[test]
    fn an_action_is_answered_with_nothing() {
        let of = |status, body| sentences(&answer(Method::POST, status, body).wrong_shapes(None));
        assert_eq!(of(200, ""), [""; 0]);
        assert_eq!(
            of(204, "{}"),
            [
                "status: expected 200, or an error from 400 on; got 204 (contract, section 2.6)",
                "body: expected nothing; got 2 bytes (contract, section 5)"
            ]
        );
    }

    #[test]
    fn json_may_have_parameters_and_capital_letters() {
        let of = |content_type: &str| {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
            let answer = Answer::new(Method::GET, 200, headers, b"{}".to_vec(), None);
            (answer.check(), sentences(&answer.wrong_shapes(None)))
        };
        for content_type in [
            "application/json; charset=utf-8",
            "Application/JSON ;charset=\"UTF-8\"",
        ] {
            assert_eq!(of(content_type), (Ok(()), vec![]), "{content_type}");
        }
        for content_type in ["application/jsonp", "text/html; application/json", ""] {
            let sentence = format!(
                "content-type: expected application/json; got {content_type} (contract, section 2.1)"
            );
            let broken = "an answer 200 without `content-type: application/json`".to_owned();
            assert_eq!(of(content_type), (Err(broken), vec![sentence]));
        }
    }

    #[test]
    fn what_another_server_says_is_told_by_its_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/html".parse().unwrap());
        let answer = Answer::new(Method::GET, 301, headers, b"<html>".to_vec(), None);
        assert_eq!(
            sentences(&answer.wrong_shapes(None)),
            [
                "status: expected 200, or an error from 400 on; got 301 (contract, section 2.6)",
                "content-type: expected application/json; got text/html (contract, section 2.1)",
                "body: expected a JSON object; got text that is not JSON (contract, section 2.1)",
            ]
        );
    }
}
