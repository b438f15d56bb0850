//! The token itself, in a header.

use http::{HeaderName, HeaderValue, header};

use super::{
    error::AuthenticationError,
    scheme::{AuthenticationScheme, RequestHead},
    tokens::{AcceptedTokens, Authenticated},
};

/// The token in `Authorization`, alone or as `Bearer <token>`, or alone in the header that was named.
#[derive(Debug, Clone)]
pub(super) struct PlainToken {
    pub(super) header: Option<HeaderName>,
    pub(super) is_rejected: bool,
}

impl PlainToken {
    pub(super) fn sent<'a>(
        &self,
        request: &RequestHead<'a>,
    ) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, AuthenticationError> {
        let authorization = request.header(&header::AUTHORIZATION)?;
        let named = match &self.header {
            Some(name) => request.header(name)?,
            None => None,
        };
        let authorization = authorization.map(|value| without_scheme(value.as_bytes()));
        Ok(authorization
            .into_iter()
            .chain(named.map(HeaderValue::as_bytes)))
    }
}

impl AuthenticationScheme for PlainToken {
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        match (self.sent(request)?.next(), self.is_rejected) {
            (Some(_), true) => Err(AuthenticationError::SignatureRequired),
            (token, _) => Ok(token.is_some()),
        }
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn verify<'t>(
        &self,
        request: &RequestHead<'_>,
        _: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        tokens.verify_any_token(self.sent(request)?)
    }
}

/// `Bearer <token>`, with the scheme in any letter case (RFC 9110, section 11.1), or the token alone.
fn without_scheme(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
            token.trim_ascii_start()
        }
        _ => value,
    }
}
