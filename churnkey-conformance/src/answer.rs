//! What came back, and what holds for all of it.

use bytes::Bytes;
use http::{HeaderMap, Method, Response, header};
use serde_json::Value;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    method: Method,
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
    body: Value,
    cause: Option<String>,
}

impl Answer {
    pub(crate) fn new(
        method: Method,
        status: u16,
        headers: HeaderMap,
        bytes: Vec<u8>,
        cause: Option<String>,
    ) -> Self {
        Self {
            method,
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
            cause,
        }
    }

    /// An answer that was received in another way, to look at its shape.
    #[must_use]
    pub fn of(method: Method, response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let status = parts.status.as_u16();
        Self::new(method, status, parts.headers, body.to_vec(), None)
    }

    /// Nothing came back, and why.
    pub(crate) fn none(method: Method, why: String) -> Self {
        Self::new(method, 0, HeaderMap::new(), Vec::new(), Some(why))
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// The HTTP status; 0 if nothing answered.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A header's value, if it is there once or more and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `null` if it is not JSON.
    #[must_use]
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The body as JSON, to keep.
    #[must_use]
    pub fn into_body(self) -> Value {
        self.body
    }

    /// The body as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message of an error.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.body.get("message")?.as_str()
    }

    /// Why the integration rejected the request or failed, the controller's own error included: known if it runs in this
    /// process. If nothing answered, why not.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Whether an action was done, which is answered without a body.
    pub(crate) fn is_done(&self) -> bool {
        self.method == Method::POST && self.status < 400
    }

    /// Whether the content type is that of JSON, whatever its parameters and letter case.
    pub(crate) fn is_json(&self) -> bool {
        let content_type = self.header(header::CONTENT_TYPE.as_str());
        let essence = content_type.and_then(|value| value.split(';').next());
        essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
    }

    /// Checks what holds for every answer (contract, sections 2.1, 2.6 and 5).
    ///
    /// # Errors
    /// A sentence that names the broken rule.
    pub fn check(&self) -> Result<(), String> {
        let status = self.status;
        if status == 0 {
            let why = self.cause().unwrap_or("nobody is there");
            return Err(format!("nothing answered: {why}"));
        }
        if self.is_done() {
            return match self.bytes.is_empty() {
                true => Ok(()),
                false => Err(format!("an answer {status} to an action with a body")),
            };
        }
        if !self.is_json() {
            return Err(format!(
                "an answer {status} without `content-type: application/json`"
            ));
        }
        if status < 400 {
            return match &self.body {
                Value::Object(_) => Ok(()),
                _ => Err(format!(
                    "an answer {status} whose body is not a JSON object"
                )),
            };
        }
        let shape = self.body.as_object().is_some_and(|body| {
            body.len() == 2
                && body.get("code") == Some(&status.into())
                && body.get("message").is_some_and(Value::is_string)
        });
        if !shape {
            return Err(format!(
                "an answer {status} whose body is not {{\"code\":{status},\"message\":\"..\"}}"
            ));
        }
        if status == 503 && self.header("retry-after").is_none() {
            return Err("an answer 503 without Retry-After".to_owned());
        }
        Ok(())
    }
}
