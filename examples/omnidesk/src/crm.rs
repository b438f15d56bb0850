//! Look-ups of an address in a brand's own customer database, its CRM.
//!
//! A request can't change the host, the port or the path of the brand's URL: the address is added to the query, with everything
//! but letters and digits encoded. Redirects are not followed, so an answer can't send the call elsewhere.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use axum::http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, ClientBuilder, StatusCode, Url, header::ACCEPT, redirect};
use serde_json::{Map, Value};

use crate::{
    address::{Address, ChannelType},
    fields::{CUSTOM, is_custom_name, is_custom_value, is_name, is_text},
};

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1024 * 1024;

/// The URL of the CRM: `http` or `https`, with a host.
#[derive(Clone, PartialEq, Eq)]
pub struct LookupUrl(Url);

/// The text is not such a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an http or https URL, such as https://crm.example/lookup?key=..")]
pub struct InvalidLookupUrl;

impl FromStr for LookupUrl {
    type Err = InvalidLookupUrl;

    fn from_str(text: &str) -> Result<Self, InvalidLookupUrl> {
        // `Url` alone is lenient: it accepts `http:///lookup`, and takes the path for a host.
        let uri: Uri = text.parse().map_err(|_| InvalidLookupUrl)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        match text.parse() {
            Ok(url) if is_web && has_host => Ok(Self(url)),
            _ => Err(InvalidLookupUrl),
        }
    }
}

impl LookupUrl {
    fn asking(&self, channel: &str, address: &str) -> Url {
        let channel = utf8_percent_encode(channel, NON_ALPHANUMERIC);
        let address = utf8_percent_encode(address, NON_ALPHANUMERIC);
        let added = format!("channelAddressType={channel}&address={address}");
        let mut url = self.0.clone();
        let query = match url.query() {
            Some(own) => format!("{own}&{added}"),
            None => added,
        };
        url.set_query(Some(&query));
        url.set_fragment(None);
        url
    }
}

impl fmt::Display for LookupUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Shows nothing: the URL may contain a key.
impl fmt::Debug for LookupUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupUrl([redacted])")
    }
}

/// A customer as the CRM has them. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The external id.
    pub primary_id: String,
    /// `None` if it is not known.
    pub firstname: Option<String>,
    /// `None` if it is not known.
    pub lastname: Option<String>,
    /// The e-mail addresses, then the telephone numbers.
    pub addresses: Vec<Address>,
    /// Custom fields by their full names.
    pub custom: BTreeMap<String, String>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

/// Why a look-up failed. Contains nothing of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrmFault {
    /// The client, such as its TLS, could not be set up.
    #[error("the HTTP client could not be set up")]
    Client,
    /// The brand's URL can't be called.
    #[error("the brand's URL can't be called")]
    Url,
    /// The connection failed.
    #[error("there was no answer")]
    Unreachable,
    /// The answer took longer than five seconds.
    #[error("there was no answer in time")]
    Timeout,
    /// The status was not 200.
    #[error("the status was {0}")]
    Status(u16),
    /// The answer had more than 1 MiB, or broke off.
    #[error("the answer was too long or broke off")]
    Body,
    /// The answer was not an array of customers.
    #[error("the answer was not a list of customers")]
    Shape,
}

/// The HTTP client. A clone shares it.
#[derive(Debug, Clone)]
pub struct Crm {
    client: Result<Client, CrmFault>,
}

impl Default for Crm {
    fn default() -> Self {
        // reqwest is built without a cryptography provider. An error means that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Without root certificates no server is trusted, but http still works.
        let client = client()
            .build()
            .or_else(|_| client().tls_certs_only([]).build());
        Self {
            client: client.map_err(|_| CrmFault::Client),
        }
    }
}

fn client() -> ClientBuilder {
    Client::builder()
        .timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        // The call goes to the brand's URL, not to a proxy of the environment.
        .no_proxy()
        // Look-ups are rare. An idle connection would mostly be closed when it is needed.
        .pool_max_idle_per_host(0)
}

impl Crm {
    /// The customers with this address.
    ///
    /// # Errors
    /// [`CrmFault`] if there is no usable answer.
    pub async fn look_up(
        &self,
        url: &str,
        channel: &str,
        address: &str,
    ) -> Result<Vec<Found>, CrmFault> {
        let url: LookupUrl = url.parse().map_err(|_| CrmFault::Url)?;
        let answer = self.get(url.asking(channel, address)).await?;
        let list: Vec<Map<String, Value>> =
            serde_json::from_slice(&answer).map_err(|_| CrmFault::Shape)?;
        list.iter()
            .map(|entry| found(entry).ok_or(CrmFault::Shape))
            .collect()
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, CrmFault> {
        let client = self.client.as_ref().map_err(|fault| *fault)?;
        let asked = client.get(url).header(ACCEPT, "application/json").send();
        let mut response = asked
            .await
            .map_err(|e| or_late(&e, CrmFault::Unreachable))?;
        if response.status() != StatusCode::OK {
            return Err(CrmFault::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|e| or_late(&e, CrmFault::Body))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(CrmFault::Body);
            }
        }
        Ok(body)
    }
}

/// The error itself is dropped, because it contains the URL and its key.
fn or_late(error: &reqwest::Error, otherwise: CrmFault) -> CrmFault {
    if error.is_timeout() {
        CrmFault::Timeout
    } else {
        otherwise
    }
}

/// The customer of one entry (O31), if its fields are valid.
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

/// A text, or a number or boolean as text. The outer `None` stands for anything else, the inner one for an empty text.
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
        url.asking("email", address).to_string()
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
