//! Errors in Notihub's shape.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use example_app::Unreadable;
use serde::Serialize;

use crate::{record::ContactKind, store};

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Error {
    /// The request breaks this rule. The text quotes nothing of the request.
    Invalid(&'static str),
    /// The access token is missing, unknown or expired (N2).
    InvalidToken,
    /// The keys are not valid. The message is spelled as the vendor spells it.
    InvalidKeys,
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
    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Invalid(rule) => (StatusCode::BAD_REQUEST, rule),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "Invalid access token"),
            Self::InvalidKeys => (StatusCode::UNAUTHORIZED, "Invalid credentals"),
            Self::UnknownPath => (StatusCode::NOT_FOUND, "Not found"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::Body(why) => (why.status(), of_body(*why)),
            Self::TooSlow => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The request took more than 10 seconds, try again",
            ),
            Self::Store(error) => of_store(error),
        }
    }
}

fn of_body(why: Unreadable) -> &'static str {
    match why {
        Unreadable::TooLarge => "Body too large",
        Unreadable::BrokeOff => "The body broke off",
        Unreadable::TooSlow => "The body did not arrive within 8 seconds",
        Unreadable::WrongType => "Content type must be application/json",
    }
}

fn of_store(error: &store::Error) -> (StatusCode, &'static str) {
    match error {
        store::Error::NoSuchCustomer => (StatusCode::NOT_FOUND, "Customer Not found"),
        store::Error::NoSuchContact => (StatusCode::NOT_FOUND, "Contact Entry Not found"),
        store::Error::ExternalIdTaken => (StatusCode::BAD_REQUEST, "External id already in use"),
        store::Error::NothingToIdentify => (
            StatusCode::BAD_REQUEST,
            "Customer requires at least a valid email, phone or external id.",
        ),
        store::Error::InvalidValue(kind) => (StatusCode::BAD_REQUEST, invalid_value(*kind)),
        store::Error::Failed(failure) => match failure.is_temporary() {
            true => (failure.status(), "Service Unavailable"),
            false => (failure.status(), "Internal Server Error"),
        },
    }
}

/// The message about a value that is not valid for its kind of contact.
pub(super) fn invalid_value(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::Email => "Invalid email",
        ContactKind::Phone => "Invalid phone",
        ContactKind::Push => "Invalid push token",
    }
}

#[derive(Serialize)]
struct Body {
    code: u16,
    message: &'static str,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, message) = self.answer();
        if let Self::Store(store::Error::Failed(failure)) = &self {
            failure.log();
        }
        let code = status.as_u16();
        (status, Json(Body { code, message })).into_response()
    }
}
