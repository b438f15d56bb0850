//! Asking a brand's own customer database who has an address.
//!
//! The host, the port and the path are those of the brand's URL, whatever a request says: an address is added to the query, with
//! everything but letters and digits encoded. Redirects are not followed, so that an answer can't send the call elsewhere.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use axum::{
    body::Bytes,
    http::{
        Request, StatusCode, Uri,
        header::ACCEPT,
        uri::{InvalidUri, PathAndQuery},
    },
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::{
    address::{Address, ChannelType},
    fields::{CUSTOM, is_custom_name, is_custom_value, is_name, is_text},
};

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1024 * 1024;

/// The URL of a look-up: `http` or `https`, with a host.
#[derive(Clone, PartialEq, Eq)]
pub struct LookupUrl {
    uri: Uri,
    path_and_query: String,
}

/// The text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an http or https URL, such as https://crm.example/lookup?key=..")]
pub struct InvalidLookupUrl;

impl FromStr for LookupUrl {
    type Err = InvalidLookupUrl;

    fn from_str(text: &str) -> Result<Self, InvalidLookupUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidLookupUrl)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let path_and_query = uri.path_and_query().map(PathAndQuery::to_string);
        match path_and_query {
            Some(path_and_query) if is_web && has_host => Ok(Self {
                uri,
                path_and_query,
            }),
            _ => Err(InvalidLookupUrl),
        }
    }
}

impl LookupUrl {
    fn asking(&self, channel: &str, address: &str) -> Result<Uri, CrmFault> {
        let path = &self.path_and_query;
        let first = if path.contains('?') { '&' } else { '?' };
        let channel = utf8_percent_encode(channel, NON_ALPHANUMERIC);
        let address = utf8_percent_encode(address, NON_ALPHANUMERIC);
        let asking = format!("{path}{first}channelAddressType={channel}&address={address}");
        let mut parts = self.uri.clone().into_parts();
        let asking = asking.parse().map_err(|_: InvalidUri| CrmFault::Url)?;
        parts.path_and_query = Some(asking);
        Uri::from_parts(parts).map_err(|_| CrmFault::Url)
    }
}

impl fmt::Display for LookupUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// It may hold a key.
impl fmt::Debug for LookupUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupUrl([redacted])")
    }
}

/// A customer as the CRM has them. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// Their external id.
    pub primary_id: String,
    /// If it is known.
    pub firstname: Option<String>,
    /// If it is known.
    pub lastname: Option<String>,
    /// Their e-mail addresses, then their telephone numbers.
    pub addresses: Vec<Address>,
    /// Custom fields by their whole names.
    pub custom: BTreeMap<String, String>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

/// Why the CRM gave no answer that can be used. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrmFault {
    /// The brand's URL can't be called.
    #[error("the brand's URL can't be called")]
    Url,
    /// No connection, or it broke.
    #[error("there was no answer")]
    Unreachable,
    /// The five seconds are over.
    #[error("there was no answer in time")]
    Timeout,
    /// Another status than 200.
    #[error("the status was {0}")]
    Status(u16),
    /// More than 1 MiB, or it broke off.
    #[error("the answer was too long or broke off")]
    Body,
    /// Not an array of customers.
    #[error("the answer was not a list of customers")]
    Shape,
}

type Connected<C> = Client<C, Empty<Bytes>>;

/// The client that asks. A clone shares it.
#[derive(Debug, Clone)]
pub struct Crm {
    plain: Connected<HttpConnector>,
    // Without root certificates there is no https.
    secure: Option<Connected<HttpsConnector<HttpConnector>>>,
}

impl Default for Crm {
    fn default() -> Self {
        let secure = HttpsConnectorBuilder::new().with_native_roots();
        let secure = secure.map(|roots| roots.https_only().enable_http1().build());
        Self {
            plain: client().build(HttpConnector::new()),
            secure: secure.ok().map(|connector| client().build(connector)),
        }
    }
}

/// Look-ups are rare: a connection that is kept would mostly be closed by the other side when it is needed.
fn client() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_max_idle_per_host(0);
    builder
}

impl Crm {
    /// Everybody whom the brand's URL knows by this address.
    ///
    /// # Errors
    /// [`CrmFault`] if there is no answer that can be used.
    pub async fn look_up(
        &self,
        url: &str,
        channel: &str,
        address: &str,
    ) -> Result<Vec<Found>, CrmFault> {
        let url: LookupUrl = url.parse().map_err(|_| CrmFault::Url)?;
        let uri = url.asking(channel, address)?;
        let answer = tokio::time::timeout(PATIENCE, self.get(uri)).await;
        let answer = answer.map_err(|_| CrmFault::Timeout)??;
        let list: Vec<Map<String, Value>> =
            serde_json::from_slice(&answer).map_err(|_| CrmFault::Shape)?;
        list.iter()
            .map(|entry| found(entry).ok_or(CrmFault::Shape))
            .collect()
    }

    async fn get(&self, uri: Uri) -> Result<Bytes, CrmFault> {
        let is_secure = uri.scheme_str() == Some("https");
        let request = Request::get(uri)
            .header(ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|_| CrmFault::Url)?;
        let response = match &self.secure {
            Some(secure) if is_secure => secure.request(request).await,
            None if is_secure => return Err(CrmFault::Url),
            _ => self.plain.request(request).await,
        };
        let response = response.map_err(|_| CrmFault::Unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(CrmFault::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MAX_BYTES);
        let body = body.collect().await.map_err(|_| CrmFault::Body)?;
        Ok(body.to_bytes())
    }
}

/// What one entry says (O31), if its fields are what a customer's may be.
fn found(entry: &Map<String, Value>) -> Option<Found> {
    let name = |key| match text(entry.get(key))? {
        Some(name) => is_name(&name).then_some(Some(name)),
        None => Some(None),
    };
    let primary_id = text(entry.get("primaryID"))?.filter(|id| is_text(id))?;
    let mut addresses = Vec::new();
    for (key, kind) in [
        ("email", ChannelType::Email),
        ("phoneNumber", ChannelType::Telephone),
    ] {
        match entry.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) => {
                for address in list {
                    addresses.push(Address::new(kind, address.as_str()?)?);
                }
            }
            Some(_) => return None,
        }
    }
    let mut custom = BTreeMap::new();
    for (key, value) in entry.iter().filter(|(key, _)| key.starts_with(CUSTOM)) {
        if let Some(value) = text(Some(value))? {
            if !is_custom_name(key) || !is_custom_value(&value) {
                return None;
            }
            custom.insert(key.clone(), value);
        }
    }
    Some(Found {
        primary_id,
        firstname: name("firstname")?,
        lastname: name("lastname")?,
        addresses,
        custom,
    })
}

/// A text, or a number or truth value as text; the outer `None` for anything else. Empty is not there.
fn text(value: Option<&Value>) -> Option<Option<String>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(Some(value.to_string())),
        Some(Value::Array(_) | Value::Object(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(url: &str, address: &str) -> String {
        let url: LookupUrl = url.parse().unwrap();
        url.asking("email", address).unwrap().to_string()
    }

    #[test]
    fn a_fragment_or_a_port_does_not_move_the_query() {
        let query = "channelAddressType=email&address=a%40b%2Enl";
        for (url, whole) in [
            (
                "https://crm.example",
                format!("https://crm.example/?{query}"),
            ),
            (
                "http://crm.example:8080/x?k=1#top",
                format!("http://crm.example:8080/x?k=1&{query}"),
            ),
            ("HTTP://[::1]/x?", format!("http://[::1]/x?&{query}")),
        ] {
            assert_eq!(asking(url, "a@b.nl"), whole);
        }
    }

    #[test]
    fn a_url_and_a_result_never_print() {
        let url: LookupUrl = "https://crm.example/?key=xyzzy".parse().unwrap();
        assert_eq!(format!("{url:?}"), "LookupUrl([redacted])");
        let found = found(&Map::from_iter([("primaryID".to_owned(), "7".into())])).unwrap();
        assert_eq!(format!("{found:?}"), "Found { .. }");
    }
}
