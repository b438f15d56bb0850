//! The service that calls a URL: HTTP/1.1, over TLS if it is `https`, without redirects and proxies.

use std::{error::Error, sync::Arc, time::Duration};

use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use reqwest::{Url, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};
use rustls_native_certs::CertificateResult;
use tower::{BoxError, Service, service_fn};

use crate::transport::{RequestBody, chain};

/// Longer than any integration's own deadline should be.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Why a URL can't be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not an `http` or `https` URL with a host, or it has a user name, a query or a fragment.
    #[error(
        "this is not the URL of an integration: write it like https://staging.example.com or \
         http://127.0.0.1:3000/churnkey, without a user name and a query"
    )]
    Invalid,
    /// It is `https`, and the machine has no root certificates to check the server's with.
    #[error(
        "this machine has no root certificates ({reason}): install its package of them, often ca-certificates, or name \
         a PEM file of them in SSL_CERT_FILE"
    )]
    #[non_exhaustive]
    NoRootCertificates {
        /// What was looked for.
        reason: String,
    },
    /// The HTTP client can't be set up.
    #[error(
        "the HTTP client can't be set up, so call the integration in process instead: {reason}"
    )]
    #[non_exhaustive]
    NoClient {
        /// What the client says.
        reason: String,
    },
}

impl UrlError {
    fn no_client(error: &(dyn Error + 'static)) -> Self {
        Self::NoClient {
            reason: chain(error),
        }
    }
}

/// The origin, and the path behind it without a slash at its end.
pub(crate) fn split(url: &str) -> Result<(String, String), UrlError> {
    let uri: Uri = url.parse().map_err(|_| UrlError::Invalid)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(UrlError::Invalid);
    };
    if !matches!(scheme, "http" | "https")
        || authority.host().is_empty()
        || authority.as_str().contains('@')
        || uri.query().is_some()
        || url.contains('#')
    {
        return Err(UrlError::Invalid);
    }
    let path = uri.path().trim_end_matches('/').to_owned();
    Ok((format!("{scheme}://{authority}"), path))
}

/// The certificates that the machine trusts, if the origin needs any.
pub(crate) fn roots(origin: &str) -> Result<Vec<CertificateDer<'static>>, UrlError> {
    if origin.starts_with("http://") {
        return Ok(Vec::new());
    }
    trusted(rustls_native_certs::load_native_certs())
}

fn trusted(found: CertificateResult) -> Result<Vec<CertificateDer<'static>>, UrlError> {
    if found.certs.is_empty() {
        let reason = match found.errors.first() {
            Some(error) => chain(error),
            None => "none were found".to_owned(),
        };
        return Err(UrlError::NoRootCertificates { reason });
    }
    Ok(found.certs)
}

/// A service that calls an origin. A server's certificate has to lead to one of the roots.
pub(crate) fn service(
    origin: String,
    roots: Vec<CertificateDer<'static>>,
) -> Result<
    impl Service<
        Request<RequestBody>,
        Response = Response<reqwest::Body>,
        Error = BoxError,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + 'static,
    UrlError,
> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    // The provider is named here, so that the process's own choice stays what it is.
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| UrlError::no_client(&error))?
        .with_root_certificates(store)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        // The token is for the host in the URL and for nobody on the way.
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| UrlError::no_client(&error))?;
    Ok(service_fn(move |request: Request<RequestBody>| {
        let call = call(client.clone(), origin.clone(), request);
        async move { call.await.map_err(BoxError::from) }
    }))
}

/// The error says why nothing came.
async fn call(
    client: reqwest::Client,
    origin: String,
    request: Request<RequestBody>,
) -> Result<Response<reqwest::Body>, String> {
    let (parts, body) = request.into_parts();
    let url: Url = format!("{origin}{}", parts.uri)
        .parse()
        .map_err(|error| chain(&error))?;
    // Dot segments, for example, are resolved in a URL, and the signature is for the path as it was written.
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    if format!("{}{query}", url.path()) != parts.uri.to_string() {
        return Err("this path can't be sent as it is in a URL".to_owned());
    }
    let Ok(body) = body.collect().await;
    let response = client
        .request(parts.method, url)
        .headers(parts.headers)
        .body(body.to_bytes())
        .send()
        .await;
    match response {
        Ok(response) => Ok(response.into()),
        Err(error) => Err(chain(&error.without_url())),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    use bytes::Bytes;
    use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivatePkcs8KeyDer};
    use tower::ServiceExt;

    use super::*;
    use crate::transport::transport;

    /// A server at this URL that answers `{}`, and its certificate, which no authority has signed.
    fn start() -> (String, CertificateDer<'static>) {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("https://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for connection in listener.incoming() {
                answer(connection.unwrap(), Arc::clone(&config));
            }
        });
        (origin, own.cert.der().clone())
    }

    fn answer(connection: TcpStream, config: Arc<ServerConfig>) {
        let session = ServerConnection::new(config).unwrap();
        let mut stream = StreamOwned::new(session, connection);
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.extend(byte),
                // Whoever does not trust the certificate leaves.
                _ => return,
            }
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
    }

    /// The status and the body, or why nothing came.
    async fn get(
        origin: &str,
        roots: Vec<CertificateDer<'static>>,
    ) -> Result<(u16, Bytes), String> {
        let request = Request::get("/").body(RequestBody::default()).unwrap();
        let service = transport(service(origin.to_owned(), roots).unwrap());
        let received = service.oneshot(request).await;
        let received = received.map_err(|error| chain(&*error))?;
        Ok((received.status, received.bytes))
    }

    #[tokio::test]
    async fn a_server_is_called_over_tls_if_its_certificate_is_trusted() {
        let (origin, certificate) = start();
        let (_, unrelated) = start();
        let expected = (200, Bytes::from_static(b"{}"));
        assert_eq!(get(&origin, vec![certificate]).await, Ok(expected));
        for roots in [vec![unrelated], vec![]] {
            let cause = get(&origin, roots).await.unwrap_err();
            assert!(cause.contains("invalid peer certificate"), "{cause}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let begun = tokio::time::Instant::now();
        let cause = get(&origin, vec![]).await.unwrap_err();
        assert!(cause.contains("timed out"), "{cause}");
        assert_eq!(begun.elapsed().as_secs(), TIMEOUT.as_secs());
    }

    #[test]
    fn a_machine_without_root_certificates_is_told_how_to_get_some() {
        assert_eq!(roots("http://127.0.0.1:3000"), Ok(vec![]));
        let error = trusted(CertificateResult::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this machine has no root certificates (none were found): install its package of them, often \
             ca-certificates, or name a PEM file of them in SSL_CERT_FILE"
        );
    }

    #[test]
    fn a_url_is_its_origin_and_the_path_of_the_integration() {
        for (url, origin, path) in [
            ("https://merchant.example", "https://merchant.example", ""),
            (
                "HTTPS://merchant.example:8443/",
                "https://merchant.example:8443",
                "",
            ),
            (
                "http://[::1]:3000/api/churnkey/",
                "http://[::1]:3000",
                "/api/churnkey",
            ),
        ] {
            assert_eq!(split(url), Ok((origin.to_owned(), path.to_owned())));
        }
    }
}
