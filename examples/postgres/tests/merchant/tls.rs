//! Whether connections are encrypted, and what is verified of the server.

use std::{fs, path::Path};

use churnkey_integrator::Mode;
use postgres::store::{Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use throwaway_postgres::ThrowawayPostgres;

use crate::{
    process::{Running, program},
    sql,
};

/// An authority, and the file with its certificate.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        // A name that has to be encoded in a URL, and quoted in pairs.
        let dir = tempfile::Builder::new()
            .prefix("authority's files ")
            .tempdir()
            .unwrap();
        fs::write(dir.path().join("root.crt"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { issuer, dir }
    }

    fn file(&self) -> String {
        let file = self.dir.path().join("root.crt");
        file.to_str().unwrap().to_owned()
    }

    /// Starts a server with a certificate for this name or number.
    fn server(&self, name: &str) -> ThrowawayPostgres {
        self.server_with(&CertificateParams::new([name.to_owned()]).unwrap())
    }

    fn server_with(&self, params: &CertificateParams) -> ThrowawayPostgres {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        ThrowawayPostgres::start_with_tls(&certificate.pem(), &key.serialize_pem())
    }
}

/// The server's address with these parameters, under another name of its host.
fn address(server: &ThrowawayPostgres, host: &str, parameters: &[(&str, &str)]) -> String {
    let url = server.url().replace("127.0.0.1", host);
    let encode = |text: &str| text.replace(' ', "%20").replace('\'', "%27");
    let parameters = parameters.iter();
    let parameters = parameters.map(|(key, value)| format!("{key}={}", encode(value)));
    let parameters: Vec<String> = parameters.collect();
    format!("{url}?{}", parameters.join("&"))
}

/// Connects as the program does when it starts.
async fn connect(address: &str) -> Result<Store, StoreError> {
    let store = Store::connect(address)?;
    store.migrate().await?;
    Ok(store)
}

/// Whether the store's connections are encrypted, as the server sees them.
async fn encrypted(server: &ThrowawayPostgres) -> Vec<bool> {
    let connections = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'churnkey'";
    let sql = sql(&server.url()).await;
    let rows = sql.query(connections, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

const UNTRUSTED: &str = "migrating the database failed: the server's certificate is not signed by an authority that is \
    trusted here: name the file with its authority's certificate as sslrootcert";
const OTHER_NAME: &str = "migrating the database failed: the server's certificate does not hold this host's name as a \
    subjectAltName: connect by a name that it holds, or write sslmode=verify-ca with its authority's own file as sslrootcert";
const STRANGE: &str = "migrating the database failed: the server's certificate was refused: it has to be of X.509 version 3, \
    and not an authority's own; RUST_LOG=debug shows more";
const NO_TLS: &str = "migrating the database failed: the server offers no TLS, which the address requires: set ssl = on in \
    its postgresql.conf";

#[tokio::test]
async fn what_the_address_demands_of_the_server_is_verified() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = ours.server("localhost");
    let (ours, theirs) = (ours.file(), theirs.file());
    let (ours, theirs) = (Some(ours.as_str()), Some(theirs.as_str()));
    for (mode, file, host, expected) in [
        (Some("verify-full"), ours, "localhost", Ok(true)),
        (Some("verify-full"), ours, "127.0.0.1", Err(OTHER_NAME)),
        (Some("verify-full"), theirs, "localhost", Err(UNTRUSTED)),
        (Some("verify-full"), None, "localhost", Err(UNTRUSTED)),
        (
            Some("verify-full"),
            Some("system"),
            "localhost",
            Err(UNTRUSTED),
        ),
        (Some("verify-ca"), ours, "127.0.0.1", Ok(true)),
        (Some("verify-ca"), theirs, "localhost", Err(UNTRUSTED)),
        (Some("require"), ours, "127.0.0.1", Ok(true)),
        (Some("require"), theirs, "localhost", Err(UNTRUSTED)),
        (Some("require"), None, "127.0.0.1", Ok(true)),
        (Some("prefer"), None, "127.0.0.1", Ok(true)),
        (None, None, "127.0.0.1", Ok(true)),
        (Some("disable"), None, "127.0.0.1", Ok(false)),
    ] {
        let mode_and_file = [("sslmode", mode), ("sslrootcert", file)];
        let parameters = mode_and_file.into_iter();
        let parameters: Vec<_> = parameters
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        let connected = connect(&address(&server, host, &parameters)).await;
        match (connected, expected) {
            (Ok(store), Ok(is_encrypted)) => {
                assert_eq!(encrypted(&server).await, [is_encrypted], "{mode:?} {host}");
                drop(store);
            }
            (Err(error), Err(expected)) => {
                assert_eq!(error.to_string(), expected, "{mode:?} {host}");
                assert_eq!(encrypted(&server).await, [false; 0]);
            }
            (connected, _) => panic!("{mode:?} {host}: {connected:?}"),
        }
        gone(&server).await;
    }
}

/// Waits until the store's connections have ended.
async fn gone(server: &ThrowawayPostgres) {
    let begun = std::time::Instant::now();
    while !encrypted(server).await.is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_certificate_for_a_number_holds_for_that_number() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1");
    let file = authority.file();
    let full = [("sslmode", "verify-full"), ("sslrootcert", &*file)];
    let store = connect(&address(&server, "127.0.0.1", &full)).await;
    assert_eq!(encrypted(&server).await, [true]);
    drop(store.unwrap());
    let error = connect(&address(&server, "localhost", &full)).await;
    assert_eq!(error.unwrap_err().to_string(), OTHER_NAME);
}

#[tokio::test]
async fn the_other_form_of_address_says_the_same() {
    let authority = Authority::new();
    let server = authority.server("localhost");
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    let port = port.strip_suffix("/postgres").unwrap();
    let file = authority.file().replace('\'', "\\'");
    for host in ["host=localhost", "host = localhost hostaddr='127.0.0.1'"] {
        let pairs = format!(
            "user=postgres sslrootcert = '{file}' {host}\tsslmode=verify-full port={port} dbname=postgres"
        );
        let store = connect(&pairs).await.unwrap();
        assert_eq!(encrypted(&server).await, [true], "{host}");
        drop(store);
        gone(&server).await;
    }
    // The last one counts, as in libpq; a number alone is the name that is verified.
    let number = format!(
        "user=postgres sslmode=disable hostaddr=127.0.0.1 port={port} sslmode='verify-full' sslrootcert='{file}'"
    );
    let error = connect(&number).await.unwrap_err();
    assert_eq!(error.to_string(), OTHER_NAME);
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_the_address_requires_it() {
    let server = ThrowawayPostgres::start();
    let authority = Authority::new();
    let file = authority.file();
    for parameters in [
        vec![("sslmode", "require")],
        vec![("sslmode", "verify-ca"), ("sslrootcert", &*file)],
        vec![("sslmode", "verify-full"), ("sslrootcert", &*file)],
    ] {
        let error = connect(&address(&server, "localhost", &parameters)).await;
        assert_eq!(error.unwrap_err().to_string(), NO_TLS, "{parameters:?}");
    }
    let store = connect(&address(&server, "localhost", &[("sslmode", "prefer")])).await;
    assert_eq!(encrypted(&server).await, [false]);
    drop(store.unwrap());
}

#[tokio::test]
async fn a_certificate_that_nobody_verifies_may_be_any() {
    let authority = Authority::new();
    // rustls refuses it, as it does certificates of X.509 version 1, which openssl makes by default.
    let mut strange = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    strange.set_criticality(true);
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.custom_extensions.push(strange);
    let server = authority.server_with(&params);
    for parameters in [vec![], vec![("sslmode", "require")]] {
        let store = connect(&address(&server, "localhost", &parameters)).await;
        store.unwrap();
        gone(&server).await;
    }
    let file = authority.file();
    for mode in ["require", "verify-ca", "verify-full"] {
        let parameters = [("sslmode", mode), ("sslrootcert", &*file)];
        let error = connect(&address(&server, "localhost", &parameters)).await;
        assert_eq!(error.unwrap_err().to_string(), STRANGE, "{mode}");
    }
}

#[tokio::test]
async fn a_unix_socket_needs_no_tls() {
    let authority = Authority::new();
    let server = authority.server("localhost");
    let sql = sql(&server.url()).await;
    let place = "SELECT current_setting('unix_socket_directories'), current_setting('port')";
    let place = sql.query_one(place, &[]).await.unwrap();
    let (dir, port): (String, String) = (place.get(0), place.get(1));
    let address = format!("host={dir} port={port} user=postgres dbname=postgres sslmode=require");
    let store = connect(&address).await.unwrap();
    assert_eq!(encrypted(&server).await, [false]);
    drop(store);
}

#[tokio::test]
async fn the_requests_of_a_store_are_encrypted_too() {
    let authority = Authority::new();
    let server = authority.server("localhost");
    let file = authority.file();
    let full = [("sslmode", "verify-full"), ("sslrootcert", &*file)];
    let store = connect(&address(&server, "localhost", &full))
        .await
        .unwrap();
    assert!(crate::load_demo(&store).await);
    let client = crate::client(&store);
    let reads: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get("/churnkey/customers/cus_ada").await.status() })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap(), 200);
    }
    let test = client.in_mode(Mode::Test);
    assert_eq!(test.get("/churnkey/customers/cus_test").await.status(), 200);
    let encrypted = encrypted(&server).await;
    assert!(
        encrypted.len() > 1 && encrypted.iter().all(|it| *it),
        "{encrypted:?}"
    );
}

#[test]
fn what_an_address_can_not_have_of_tls_is_said() {
    let authority = Authority::new();
    let (file, dir) = (authority.file(), authority.dir.path());
    let not_pem = dir.join("not.pem");
    fs::write(&not_pem, "hunter2").unwrap();
    let broken = dir.join("broken.pem");
    let certificate = fs::read_to_string(&file).unwrap();
    fs::write(
        &broken,
        certificate.clone() + &certificate.replace('M', "N"),
    )
    .unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let unknown = "sslmode must be disable, prefer, require, verify-ca or verify-full";
    let alone = "sslrootcert needs sslmode=require, verify-ca or verify-full";
    let trusted = "authorities that everybody trusts need sslmode=verify-full, and sslmode=verify-ca an sslrootcert";
    let missing = "the file that sslrootcert names can't be read";
    let no_pem = "the file that sslrootcert names must hold certificates in PEM form alone";
    for (parameters, expected) in [
        ("sslmode=verify".to_owned(), unknown),
        ("sslmode=allow".to_owned(), unknown),
        ("sslmode=".to_owned(), unknown),
        ("sslmode=require&sslmode=hunter2".to_owned(), unknown),
        (format!("sslrootcert={file}"), alone),
        (format!("sslmode=prefer&sslrootcert={file}"), alone),
        (format!("sslmode=disable&sslrootcert={file}"), alone),
        ("sslmode=verify-ca".to_owned(), trusted),
        ("sslmode=verify-ca&sslrootcert=system".to_owned(), trusted),
        ("sslmode=require&sslrootcert=system".to_owned(), trusted),
        (
            format!("sslmode=require&sslrootcert={}", text(&dir.join("hunter2"))),
            missing,
        ),
        (
            format!("sslmode=require&sslrootcert={}", text(&not_pem)),
            no_pem,
        ),
        (
            format!("sslmode=require&sslrootcert={}", text(&broken)),
            no_pem,
        ),
    ] {
        let parameters = parameters.replace(' ', "%20");
        let error = Store::connect(&format!("postgres://user@host/db?{parameters}")).unwrap_err();
        let expected = format!("the database's address can't be used: {expected}");
        assert_eq!(error.to_string(), expected, "{parameters}");
        assert!(matches!(error, StoreError::Tls(_)));
    }
    // Its `@` would make the parameters a part of the user's name.
    let lost = "postgres://host/db?sslmode=verify-full&application_name=a@b";
    let error = Store::connect(lost).unwrap_err();
    assert!(matches!(error, StoreError::Address), "{error:?}");
}

#[test]
fn the_program_trusts_the_systems_authorities_and_says_what_it_verifies() {
    let authority = Authority::new();
    let server = authority.server("localhost");
    let full = address(&server, "localhost", &[("sslmode", "verify-full")]);
    let start = |address: &str| {
        let mut program = program();
        program.env("DATABASE_URL", address);
        program
    };
    // The variables of OpenSSL, besides the system's own list.
    let file = authority.file();
    let mut running = Running::start(start(&full).env("SSL_CERT_FILE", &file));
    running.address();
    let (code, _, log) = running.terminate();
    assert_eq!(code, Some(0), "{log}");
    let said = "connecting to PostgreSQL with TLS, certificate and host name verified";
    assert!(log.contains(said), "{log}");

    let mut refused = Running::start(&mut start(&full));
    assert_eq!(refused.line(), "");
    let (code, _, log) = refused.terminate();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(UNTRUSTED), "{log}");

    let root = ("sslrootcert", &*file);
    for (parameters, said) in [
        (
            vec![],
            "with TLS if the server offers it, certificate not verified",
        ),
        (vec![("sslmode", "disable")], "without TLS"),
        (
            vec![("sslmode", "require")],
            "with TLS, certificate not verified",
        ),
        (
            vec![("sslmode", "verify-ca"), root],
            "with TLS, certificate verified, host name not",
        ),
    ] {
        let mut running = Running::start(&mut start(&address(&server, "localhost", &parameters)));
        running.address();
        let (code, _, log) = running.terminate();
        assert_eq!(code, Some(0), "{log}");
        let said = format!("connecting to PostgreSQL {said}\n");
        assert!(log.contains(&said), "{log}");
    }
}
