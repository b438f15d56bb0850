//! Why no answer came.

use std::{error::Error, io};

use churnkey_integrator::diagnose::Cause;
use rustls::{CertificateError, Error as TlsError};

use super::Finding;
use crate::{connection::Target, output::chain};

/// What a request that was not answered shows. A name is looked up again, since nothing else tells that it has no address.
pub(super) async fn why(error: &reqwest::Error, target: &Target, is_resolved: bool) -> Finding {
    if let Some(error) = source::<TlsError>(error) {
        return of_tls(error);
    }
    if error.is_timeout() {
        return Finding::new(Cause::Timeout, "no answer came in time");
    }
    if !error.is_connect() {
        let closed = "the connection was accepted, and then closed without an answer";
        return Finding::new(Cause::Timeout, format!("{closed} ({})", chain(error)));
    }
    let (host, port) = (target.host(), target.port());
    // An IPv6 address has brackets in a URL.
    let name = host.trim_matches(['[', ']']);
    if !is_resolved && tokio::net::lookup_host((name, port)).await.is_err() {
        return Finding::new(Cause::Dns, format!("{host} has no address"));
    }
    match source::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Finding::new(
            Cause::Timeout,
            "the connection was accepted, and then closed during the TLS handshake",
        ),
        Some(io::ErrorKind::ConnectionRefused) | None => Finding::new(
            Cause::ConnectionRefused,
            format!("nothing listens at {host}, port {port}"),
        ),
        Some(_) => Finding::new(
            Cause::ConnectionRefused,
            format!("{host}, port {port}, can't be reached ({})", chain(error)),
        ),
    }
}

fn of_tls(error: &TlsError) -> Finding {
    use CertificateError as Certificate;
    let cause = match error {
        TlsError::InvalidMessage(_) => {
            let detail = "the URL says https, and the server does not speak TLS at this port";
            return Finding::new(Cause::PlainHttpOnTls, detail);
        }
        TlsError::InvalidCertificate(certificate) => match certificate {
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. } => Cause::TlsExpired,
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                Cause::TlsName
            }
            _ => Cause::TlsIssuer,
        },
        _ => {
            let detail = format!("the server broke the TLS handshake off ({error})");
            return Finding::new(Cause::Timeout, detail);
        }
    };
    Finding::new(cause, error.to_string())
}

/// Whether the error tells that the server speaks TLS: everything but another protocol does.
pub(super) fn speaks_tls(error: &reqwest::Error) -> bool {
    source::<TlsError>(error).is_some_and(|error| !matches!(error, TlsError::InvalidMessage(_)))
}

/// The first cause of this type.
fn source<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An I/O error passes over what it wraps, and names the source of that.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
