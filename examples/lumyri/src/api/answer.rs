//! The envelope of what is answered (L4).

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use example_app::NoRandomness;
use serde::Serialize;
use serde_json::json;

use crate::{rules::Invalid, store::StoreError};

/// Why there is no answer, as the caller gets to see it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
}

pub(super) type Result<T> = std::result::Result<T, Refusal>;

impl Refusal {
    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
        }
    }

    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "validation_error",
            message: message.into(),
        }
    }

    pub(super) const fn unauthorized() -> Self {
        let message = "A valid access token is required";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(super) const fn no_such_customer() -> Self {
        let message = "There is no such customer";
        Self::new(StatusCode::NOT_FOUND, "customer_not_found", message)
    }

    pub(super) const fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such path")
    }

    pub(super) const fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This path has no such method",
        )
    }

    pub(super) const fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            "The body must have at most 1 MiB",
        )
    }

    pub(super) const fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "The body must be application/json",
        )
    }

    const fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something went wrong on our side",
        )
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.0)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::IdTaken => Self::new(
                StatusCode::CONFLICT,
                "id_taken",
                "There is a customer with this id already",
            ),
            StoreError::EmailTaken => Self::new(
                StatusCode::CONFLICT,
                "email_taken",
                "There is a customer with this email already",
            ),
            StoreError::UnknownLabel => Self::invalid("labels: there is no such label"),
            StoreError::Failed(error) => {
                tracing::error!(%error, "the database failed");
                Self::internal()
            }
        }
    }
}

impl From<NoRandomness> for Refusal {
    fn from(error: NoRandomness) -> Self {
        tracing::error!(%error, "there are no random numbers");
        Self::internal()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "error": {"code": self.code, "message": self.message},
            "data": null,
        });
        let mut response = bare(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    error: (),
    data: &'a T,
}

/// An answer in the envelope of success.
pub(super) fn enveloped<T: Serialize>(status: StatusCode, data: &T) -> Response {
    bare(status, &Envelope { error: (), data })
}

/// An answer without an envelope.
pub(super) fn bare<T: Serialize>(status: StatusCode, data: &T) -> Response {
    match serde_json::to_vec(data) {
        Ok(body) => {
            let json = HeaderValue::from_static("application/json");
            (status, [(header::CONTENT_TYPE, json)], Body::from(body)).into_response()
        }
        Err(_) => {
            tracing::error!("an answer can't be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page of a list (L15).
#[derive(Serialize)]
pub(super) struct PageOf<T> {
    total: i64,
    per_page: i64,
    current_page: i64,
    last_page: i64,
    data: Vec<T>,
}

impl<T> PageOf<T> {
    pub(super) fn new(total: i64, limit: i64, current_page: i64, data: Vec<T>) -> Self {
        let at_least_one = total.max(1);
        Self {
            total,
            per_page: limit.min(at_least_one),
            current_page,
            last_page: at_least_one.saturating_sub(1) / limit.max(1) + 1,
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_no_more_per_page_than_there_are() {
        let shown = |total, limit| {
            let page = PageOf::<()>::new(total, limit, 1, Vec::new());
            (page.per_page, page.last_page)
        };
        assert_eq!(shown(0, 10), (1, 1));
        assert_eq!(shown(1, 10), (1, 1));
        assert_eq!(shown(10, 10), (10, 1));
        assert_eq!(shown(11, 10), (10, 2));
        assert_eq!(shown(3, 1), (1, 3));
    }
}
