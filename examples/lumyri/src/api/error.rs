//! Errors in Lumyri's shape (L4).

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use example_app::Unreadable;
use serde::Serialize;

use crate::store;

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Error {
    /// The request breaks this rule.
    Invalid(Cow<'static, str>),
    /// The access token is missing, not valid or expired.
    InvalidToken,
    /// The API has no such path.
    UnknownPath,
    /// The path does not take this method.
    WrongMethod,
    /// The body can't be used.
    Body(Unreadable),
    /// The request took too long.
    TooSlow,
    /// The store refused, or failed.
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Unreadable> for Error {
    fn from(why: Unreadable) -> Self {
        Self::Body(why)
    }
}

impl Error {
    pub(super) fn invalid(rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(rule.into())
    }

    fn answer(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Self::Invalid(rule) => invalid(rule),
            Self::InvalidToken => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "A valid access token is required",
            ),
            Self::UnknownPath => (StatusCode::NOT_FOUND, "not_found", "There is no such path"),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The path has no such method",
            ),
            Self::Body(why) => of_body(*why),
            Self::TooSlow => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The request took more than 10 seconds, try again",
            ),
            Self::Store(error) => of_store(error),
        }
    }
}

fn invalid(rule: &str) -> (StatusCode, &'static str, &str) {
    (StatusCode::BAD_REQUEST, "validation_error", rule)
}

fn of_body(why: Unreadable) -> (StatusCode, &'static str, &'static str) {
    let (code, message) = match why {
        Unreadable::TooLarge => (
            "payload_too_large",
            "The body must not have more than 1 MiB",
        ),
        Unreadable::BrokeOff => return invalid("The body broke off"),
        Unreadable::TooSlow => (
            "request_timeout",
            "The body did not arrive within 8 seconds",
        ),
        Unreadable::WrongType => (
            "unsupported_media_type",
            "Content-Type must be application/json",
        ),
    };
    (why.status(), code, message)
}

fn of_store(error: &store::Error) -> (StatusCode, &'static str, &'static str) {
    match error {
        store::Error::NoSuchCustomer => (
            StatusCode::NOT_FOUND,
            "customer_not_found",
            "There is no such customer",
        ),
        store::Error::IdTaken => (StatusCode::CONFLICT, "id_taken", "The id is in use already"),
        store::Error::EmailTaken => (
            StatusCode::CONFLICT,
            "email_taken",
            "The email is in use already",
        ),
        store::Error::NoSuchLabel => invalid("labels holds an id of no label"),
        store::Error::Failed(failure) => {
            let (code, message) = match failure.is_temporary() {
                true => ("unavailable", "Try again in a moment"),
                false => ("internal_error", "Something went wrong on our side"),
            };
            (failure.status(), code, message)
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Reason<'a>,
    data: (),
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'static str,
    message: &'a str,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code, message) = self.answer();
        if let Self::Store(store::Error::Failed(failure)) = &self {
            failure.log();
        }
        let body = Body {
            error: Reason { code, message },
            data: (),
        };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
