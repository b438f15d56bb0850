//! Errors in Reportei's shape (R12): `{"message"}`, and `errors` by field if fields are not valid.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use example_app::{StoreFailure, Unreadable};
use serde_json::{Map, Value, json};

use crate::store;

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Error {
    /// The merchant's token is missing or unknown.
    Unauthenticated,
    /// The customer's token is missing, unknown, or belongs to another merchant's customer.
    InvalidCustomerToken,
    /// The trial is over and the customer does not pay.
    TrialEnded,
    /// The session has expired, or belongs to another customer.
    SessionEnded,
    /// The API has no such path.
    NoSuchPath,
    /// The merchant, or the customer, has no record with this UUID.
    NoSuchRecord,
    /// The path does not take this method.
    WrongMethod,
    /// The body is not JSON.
    Malformed,
    /// The body can't be used.
    Body(Unreadable),
    /// The request took too long.
    TooSlow,
    /// Fields that are not valid, each with a message.
    Invalid(Vec<(String, String)>),
    /// The merchant has sent too many requests, and may send the next one in this many seconds.
    TooManyRequests(u64),
    /// The store failed.
    Failed(StoreFailure),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoSuchRecord => Self::NoSuchRecord,
            store::Error::NoSuchSession => Self::SessionEnded,
            store::Error::CustomerGone => Self::InvalidCustomerToken,
            store::Error::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<Unreadable> for Error {
    fn from(why: Unreadable) -> Self {
        Self::Body(why)
    }
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated
            | Self::InvalidCustomerToken
            | Self::TrialEnded
            | Self::SessionEnded => StatusCode::UNAUTHORIZED,
            Self::NoSuchPath | Self::NoSuchRecord => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Body(why) => why.status(),
            Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed(failure) => failure.status(),
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "Unauthenticated.",
            Self::InvalidCustomerToken => "Invalid Customer Token",
            Self::TrialEnded => "Customer trial has ended.",
            Self::SessionEnded => "Integration session is invalid or has expired.",
            Self::NoSuchPath => "Route not found",
            Self::NoSuchRecord => "Record not found",
            Self::WrongMethod => "Method not allowed",
            Self::Malformed | Self::Body(Unreadable::BrokeOff) => {
                "The request body is not valid JSON."
            }
            Self::Body(Unreadable::WrongType) => "The content type must be application/json.",
            Self::Body(Unreadable::TooLarge) => "The request body is too large.",
            Self::Body(Unreadable::TooSlow) => "The request body did not arrive within 8 seconds.",
            Self::TooSlow => "The request took more than 10 seconds. Please try again.",
            Self::Invalid(_) => "The given data was invalid.",
            Self::TooManyRequests(_) => "Too Many Attempts.",
            Self::Failed(failure) if failure.is_temporary() => "Service Unavailable",
            Self::Failed(_) => "Server Error",
        }
    }

    fn body(&self) -> Value {
        let Self::Invalid(broken) = self else {
            return json!({"message": self.message()});
        };
        let mut errors = Map::new();
        for (field, rule) in broken {
            let rules = errors.entry(field).or_insert_with(|| json!([]));
            if let Value::Array(rules) = rules {
                rules.push(rule.as_str().into());
            }
        }
        let first = broken.first().map_or(self.message(), |(_, rule)| rule);
        let message = match broken.len() {
            0 | 1 => first.to_owned(),
            2 => format!("{first} (and 1 more error)"),
            number => format!("{first} (and {} more errors)", number - 1),
        };
        json!({"message": message, "errors": errors})
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Failed(failure) = &self {
            failure.log();
        }
        let status = self.status();
        let mut response = (status, Json(self.body())).into_response();
        let retry_after = match self {
            Self::TooManyRequests(seconds) => Some(seconds),
            _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        };
        if let Some(seconds) = retry_after {
            let seconds = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(fields: &[(&str, &str)]) -> Value {
        let owned = |(field, rule): &(&str, &str)| ((*field).to_owned(), (*rule).to_owned());
        Error::Invalid(fields.iter().map(owned).collect()).body()
    }

    #[test]
    fn the_message_is_the_first_rule_and_counts_the_others() {
        assert_eq!(
            invalid(&[("name", "No.")]),
            json!({"message": "No.", "errors": {"name": ["No."]}})
        );
        assert_eq!(
            invalid(&[("a", "One."), ("b", "Two.")])["message"],
            "One. (and 1 more error)"
        );
        assert_eq!(
            invalid(&[("a", "One."), ("a", "Two."), ("b", "Three.")]),
            json!({
                "message": "One. (and 2 more errors)",
                "errors": {"a": ["One.", "Two."], "b": ["Three."]},
            })
        );
    }
}
