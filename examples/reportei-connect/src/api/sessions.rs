//! `/customer-integrations/session`: links under which a customer connects networks without a token.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use churnkey_integrator::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{PathUuid, PublicUrl, authenticate::AdmittedCustomer, error::Error, fields::Fields};
use crate::{
    record::Session,
    store::{CustomerData, NewSession, Store},
};

const DEFAULT_MINUTES: i64 = 5;

/// The most entries of `limits`. There are fewer networks.
const MAX_ITEMS: usize = 100;
/// How deep `limits` may be nested.
const MAX_LEVELS: usize = 10;
/// How long `limits` may be as JSON without blanks.
const MAX_CHARACTERS: usize = 4096;

#[derive(Serialize)]
struct SessionView<'a> {
    session_uuid: &'a str,
    session_link: String,
    expires_at: String,
    merchant: &'a str,
    merchant_uuid: &'a str,
    customer: &'a str,
    customer_uuid: &'a str,
    redirect_url: Option<&'a str>,
}

impl<'a> SessionView<'a> {
    fn new(session: &'a Session, data: &'a CustomerData, public_url: &PublicUrl) -> Self {
        let (base, uuid) = (&public_url.0, &session.uuid);
        Self {
            session_uuid: uuid,
            session_link: format!("{base}/customer-integrations/session/{uuid}"),
            expires_at: with_microseconds(session.expires_at),
            merchant: &session.merchant,
            merchant_uuid: &data.merchant().uuid,
            customer: &session.customer,
            customer_uuid: &data.customer().uuid,
            redirect_url: session.redirect_url.as_deref(),
        }
    }
}

/// ISO 8601 with six decimals, unlike every other time of this API. The clock has only three.
fn with_microseconds(millis: i64) -> String {
    let text = Timestamp::from_unix_millis(millis).map(|moment| moment.to_string());
    let text = text.unwrap_or_default();
    format!("{}000Z", text.trim_end_matches('Z'))
}

pub(super) async fn create(
    AdmittedCustomer(data): AdmittedCustomer,
    State(public_url): State<PublicUrl>,
    fields: Fields,
) -> Result<impl IntoResponse, Error> {
    let session = data.begin_session(new_session(fields)?).await?;
    let view = SessionView::new(&session, &data, &public_url);
    let created = Json(json!({"integration_session": view}));
    Ok((
        StatusCode::CREATED, // R11
        [(header::CACHE_CONTROL, "no-store")],
        created,
    ))
}

fn new_session(mut fields: Fields) -> Result<NewSession, Error> {
    let redirect_url = fields.optional_url("redirect_url");
    let minutes = fields.integer("expires_in_minutes", DEFAULT_MINUTES, 1..=i64::MAX);
    let options = [
        ("locale", text_option(&mut fields, "locale")),
        ("limits", limits_option(&mut fields)),
        ("limit_reached_url", url_option(&mut fields)),
        (
            "close_on_finish",
            flag_option(&mut fields, "close_on_finish"),
        ),
        (
            "enable_multi_account_selection",
            flag_option(&mut fields, "enable_multi_account_selection"),
        ),
    ];
    let given = options
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let options = Value::Object(given.collect::<Map<_, _>>()).to_string();
    let session = redirect_url
        .zip(minutes)
        .map(|(redirect_url, minutes)| NewSession {
            redirect_url,
            options,
            minutes,
        });
    fields.accept(session)
}

fn text_option(fields: &mut Fields, field: &str) -> Option<Value> {
    fields.optional_text(field, 35).flatten().map(Value::from)
}

fn url_option(fields: &mut Fields) -> Option<Value> {
    let url = fields.optional_url("limit_reached_url");
    url.flatten().map(Value::from)
}

fn flag_option(fields: &mut Fields, field: &str) -> Option<Value> {
    fields.optional_boolean(field).flatten().map(Value::from)
}

/// The number of accounts of each network. The documents don't say in which form, only that it has entries. It is stored as it was
/// sent, within bounds (R14).
fn limits_option(fields: &mut Fields) -> Option<Value> {
    let limits = fields.take("limits")?;
    let items = match &limits {
        Value::Object(entries) => entries.len(),
        Value::Array(items) => items.len(),
        _ => return fields.breaks("limits", "The limits field must be an array.".to_owned()),
    };
    let rule = if items > MAX_ITEMS {
        format!("must not have more than {MAX_ITEMS} items")
    } else if levels(&limits) > MAX_LEVELS {
        format!("must not be nested more than {MAX_LEVELS} levels deep")
    } else if limits.to_string().chars().count() > MAX_CHARACTERS {
        format!("must not be greater than {MAX_CHARACTERS} characters")
    } else {
        return Some(limits);
    };
    fields.breaks("limits", format!("The limits field {rule}."))
}

/// The depth of nested lists and objects.
fn levels(value: &Value) -> usize {
    let deepest = match value {
        Value::Object(entries) => entries.values().map(levels).max(),
        Value::Array(items) => items.iter().map(levels).max(),
        _ => return 0,
    };
    deepest.unwrap_or_default().saturating_add(1)
}

/// The page of the link. The link itself is the credential, so no token is needed.
pub(super) async fn show(
    State(store): State<Store>,
    PathUuid(uuid): PathUuid,
) -> Result<impl IntoResponse, Error> {
    let session = store.session(&uuid).await?;
    let live = session.filter(|session| session.is_live(store.now()));
    // An expired session may be deleted, so it has the same answer as an unknown one (R13).
    let session = live.ok_or(Error::SessionEnded)?;
    let page = json!({
        "integration_session": {
            "session_uuid": session.uuid,
            "expires_at": with_microseconds(session.expires_at),
            "merchant": session.merchant,
            "customer": session.customer,
            "redirect_url": session.redirect_url,
            "options": serde_json::from_str::<Value>(&session.options).unwrap_or_default(),
        },
        "available_integrations": store.networks().await?,
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(page)))
}
