//! What came back, and what holds for all of it.

use http::{HeaderMap, Method, header};
use serde_json::Value;

/// What came back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status; 0 if nothing answered.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as JSON, `null` if it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// What the log says of the reason, the controller's own error included. No caller sees it. Over HTTP it is there
    /// only if nothing answered, and says why.
    pub cause: Option<String>,
    pub(super) method: Method,
}

impl Answer {
    /// A header's value, if it is there once or more and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The message of an error.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.body.get("message")?.as_str()
    }

    /// Checks what holds for every answer (contract, sections 2.1, 2.6 and 5).
    ///
    /// # Errors
    /// A sentence that names the broken rule.
    pub fn check(&self) -> Result<(), String> {
        let status = self.status;
        if status == 0 {
            let why = self.cause.as_deref().unwrap_or("nobody is there");
            return Err(format!("nothing answered: {why}"));
        }
        let is_done = self.method == Method::POST && status < 400;
        let content_type = (!is_done).then_some("application/json");
        for (name, expected) in [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, Some("no-store")),
        ] {
            if self.header(name.as_str()) != expected {
                return Err(match expected {
                    Some(value) => format!("an answer {status} without `{name}: {value}`"),
                    None => format!("an answer {status} without a body, but with {name}"),
                });
            }
        }
        if self.header("x-request-id").is_none() {
            return Err(format!("an answer {status} without X-Request-Id"));
        }
        if is_done {
            return match self.bytes.is_empty() {
                true => Ok(()),
                false => Err(format!("an answer {status} to an action with a body")),
            };
        }
        if status < 400 {
            return match &self.body {
                Value::Object(_) => Ok(()),
                _ => Err(format!("an answer {status} whose body is no JSON object")),
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
