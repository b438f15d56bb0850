//! The shapes of the API's answers.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use example_app::{StoreFailure, Unreadable};
use serde::Serialize;

/// An endpoint's answer.
pub(super) type Result<T> = std::result::Result<T, Refused>;

/// Why a call is refused: a status and a message, which quotes nothing of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: StatusCode,
    message: Cow<'static, str>,
    allow: Option<String>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }

    /// An invalid parameter or an unknown record: both have the same status (O3).
    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn required(name: &str) -> Self {
        Self::bad(format!("{name} is required."))
    }

    pub(super) fn no_such_customer() -> Self {
        Self::bad("This customer does not exist.")
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "This path does not exist.")
    }

    pub(super) fn wrong_method(allow: &str) -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self {
            allow: Some(allow.to_owned()),
            ..Self::new(status, "This method is not allowed here.")
        }
    }

    pub(super) fn too_slow() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(
            status,
            "The request took more than 10 seconds, please try again.",
        )
    }

    fn internal() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "Something went wrong on our side.")
    }
}

impl From<Unreadable> for Refused {
    fn from(why: Unreadable) -> Self {
        let message = match why {
            Unreadable::TooLarge => "The body is larger than 1 MiB.",
            Unreadable::BrokeOff => "The body ended too early.",
            Unreadable::TooSlow => "The body did not arrive within 8 seconds.",
            Unreadable::WrongType => {
                "The body must be multipart/form-data, application/x-www-form-urlencoded or application/json."
            }
        };
        Self::new(why.status(), message)
    }
}

/// The database's message may quote data, so only its code is logged above debug level.
impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        tracing::debug!(%error, "the database failed");
        let failure = StoreFailure::from(error);
        let code = failure.code();
        if failure.is_temporary() {
            tracing::warn!(code = code.as_deref(), "the database is busy");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Self::new(status, "The store is busy, please try again.");
        }
        tracing::error!(code = code.as_deref(), "the database failed");
        Self::internal()
    }
}

#[derive(Serialize)]
struct Failure<'a> {
    status: &'static str,
    message: &'a str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json(&Failure {
            status: "error",
            message: &self.message,
        })
        .unwrap_or_default();
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(allow) = self.allow.and_then(|allow| allow.try_into().ok()) {
            headers.insert(ALLOW, allow);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A 200 with this body.
pub(super) fn json(body: &impl Serialize) -> Result<Response> {
    let body = serde_json::to_vec(body).map_err(|_| Refused::internal())?;
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

/// The answer to a change.
#[derive(Serialize)]
pub(super) struct Done {
    r#type: &'static str,
    message: &'static str,
    #[serde(rename = "customerID", skip_serializing_if = "Option::is_none")]
    customer_id: Option<i64>,
    #[serde(rename = "eventID", skip_serializing_if = "Option::is_none")]
    event_id: Option<i64>,
}

impl Done {
    pub(super) fn new(message: &'static str) -> Self {
        Self {
            r#type: "result",
            message,
            customer_id: None,
            event_id: None,
        }
    }

    pub(super) fn customer(self, id: i64) -> Self {
        Self {
            customer_id: Some(id),
            ..self
        }
    }

    pub(super) fn event(self, id: i64) -> Self {
        Self {
            event_id: Some(id),
            ..self
        }
    }
}
