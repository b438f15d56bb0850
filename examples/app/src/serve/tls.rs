//! The server's certificate and key.

// ANCHOR: tls
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

/// TLS can't be served with these files.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTls {
    /// The certificates can't be read.
    #[error("can't read the certificates in {file}: {source}; --tls-cert names a file in PEM form")]
    Certificates {
        /// The file as it was given.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The key can't be read.
    #[error("can't read the private key in {file}: {source}; --tls-key names a file in PEM form")]
    Key {
        /// The file as it was given.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The two do not fit.
    #[error(
        "can't use the certificate in {certificates} with the key in {key}: {source}; give both of one server"
    )]
    Unusable {
        /// The file with the certificates.
        certificates: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
}

/// Reads a server's certificate, followed by those between it and its authority, and its key. Clients choose HTTP/2
/// or HTTP/1.1 by ALPN.
///
/// # Errors
/// [`InvalidTls`] names the file that is wrong.
pub fn tls_acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, InvalidTls> {
    let unreadable = |source| InvalidTls::Certificates {
        file: certificates.to_owned(),
        source,
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificates)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if chain.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| InvalidTls::Key {
        file: key.to_owned(),
        source,
    })?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config
                .with_no_client_auth()
                .with_single_cert(chain, private)
        });
    let mut config = config.map_err(|source| InvalidTls::Unusable {
        certificates: certificates.to_owned(),
        key: key.to_owned(),
        source,
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
// ANCHOR_END: tls
