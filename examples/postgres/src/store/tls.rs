//! TLS to the database, as libpq's `sslmode` and `sslrootcert` in the address ask for it.
//!
//! | `sslmode` | Encrypted | The server's certificate |
//! | --- | --- | --- |
//! | `disable` | no | – |
//! | `prefer`, the default | if the server offers it | not verified |
//! | `require` | always | not verified; with `sslrootcert`, as `verify-ca` |
//! | `verify-ca` | always | signed by an authority in the file that `sslrootcert` names, for any host |
//! | `verify-full` | always | signed by one in that file, or by one that the system trusts, for this host's name |
//!
//! Without verification, TLS protects against eavesdropping, but not against a server that impersonates this one. A Unix socket has
//! no TLS, and needs none. libpq's `sslmode=allow`, its default file `~/.postgresql/root.crt` and client certificates are not
//! supported. A verified certificate has to be of X.509 version 3 and have the host's name as a `subjectAltName`. A self-signed
//! certificate can be named as `sslrootcert` only if it was not made as an authority
//! (`openssl req -x509 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:..`).

use std::{error::Error, fs, io, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// A parsed address.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) connector: MakeRustlsConnect,
    /// For the log.
    pub(super) protection: &'static str,
}

/// What is verified of the server's certificate.
enum Verified {
    Nothing,
    Authority(RootCertStore),
    AuthorityAndName(RootCertStore),
}

impl Target {
    pub(super) fn read(address: &str) -> Result<Self, StoreError> {
        let (address, asked) = Asked::split_off(address).ok_or(StoreError::Address)?;
        // The parser's own message may repeat a part of the password.
        let mut config: Config = address.parse().map_err(|_| StoreError::Address)?;
        // A host that is given only by its IP address is verified by that.
        if config.get_hosts().is_empty() {
            for number in config.get_hostaddrs().to_vec() {
                config.host(number.to_string());
            }
        }
        let hosts = config.get_hosts();
        if hosts.is_empty() {
            return Err(StoreError::Address);
        }
        let is_local = hosts.iter().all(|host| !matches!(host, Host::Tcp(_)));
        let (mut mode, verified, mut protection) = asked.protection()?;
        if is_local {
            (mode, protection) = (SslMode::Disable, "over a Unix socket, without TLS");
        }
        config.ssl_mode(mode);
        Ok(Self {
            config,
            connector: connector(verified)?,
            protection,
        })
    }
}

/// The parameters of an address that tokio-postgres does not support, or not with all values.
#[derive(Debug, Default)]
struct Asked {
    mode: Option<String>,
    authorities: Option<String>,
}

impl Asked {
    /// Removes them from an address of either form.
    fn split_off(address: &str) -> Option<(String, Self)> {
        let mut asked = Self::default();
        let is_url = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| address.starts_with(scheme));
        let rest = if is_url {
            asked.take_from_url(address)?
        } else {
            asked.take_from_pairs(address)
        };
        Some((rest, asked))
    }

    /// Reads it as tokio-postgres does: user and password end at the first `@`, whatever comes before it.
    fn take_from_url(&mut self, url: &str) -> Option<String> {
        let host = url.find('@').map_or(0, |at| at + 1);
        let (credentials, rest) = url.split_at_checked(host)?;
        if credentials.contains("sslmode=") || credentials.contains("sslrootcert=") {
            // An `@` among the parameters: they would be read as a part of the user's name.
            return None;
        }
        let Some((place, query)) = rest.split_once('?') else {
            return Some(url.to_owned());
        };
        let others = query.split('&').filter(|parameter| {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            !self.take(&decoded(key), decoded(value))
        });
        let others: Vec<&str> = others.collect();
        Some(format!("{credentials}{place}?{}", others.join("&")))
    }

    fn take_from_pairs(&mut self, pairs: &str) -> String {
        let mut others = Vec::new();
        let mut rest = pairs.trim_start();
        while !rest.is_empty() {
            // tokio-postgres refuses what can't be parsed.
            let (key, value, next) = pair(rest).unwrap_or((rest, String::new(), ""));
            let (this, next) = rest.split_at(rest.len() - next.len());
            if !self.take(key, value) {
                others.push(this);
            }
            rest = next.trim_start();
        }
        others.join(" ")
    }

    /// Keeps a parameter of these. If it is repeated, the last one counts.
    fn take(&mut self, key: &str, value: String) -> bool {
        match key {
            "sslmode" => self.mode = Some(value),
            "sslrootcert" => self.authorities = Some(value),
            _ => return false,
        }
        true
    }

    fn protection(&self) -> Result<(SslMode, Verified, &'static str), StoreError> {
        let mode = self.mode.as_deref().unwrap_or("prefer");
        Ok(match (mode, self.authorities.as_deref()) {
            ("disable", None) => (SslMode::Disable, Verified::Nothing, "without TLS"),
            ("prefer", None) => (
                SslMode::Prefer,
                Verified::Nothing,
                "with TLS if the server offers it, certificate not verified",
            ),
            ("require", None) => (
                SslMode::Require,
                Verified::Nothing,
                "with TLS, certificate not verified",
            ),
            ("verify-full", None | Some("system")) => (
                SslMode::Require,
                Verified::AuthorityAndName(system_authorities()?),
                "with TLS, certificate and host name verified",
            ),
            ("verify-full", Some(file)) => (
                SslMode::Require,
                Verified::AuthorityAndName(authorities(file)?),
                "with TLS, certificate and host name verified",
            ),
            // Anybody can get a certificate of a public authority, for another host.
            ("verify-ca", None) | ("require" | "verify-ca", Some("system")) => {
                return Err(StoreError::Tls(
                    "authorities that everybody trusts need sslmode=verify-full, and sslmode=verify-ca an sslrootcert",
                ));
            }
            ("require" | "verify-ca", Some(file)) => (
                SslMode::Require,
                Verified::Authority(authorities(file)?),
                "with TLS, certificate verified, host name not",
            ),
            ("disable" | "prefer", Some(_)) => {
                return Err(StoreError::Tls(
                    "sslrootcert needs sslmode=require, verify-ca or verify-full",
                ));
            }
            _ => {
                return Err(StoreError::Tls(
                    "sslmode must be disable, prefer, require, verify-ca or verify-full",
                ));
            }
        })
    }
}

/// The first pair of `key=value key='value'`, and the rest.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (key, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let quoted = rest.strip_prefix('\'');
    let mut characters = quoted.unwrap_or(rest).chars();
    let mut value = String::new();
    loop {
        let before = characters.as_str();
        match characters.next() {
            None if quoted.is_some() => return None,
            None => break,
            Some('\'') if quoted.is_some() => break,
            Some(space) if quoted.is_none() && space.is_whitespace() => {
                return Some((key.trim_end(), value, before));
            }
            Some('\\') => value.extend(characters.next()),
            Some(other) => value.push(other),
        }
    }
    Some((key.trim_end(), value, characters.as_str()))
}

fn authorities(file: &str) -> Result<RootCertStore, StoreError> {
    let unreadable = StoreError::Tls("the file that sslrootcert names can't be read");
    let text = fs::read(file).map_err(|_| unreadable)?;
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let added = certificate.map(|certificate| authorities.add(certificate));
        if !matches!(added, Ok(Ok(()))) {
            return Err(NO_AUTHORITY);
        }
    }
    if authorities.is_empty() {
        return Err(NO_AUTHORITY);
    }
    Ok(authorities)
}

const NO_AUTHORITY: StoreError =
    StoreError::Tls("the file that sslrootcert names must hold certificates in PEM form alone");

fn system_authorities() -> Result<RootCertStore, StoreError> {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if authorities.is_empty() {
        return Err(StoreError::Tls(
            "this system has no list of authorities to trust: name a file of them with sslrootcert",
        ));
    }
    Ok(authorities)
}

fn connector(verified: Verified) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| StoreError::Tls("no version of TLS is built in"))?;
    let builder =
        match verified {
            Verified::AuthorityAndName(authorities) => builder.with_root_certificates(authorities),
            Verified::Authority(authorities) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyName {
                    provider,
                    authorities: Some(authorities),
                })),
            Verified::Nothing => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyName {
                    provider,
                    authorities: None,
                })),
        };
    let mut config = builder.with_no_client_auth();
    // For `sslnegotiation=direct`, where PostgreSQL insists on it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

/// Accepts a certificate for any name. Without authorities it accepts any certificate, even one that can't be parsed, and does not
/// check that the server has its key: that would say nothing about who the server is.
#[derive(Debug)]
struct AnyName {
    provider: Arc<CryptoProvider>,
    authorities: Option<RootCertStore>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(authorities) = &self.authorities {
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(certificate)?,
                authorities,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.authorities.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.authorities.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// What to do if TLS failed. The error's own text may name hosts.
pub(super) fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    let source = error.source()?;
    // tokio-postgres has no error kind for this.
    if source.to_string() == "server does not support TLS" {
        return Some(
            "the server offers no TLS, which the address requires: set ssl = on in its postgresql.conf",
        );
    }
    let refused = source.downcast_ref::<io::Error>()?.get_ref()?;
    Some(match refused.downcast_ref::<rustls::Error>()? {
        // The signature does not fit if an authority of the same name has another key.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => {
            "the server's certificate is not signed by an authority that is trusted here: \
            name the file with its authority's certificate as sslrootcert"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "the server's certificate does not hold this host's name as a subjectAltName: connect by a name that it \
            holds, or write sslmode=verify-ca with its authority's own file as sslrootcert"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the server's certificate has expired",
        rustls::Error::InvalidCertificate(_) => {
            "the server's certificate was refused: it has to be of X.509 version 3, and not an authority's own; \
            RUST_LOG=debug shows more"
        }
        _ => {
            "the server and this program do not agree on TLS: RUST_LOG=debug shows why, and sslmode=disable \
            in the address goes without it"
        }
    })
}
