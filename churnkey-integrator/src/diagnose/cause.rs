//! The table of causes: name, meaning, advice, and from where each can be seen.

use std::fmt;

/// From where a cause is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Side {
    /// From outside: a caller who has the token, and sends a request in several ways.
    Outside,
    /// From inside: the integration, which has refused a request.
    Inside,
}

/// A line of the table.
struct Row {
    name: &'static str,
    meaning: &'static str,
    advice: &'static str,
    sides: &'static [Side],
}

/// Generates the enum, its documentation, and the look-ups in the table below.
macro_rules! causes {
    ($($variant:ident $name:literal from $($side:ident)+: $meaning:literal $advice:literal;)*) => {
        /// Why a request was not answered as it should be.
        ///
        /// ```
        /// use churnkey_integrator::diagnose::{Cause, Side};
        ///
        /// let cause = Cause::PrefixStripped;
        /// assert_eq!(cause.name(), "prefix-stripped");
        /// assert!(cause.is_seen_from(Side::Inside));
        /// assert!(cause.advice().contains("external_prefix"));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $(#[doc = concat!("`", $name, "`: ", $meaning)] $variant,)*
        }

        impl Cause {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn row(self) -> Row {
                match self {
                    $(
                        Self::$variant => Row {
                            name: $name,
                            meaning: $meaning,
                            advice: $advice,
                            sides: &[$(Side::$side,)+],
                        },
                    )*
                }
            }
        }
    };
}

// Variant, name, from where it is seen, what it means, what to do.
causes! {
    WrongToken "wrong-token" from Outside Inside:
        "Caller and server have different tokens."
        "Compare both with the Integration Token in Churnkey's dashboard (Settings, Billing Providers, Custom Provider): \
         copy it to the side that has another one. A server reads it when it starts.";
    TokenWhitespace "token-whitespace" from Outside Inside:
        "One of the two has white space or a line feed around the token."
        "Store the token without blanks and without a line feed at its end, for example with `printf %s`.";
    ReplacedToken "replaced-token" from Outside Inside:
        "The request has the token that was replaced."
        "Copy the new token to the side that still has the old one: Churnkey's dashboard, or the server.";
    // From outside, this looks like a dropped header.
    SignatureRequired "signature-required" from Inside:
        "There is a plain token, but the server accepts signed requests only."
        "Sign the request, or remove `.require_signature()`.";
    OtherMode "other-mode" from Outside Inside:
        "The token or the signature is for the other mode: live instead of test, or test instead of live."
        "Use the token of the mode that is asked for, and forward X-Churnkey-Mode as it came.";
    ClockOffset "clock-offset" from Outside Inside:
        "The clocks of caller and server differ by more than the tolerance."
        "Set both clocks by NTP. If the clocks are right, an old request was sent again.";
    PrefixStripped "prefix-stripped" from Outside Inside:
        "Something in front removes a prefix from the path."
        "Name the prefix with `.external_prefix(..)` in the integration's code. Or mount the integration at the whole path, \
         and forward the path as it came. Or take the prefix out of the URL, and out of what is in front.";
    PrefixAdded "prefix-added" from Outside Inside:
        "Something in front adds a prefix to the path, or the caller did not sign the prefix."
        "Forward the path as it came, and sign the whole path. If an `.external_prefix(..)` is set that nothing removes, \
         drop it.";
    PathDecoded "path-decoded" from Outside Inside:
        "Something in front decodes percent-encoded characters of the path."
        "Forward the path as it came: in nginx, use `proxy_pass` without a path, which leaves the prefix in the path as \
         well.";
    PathEncoded "path-encoded" from Outside Inside:
        "Something in front percent-encodes characters of the path, or encodes them in another way."
        "Forward the path as it came, and sign the path exactly as it is sent. nginx encodes what a `rewrite` or an `if` \
         has captured: use `proxy_pass` without a path.";
    TrailingSlash "trailing-slash" from Outside Inside:
        "Something in front adds or removes a slash at the end of the path."
        "Turn off the normalization of slashes in front.";
    QueryReordered "query-reordered" from Outside Inside:
        "Something in front changes the order of the query's parameters."
        "Forward the query as it came: a cache key may be sorted, the request may not.";
    QueryDropped "query-dropped" from Outside Inside:
        "The query is missing on the way, or in what was signed."
        "Forward the query as it came, and sign the path with its query.";
    MethodChanged "method-changed" from Outside Inside:
        "Something in front changes the method."
        "Forward the method as it came. A redirect may turn a POST into a GET: call the final URL.";
    ModeHeaderDropped "mode-header-dropped" from Outside Inside:
        "Something in front removes X-Churnkey-Mode."
        "Let X-Churnkey-Mode through: add it to the headers that are forwarded, or stop emptying it.";
    SignatureHeaderDropped "signature-header-dropped" from Outside Inside:
        "Something in front removes X-Churnkey-Signature."
        "Let X-Churnkey-Signature through: add it to the headers that are forwarded, or stop emptying it.";
    TimestampHeaderDropped "timestamp-header-dropped" from Outside Inside:
        "Something in front removes X-Churnkey-Timestamp."
        "Let X-Churnkey-Timestamp through: add it to the headers that are forwarded, or stop emptying it.";
    AuthorizationDropped "authorization-dropped" from Outside Inside:
        "Something in front removes or replaces Authorization, or the caller sends no credential that the server reads."
        "Let Authorization through. If the token is in another header, name it with `.token_header(..)`.";
    BodyChanged "body-changed" from Outside Inside:
        "Something in front writes the body anew, or the caller signed other bytes than it sent."
        "Forward the body byte by byte, and sign the bytes that are sent.";
    BodyCap "body-cap" from Outside:
        "Something in front refuses a body that the server would accept."
        "Raise the limit in front to 64 KiB at least: in nginx, `client_max_body_size 64k;`.";
    Redirect "redirect" from Outside:
        "The URL answers with a redirect."
        "Enter the URL that the redirect leads to. Neither a credential nor a POST survives a redirect.";
    NotThisIntegration "not-this-integration" from Outside:
        "Another program answers at this URL."
        "Compare host, port and path with where the integration is mounted.";
    Dns "dns" from Outside:
        "The host's name has no address."
        "Compare the name with the DNS record, and wait until a new record is known.";
    ConnectionRefused "connection-refused" from Outside:
        "Nothing listens at this address and port."
        "Start the server, and compare address, port and firewall.";
    TlsExpired "tls-expired" from Outside:
        "The certificate has expired, or is not valid yet."
        "Renew the certificate, reload the server, and compare the clocks.";
    TlsName "tls-name" from Outside:
        "The certificate is for another name."
        "Use a certificate with this host's name, or the name that the certificate has.";
    TlsIssuer "tls-issuer" from Outside:
        "The certificate's issuer is not trusted."
        "Use a certificate of a public authority, and serve the intermediate certificates with it.";
    PlainHttpOnTls "plain-http-on-tls" from Outside:
        "One side speaks http, and the other https."
        "Use the scheme that this port speaks.";
    Timeout "timeout" from Outside:
        "No answer came in time, or the connection was closed without one."
        "Look whether a firewall drops the packets, whether the server is overloaded, and what its log says.";
    ServerError "server-error" from Outside:
        "The server answered with a 5xx."
        "Look the request id up in the server's log.";
}

impl Cause {
    /// Every cause, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied()
    }

    /// The name in logs and reports, such as `prefix-stripped`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it means, in one sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What to do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.row().advice
    }

    /// Whether it can be seen from there.
    #[must_use]
    pub fn is_seen_from(self, side: Side) -> bool {
        self.row().sides.contains(&side)
    }
}

/// Writes the name.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
