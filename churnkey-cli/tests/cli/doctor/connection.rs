//! No connection comes about, or nothing comes over it.

use std::{net::TcpListener, thread};

use super::{
    certificates::{Authority, NAME, expired, not_valid_yet, valid},
    setup::{Setup, at, direct},
};
use crate::tls;

/// Nothing listens there, as nobody uses port 1.
fn closed() -> Setup {
    at(([127, 0, 0, 1], 1).into())
}

/// Connections are accepted by the operating system, and nobody reads them.
fn silent() -> Setup {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    at(listener.local_addr().unwrap()).keeping(listener)
}

/// Connections are accepted, then closed.
fn closing() -> Setup {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    at(address)
}

/// A server of this authority, whose certificate is trusted.
fn trusted(authority: &Authority, setup: Setup) -> Setup {
    setup.with(&["--ca", &authority.file()])
}

sabotages! {
    Dns the_name_has_no_address: direct().named("no-such-merchant.invalid");
    ConnectionRefused nothing_listens: closed();
    ConnectionRefused nothing_listens_at_an_ipv6_address: closed().named("[::1]");
    Timeout nobody_answers: silent().with(&["--timeout", "1"]);
    Timeout the_connection_is_closed: closing();
    TlsExpired the_certificate_has_expired: {
        let authority = Authority::new("Acme");
        trusted(&authority, authority.serves(NAME, expired)).keeping(authority)
    };
    TlsExpired the_certificate_is_not_valid_yet: {
        let authority = Authority::new("Acme");
        trusted(&authority, authority.serves(NAME, not_valid_yet)).keeping(authority)
    };
    TlsName the_certificate_is_for_another_name: {
        let authority = Authority::new("Acme");
        trusted(&authority, authority.serves("www.example.com", valid)).keeping(authority)
    };
    TlsIssuer nobody_knows_the_issuer: {
        let (authority, other) = (Authority::new("Acme"), Authority::new("Other"));
        trusted(&other, authority.serves(NAME, valid)).keeping(other)
    };
    TlsIssuer the_issuer_has_a_new_key: {
        let (authority, old) = (Authority::new("Acme"), Authority::new("Acme"));
        trusted(&old, authority.serves(NAME, valid)).keeping(old)
    };
    TlsIssuer the_intermediate_certificate_is_missing: {
        let authority = Authority::new("Acme");
        trusted(&authority, authority.intermediate("Acme, servers").serves(NAME, valid)).keeping(authority)
    };
    PlainHttpOnTls https_is_spoken_on_a_plain_port: direct().over_tls(NAME);
    PlainHttpOnTls http_is_spoken_on_a_tls_port: at(tls::start().0);
    PlainHttpOnTls http_is_spoken_on_a_tls_port_of_nginx:
        Authority::new("Acme").serves(NAME, valid).over_http();
}
