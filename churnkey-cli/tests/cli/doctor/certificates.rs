//! Certificates of an authority of our own.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::setup::{Setup, direct};

/// The name for which certificates are made.
pub(super) const NAME: &str = "billing.example.com";

/// An authority, whose certificate is a PEM file.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: TempDir,
}

fn for_an_authority(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let parameters = for_an_authority(name);
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(parameters, key),
            pem: certificate.pem(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// An authority that this one vouches for.
    pub(super) fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let parameters = for_an_authority(name);
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        Self {
            issuer: Issuer::new(parameters, key),
            pem: certificate.pem(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Its certificate, for `--ca`.
    pub(super) fn file(&self) -> String {
        let file = self.folder.path().join("authority.pem");
        fs::write(&file, &self.pem).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// The example behind an nginx with a certificate of this authority.
    pub(super) fn serves(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Setup {
        self.serves_with("ssl", name, change)
    }

    /// The same, with parameters of nginx's `listen`.
    pub(super) fn serves_with(
        &self,
        listen: &str,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Setup {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let file = folder.path().join(name);
            fs::write(&file, content).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let configuration = format!(
            "server {{ listen 8080 {listen}; ssl_certificate {}; ssl_certificate_key {};\n\
             location / {{ proxy_pass http://127.0.0.1:3000; }} }}",
            file("certificate.pem", &certificate.pem()),
            file("key.pem", &key.serialize_pem()),
        );
        direct().behind_nginx(&configuration).over_tls(NAME)
    }
}

impl Authority {
    /// The example behind an nginx that answers 400 to a caller without a certificate.
    pub(super) fn asking_callers(&self) -> Setup {
        let parameters = format!(
            "ssl; ssl_verify_client on; ssl_client_certificate {}",
            self.file()
        );
        let setup = self.serves_with(&parameters, NAME, valid);
        setup.with(&["--ca", &self.file()])
    }
}

/// It was valid for a month.
pub(super) fn expired(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2020, 2, 1);
}

/// It will be valid.
pub(super) fn not_valid_yet(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2100, 1, 1);
    parameters.not_after = date_time_ymd(2100, 2, 1);
}

/// It is valid.
pub(super) fn valid(_: &mut CertificateParams) {}
