//! Why a request was not authenticated.

/// Why a request was not authenticated.
///
/// It is for the merchant's log. The caller is not told: every error is the same 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// There is neither a signature nor a token.
    #[error(
        "no credential: if the token is in another header than Authorization, name it with token_header"
    )]
    Missing,
    /// A header of the credential is there more than once.
    #[error("a repeated header: send the token, signature, timestamp and mode once each")]
    Repeated,
    /// There is a signature, but no valid timestamp.
    #[error("no valid timestamp: send X-Churnkey-Timestamp in decimal Unix seconds")]
    InvalidTimestamp,
    /// The timestamp is too far from the server's clock: the request is a replay, or a clock is wrong.
    #[error("a timestamp outside of the tolerance: compare the clocks of caller and server")]
    OutsideTolerance,
    /// The signature header has no well-formed signature: for the built-in scheme, no `v1=` element.
    #[error(
        "no well-formed signature: for the built-in scheme, send X-Churnkey-Signature as v1=<64 lower-case hex digits>"
    )]
    Malformed,
    /// The signature header has more than eight elements.
    #[error("too many signatures: send at most eight in one header")]
    TooManySignatures,
    /// No signature is that of this request under an accepted token.
    #[error(
        "a wrong signature: compare the token, and the method, path, query, mode and body with what was signed"
    )]
    WrongSignature,
    /// The signature is right, but the same signed read was answered before, and the integration
    /// [refuses replays](crate::IntegrationBuilder::refuse_replays).
    #[error("a replay: sign each read anew, and don't sign two equal reads in the same second")]
    Replayed,
    /// The token is not one of the accepted tokens.
    #[error("a wrong token: compare it with the Integration Token in Churnkey's dashboard")]
    WrongToken,
    /// There is a token, but a signature is required.
    #[error("a token without a signature: sign the request, or don't require signatures")]
    SignatureRequired,
    /// The [`TenantResolver`](crate::TenantResolver) has found no tenant.
    #[error(
        "an unknown tenant: compare the URL in Churnkey's dashboard with what the resolver reads"
    )]
    UnknownTenant,
}

#[cfg(feature = "metrics")]
impl AuthenticationError {
    /// The word for it in a figure's label.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "no_credential",
            Self::Repeated => "repeated_header",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::OutsideTolerance => "outside_tolerance",
            Self::Malformed => "malformed_signature",
            Self::TooManySignatures => "too_many_signatures",
            Self::WrongSignature => "wrong_signature",
            Self::Replayed => "replayed",
            Self::WrongToken => "wrong_token",
            Self::SignatureRequired => "signature_required",
            Self::UnknownTenant => "unknown_tenant",
        }
    }
}
