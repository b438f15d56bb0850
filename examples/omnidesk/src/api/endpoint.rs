//! The endpoint of a method and a path.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::answer::{Refused, Result};
use crate::{fields::is_digits, store::Permissions};

/// An endpoint, with the id in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Index,
    Item(i64),
    SearchByExternalId,
    SearchByAddress,
    Timeline,
    Create,
    CreateStrictly,
    UpdateNamed,
    UpdateItem(i64),
    UpdateByExternalId,
    AddChannel,
    DeleteItem(i64),
    DeleteChannel(i64),
    Purge(i64),
    PurgeNamed,
    AddEvent,
    SyncWithCrm,
}

impl Endpoint {
    pub(super) fn is_open_to(self, permissions: Permissions) -> bool {
        match self {
            Self::Index
            | Self::Item(_)
            | Self::SearchByExternalId
            | Self::SearchByAddress
            | Self::Timeline => permissions.may_read,
            Self::Create
            | Self::CreateStrictly
            | Self::UpdateNamed
            | Self::UpdateItem(_)
            | Self::UpdateByExternalId
            | Self::AddChannel
            | Self::DeleteItem(_)
            | Self::DeleteChannel(_)
            | Self::Purge(_)
            | Self::PurgeNamed
            | Self::AddEvent
            | Self::SyncWithCrm => permissions.may_change,
        }
    }
}

/// The endpoints of a path under `/api/v2/customer`, by method.
type Served = Vec<(Method, Endpoint)>;

/// Finds the endpoint. An unknown path is a 404, a method that the path doesn't serve is a 405.
pub(super) fn find(method: &Method, path: &str) -> Result<Endpoint> {
    let served = segments(path).and_then(|segments| served(method, &segments));
    let served = served.ok_or_else(Refused::no_such_path)?;
    let method = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let endpoint = served.iter().find(|(served, _)| served == method);
    endpoint.map(|(_, endpoint)| *endpoint).ok_or_else(|| {
        let methods = served.iter().flat_map(|(served, _)| match *served {
            Method::GET => vec!["GET", "HEAD"],
            ref other => vec![other.as_str()],
        });
        Refused::wrong_method(&methods.collect::<Vec<_>>().join(", "))
    })
}

/// `None` if a segment is not text.
fn segments(path: &str) -> Option<Vec<String>> {
    let segments = path.split('/').skip(1);
    segments
        .map(|segment| {
            let text = percent_decode_str(segment).decode_utf8().ok()?;
            Some(text.into_owned())
        })
        .collect()
}

fn served(method: &Method, segments: &[String]) -> Option<Served> {
    match segments {
        [] => Some(vec![
            (Method::GET, Endpoint::Index),
            (Method::POST, Endpoint::Create),
            (Method::PUT, Endpoint::UpdateNamed),
        ]),
        [segment] => action(segment).or_else(|| item(method, segment)),
        [action, segment] => {
            let id = id(segment);
            match action.to_ascii_lowercase().as_str() {
                "channel" => Some(vec![(Method::DELETE, Endpoint::DeleteChannel(id))]),
                "purgedata" => Some(vec![(Method::DELETE, Endpoint::Purge(id))]),
                _ => None,
            }
        }
        _ => None,
    }
}

/// O6: the letter case of an action is ignored, because the documents spell actions in several ways.
fn action(segment: &str) -> Option<Served> {
    let (method, endpoint) = match segment.to_ascii_lowercase().as_str() {
        "searchbyprimaryexternalid" => (Method::POST, Endpoint::SearchByExternalId),
        "searchbycustomerchannelvalue" => (Method::POST, Endpoint::SearchByAddress),
        "timelinebycustomerexternalid" => (Method::GET, Endpoint::Timeline),
        "addchannelonly" => (Method::POST, Endpoint::AddChannel),
        "updatecustomer" => (Method::PUT, Endpoint::UpdateByExternalId),
        "createcustomercrud" => (Method::POST, Endpoint::CreateStrictly),
        "purgedata" => (Method::DELETE, Endpoint::PurgeNamed),
        "externalevent" => (Method::POST, Endpoint::AddEvent),
        "syncwithcrm" => (Method::POST, Endpoint::SyncWithCrm),
        _ => return None,
    };
    Some(vec![(method, endpoint)])
}

/// A segment that is not an action is read as a customer's id. In a POST it is a misspelt action, because nothing is posted to an
/// id.
fn item(method: &Method, segment: &str) -> Option<Served> {
    let id = id(segment);
    let served = vec![
        (Method::GET, Endpoint::Item(id)),
        (Method::PUT, Endpoint::UpdateItem(id)),
        (Method::DELETE, Endpoint::DeleteItem(id)),
    ];
    let is_served = *method == Method::HEAD || served.iter().any(|(served, _)| served == method);
    (!segment.is_empty() && (is_served || is_digits(segment))).then_some(served)
}

/// The id in a path. A segment that is not a number is 0, which no record has.
fn id(segment: &str) -> i64 {
    match segment {
        digits if is_digits(digits) => digits.parse().unwrap_or(i64::MAX),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_path_and_its_permission() {
        let (read, change) = (
            Permissions {
                may_read: true,
                may_change: false,
            },
            Permissions {
                may_read: false,
                may_change: true,
            },
        );
        for (method, path, endpoint, needed) in [
            ("GET", "", Endpoint::Index, read),
            ("HEAD", "", Endpoint::Index, read),
            ("GET", "/7", Endpoint::Item(7), read),
            ("GET", "/%37", Endpoint::Item(7), read),
            (
                "POST",
                "/searchByPrimaryExternalId",
                Endpoint::SearchByExternalId,
                read,
            ),
            (
                "POST",
                "/SearchByCustomerChannelValue",
                Endpoint::SearchByAddress,
                read,
            ),
            (
                "GET",
                "/timelineByCustomerExternalID",
                Endpoint::Timeline,
                read,
            ),
            ("POST", "", Endpoint::Create, change),
            ("PUT", "", Endpoint::UpdateNamed, change),
            ("PUT", "/7", Endpoint::UpdateItem(7), change),
            ("DELETE", "/7", Endpoint::DeleteItem(7), change),
            ("POST", "/addChannelOnly", Endpoint::AddChannel, change),
            (
                "PUT",
                "/updateCustomer",
                Endpoint::UpdateByExternalId,
                change,
            ),
            ("DELETE", "/Channel/7", Endpoint::DeleteChannel(7), change),
            ("DELETE", "/purgeData/7", Endpoint::Purge(7), change),
            ("DELETE", "/purgedata", Endpoint::PurgeNamed, change),
            ("POST", "/EXTERNALEVENT", Endpoint::AddEvent, change),
            ("POST", "/syncWithCRM", Endpoint::SyncWithCrm, change),
            (
                "POST",
                "/createCustomerCRUD",
                Endpoint::CreateStrictly,
                change,
            ),
        ] {
            let found = find(&method.parse().unwrap(), path);
            assert_eq!(found, Ok(endpoint), "{method} {path}");
            assert_eq!(
                [endpoint.is_open_to(read), endpoint.is_open_to(change)],
                [needed.may_read, needed.may_change],
                "{method} {path}"
            );
        }
    }
}
