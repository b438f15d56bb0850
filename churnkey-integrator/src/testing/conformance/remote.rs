//! The suite against a URL: for a merchant that runs already, on this machine or behind whatever ends TLS.

use super::{Fixtures, Report, Suite};
use crate::{
    secret::IntegrationToken,
    testing::{
        Client,
        remote::{UrlError, split_url},
    },
};

const DEFAULT_PREFIX: &str = "/churnkey";

/// Why nothing was checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotChecked {
    /// The URL can't be called.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// There is no server, or it does not answer.
    #[error("nothing answers at {0}: {1}")]
    NoAnswer(String, String),
    /// The token is not the integration's.
    #[error(
        "{0} answered 401: the token is another one than the integration's, or the clocks differ by minutes"
    )]
    Unauthorized(String),
    /// Something else is there.
    #[error(
        "{0} answered {1}, but a features manifest was expected (contract, section 2.3): give the URL under which the integration is mounted"
    )]
    NoManifest(String, u16),
}

/// Checks the integration at a URL such as `http://127.0.0.1:3000`, or with the path under which it is mounted if that is
/// not `/churnkey`. What it serves is read from its manifest (contract, section 2.3).
///
/// ```no_run
/// # use churnkey_integrator::{IntegrationToken, testing::{Fixtures, conformance_at}};
/// # async fn check() -> Result<(), Box<dyn std::error::Error>> {
/// let token = IntegrationToken::from_env("CK_INTEGRATION_TOKEN")?;
/// let fixtures = Fixtures::new("cus_1", "cus_nobody").subscription("cus_1", "sub_1").price("price_1");
/// let report = conformance_at("http://127.0.0.1:3000", token, &fixtures).await?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
///
/// The requests are about live data, and the token travels as it is: call nothing but a merchant of your own, over a way that
/// nobody else listens to.
///
/// See [`conformance`](super::conformance()) for the rest, which is the same.
///
/// # Errors
/// [`NotChecked`] if there is no integration to check.
pub async fn conformance_at(
    url: &str,
    token: IntegrationToken,
    fixtures: &Fixtures,
) -> Result<Report, NotChecked> {
    let (origin, path) = split_url(url)?;
    let client = Client::at(&origin, token)?;
    let prefix = match path.as_str() {
        "" => DEFAULT_PREFIX.to_owned(),
        _ => path,
    };
    let path = format!("{prefix}/features");
    let address = format!("{origin}{path}");
    let manifest = client.get_unchecked(&path).await;
    match manifest.status {
        0 => {
            let why = manifest.cause.unwrap_or_default();
            return Err(NotChecked::NoAnswer(address, why));
        }
        401 => return Err(NotChecked::Unauthorized(address)),
        200 if manifest.body.get("controllers").is_some() => {}
        status => return Err(NotChecked::NoManifest(address, status)),
    }
    let suite = Suite::new(client, prefix, manifest.body, fixtures).await;
    Ok(suite.run().await)
}
