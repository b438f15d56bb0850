//! Finding the tenant of a request.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use http::{header, request::Parts};

use super::tenant::{Merchant, Tenant};
use crate::{
    auth::{AcceptedTokens, Key},
    controllers::forward,
    error::Result,
};

/// Finds the tenant that a request is for, where one process serves many merchants, each with a token of its own.
///
/// ```
/// use std::collections::HashMap;
///
/// use axum::Router;
/// use churnkey_integrator::{
///     Integration, IntegrationToken, Result, Tenant, TenantId, TenantRequest, TenantResolver, async_trait,
/// };
///
/// struct Tenants(HashMap<String, Tenant>);
///
/// #[async_trait]
/// impl TenantResolver for Tenants {
///     async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
///         let Some(name) = request.path_parameter("tenant") else {
///             return Ok(None);
///         };
///         Ok(self.0.get(name).cloned())
///     }
/// }
///
/// # use churnkey_integrator::{CustomerId, CustomersController, RequestContext, controller, model::Customer};
/// # struct Shop;
/// # #[controller]
/// # impl CustomersController for Shop {
/// #     async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> { Ok(None) }
/// # }
/// let token = IntegrationToken::new("a-token-for-this-example")?;
/// let acme = Tenant::new(TenantId::new("acme")?, "Acme", token);
/// let tenants = Tenants(HashMap::from([("acme".to_owned(), acme)]));
/// let churnkey = Integration::for_tenants(tenants).customers(Shop).build()?;
/// let app: Router = Router::new().nest("/tenants/{tenant}", churnkey.into_router());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # When it is called
/// For every request that has a credential and, if it is signed, a timestamp within the tolerance. A request without a
/// credential does not reach the resolver. But anybody can send a wrong one, so bound the work: cache what you find, for as
/// long as a revoked token may still be accepted. [The guide](crate::guide::tenants) has an example.
///
/// The library keeps nothing of a tenant after the request.
#[async_trait]
pub trait TenantResolver: Send + Sync + 'static {
    /// The tenant, with its accepted tokens. If it is `None`, the caller gets the same 401 as for a wrong token, after the same
    /// verification.
    ///
    /// This is within the request's [deadline](crate::IntegrationBuilder::deadline).
    ///
    /// # Errors
    /// A 500, or a 503 by [`HandlerError::unavailable`](crate::HandlerError::unavailable). A 4xx is answered 500, because
    /// the caller is not authenticated yet.
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>>;
}

forward!(impl TenantResolver {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>>;
});

/// The parts of a request by which a [`TenantResolver`] finds the tenant. The request is not authenticated yet: they decide
/// which tokens count, and prove nothing.
pub struct TenantRequest<'a> {
    parts: &'a Parts,
    path: &'a str,
    parameters: &'a [(&'a str, &'a str)],
}

impl<'a> TenantRequest<'a> {
    pub(crate) fn new(
        parts: &'a Parts,
        path: &'a str,
        parameters: &'a [(&'a str, &'a str)],
    ) -> Self {
        Self {
            parts,
            path,
            parameters,
        }
    }

    /// A parameter of the path under which the router is nested, such as `tenant` of `/tenants/{tenant}`, percent-decoded
    /// once. The library's own parameters are not among them.
    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&'a str> {
        let mut named = self.parameters.iter().filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| *value)
    }

    /// The host, in lower case and without the port. `None` if there is none, or more than one.
    ///
    /// Signatures don't cover it. If two tenants have the same token by mistake, a request that was signed for one is valid at
    /// the other's host. With the tenant in the path it is not.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let authority = match self.parts.uri.authority() {
            Some(authority) => authority.as_str(),
            None => self.header(header::HOST.as_str())?,
        };
        let (host, port) = match authority.rsplit_once(':') {
            // Inside of brackets, it is a part of an IPv6 address.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let is_host = !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        is_host.then(|| host.to_ascii_lowercase())
    }

    /// The value of a header. `None` if it is not there, there more than once, or not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.parts.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// An extension that one of the app's own layers has added to the request.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&'a T> {
        self.parts.extensions.get()
    }

    /// The path with its query, as the caller sent them.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }
}

/// Shows nothing: a path may hold an e-mail address.
impl fmt::Debug for TenantRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantRequest").finish_non_exhaustive()
    }
}

/// Whose tokens count: those of one merchant, or of the tenant that the resolver finds.
pub(crate) enum Merchants {
    One(Arc<Merchant>),
    Many {
        resolver: Arc<dyn TenantResolver>,
        decoy: [Key; 1],
    },
}

impl Merchants {
    pub(crate) fn many(resolver: Arc<dyn TenantResolver>) -> Self {
        Self::Many {
            resolver,
            decoy: [Key::decoy()],
        }
    }

    /// The keys for a request without a tenant, so that its verification takes as long as that of a wrong token. The
    /// request is rejected whatever the result.
    pub(crate) fn decoy(&self) -> AcceptedTokens<'_> {
        match self {
            Self::One(merchant) => merchant.tokens(),
            Self::Many { decoy, .. } => AcceptedTokens::new(decoy),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn host_of(uri: &str, hosts: &[&str]) -> Option<String> {
        let mut request = Request::get(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        TenantRequest::new(&parts, "", &[]).host()
    }

    #[test]
    fn the_host_is_in_lower_case_and_without_its_port() {
        for (sent, host) in [
            ("acme.example.com", "acme.example.com"),
            ("ACME.Example.com:8080", "acme.example.com"),
            ("acme.example.com:", "acme.example.com"),
            ("[::1]", "[::1]"),
            ("[::1]:80", "[::1]"),
        ] {
            assert_eq!(host_of("/", &[sent]).as_deref(), Some(host), "{sent}");
        }
        for sent in ["", ":80", "acme:eighty", "acme:-1"] {
            assert_eq!(host_of("/", &[sent]), None, "{sent}");
        }
        assert_eq!(host_of("/", &[]), None);
        assert_eq!(host_of("/", &["acme", "acme"]), None);
        // HTTP/2 has no `Host`, and in HTTP/1 an absolute target comes first (RFC 9112, section 3.2.2).
        let absolute = "http://acme.example.com:80/x";
        assert_eq!(
            host_of(absolute, &["other"]).as_deref(),
            Some("acme.example.com")
        );
    }

    #[test]
    fn a_header_that_is_repeated_or_unreadable_is_none() {
        let header = |values: &[&[u8]]| {
            let mut request = Request::get("/");
            for value in values {
                request = request.header("x-tenant", *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let request = TenantRequest::new(&parts, "", &[]);
            request.header("X-Tenant").map(str::to_owned)
        };
        assert_eq!(header(&[b"acme"]).as_deref(), Some("acme"));
        assert_eq!(header(&[]), None);
        assert_eq!(header(&[b"acme", b"acme"]), None);
        assert_eq!(header(&[b"\xff"]), None);
    }

    #[test]
    fn of_two_parameters_with_one_name_the_outer_one_counts() {
        let (parts, ()) = Request::get("/").body(()).unwrap().into_parts();
        let parameters = [("tenant", "outer"), ("tenant", "inner")];
        let request = TenantRequest::new(&parts, "/p?q", &parameters);
        assert_eq!(request.path_parameter("tenant"), Some("outer"));
        assert_eq!(request.path_parameter("id"), None);
        assert_eq!(request.path(), "/p?q");
        assert_eq!(request.extension::<u8>(), None);
    }
}
