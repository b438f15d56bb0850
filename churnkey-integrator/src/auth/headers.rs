//! The names of the headers with signature, timestamp and mode.

use http::HeaderName;

/// The header with the Unix seconds at which a request was signed.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("x-churnkey-timestamp");
/// The header with one or more signatures, as `v1=<64 hex digits>`, separated by commas.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-churnkey-signature");
/// The header with the mode, `live` or `test`.
pub const MODE_HEADER: HeaderName = HeaderName::from_static("x-churnkey-mode");

/// The names of the headers around a signature.
#[derive(Debug, Clone)]
pub(crate) struct HeaderNames {
    pub(crate) signature: HeaderName,
    pub(crate) timestamp: HeaderName,
    pub(crate) mode: HeaderName,
}

impl Default for HeaderNames {
    fn default() -> Self {
        Self {
            signature: SIGNATURE_HEADER,
            timestamp: TIMESTAMP_HEADER,
            mode: MODE_HEADER,
        }
    }
}
