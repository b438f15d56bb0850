//! hyper without a router, over customers that are JSON already: what signed requests cost at the least.

use std::{convert::Infallible, sync::Arc};

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    body::{Body, Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{
    CursorKeys, MAX_BODY_BYTES, Mode, NO_SUCH_CUSTOMER, Refusal, SigningKey, check_id,
    query::Asked, record::Customer,
};
use crate::{BoxError, customers::generated, source::Source, table::Table};

struct App {
    signing: SigningKey,
    cursors: CursorKeys,
    live: Table<Bytes>,
    test: Table<Bytes>,
}

pub(crate) async fn serve(
    source: &Source,
    token: &str,
    listener: TcpListener,
) -> Result<(), BoxError> {
    let Source::Memory { customers } = source else {
        return Err("bare hyper serves from memory only".into());
    };
    let generated = generated(*customers);
    let mut live = Table::with_capacity(generated.len());
    for generated in generated {
        let id = generated.id.clone();
        let customer = serde_json::to_vec(&Customer::from(generated))?;
        live.push(id, Bytes::from(customer));
    }
    let app = Arc::new(App {
        signing: SigningKey::new(token),
        cursors: CursorKeys::new(token),
        live,
        test: Table::with_capacity(0),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let app = &app;
                async move {
                    let answer = app.answer(request).await;
                    Ok::<_, Infallible>(answer.unwrap_or_else(refused))
                }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // How a connection ended concerns nobody.
            let _ = connection.await;
        });
    }
}

impl App {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
        let (request, body) = request.into_parts();
        let body = if body.is_end_stream() {
            Bytes::new()
        } else {
            let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
            body.map_err(|_| Refusal::TOO_LARGE)?.to_bytes()
        };
        let uri = &request.uri;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mode = self
            .signing
            .verify(&request.method, path, &request.headers, &body)?;
        let table = match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        };
        let Some(rest) = uri.path().strip_prefix("/churnkey/customers") else {
            return Err(Refusal::NOT_FOUND);
        };
        match rest.strip_prefix('/') {
            Some(id) if !id.contains('/') => {
                check_id(id)?;
                let customer = table.by_id(id).ok_or(NO_SUCH_CUSTOMER)?;
                Ok(json(StatusCode::OK, customer.clone()))
            }
            None if rest.is_empty() => {
                let asked = Asked::read(uri.query(), &self.cursors, mode)?;
                Ok(json(StatusCode::OK, self.page(table, mode, &asked)))
            }
            _ => Err(Refusal::NOT_FOUND),
        }
    }

    fn page(&self, table: &Table<Bytes>, mode: Mode, asked: &Asked) -> Bytes {
        let rows = table.after(asked.after, asked.limit + 1);
        let data = rows.get(..asked.limit).unwrap_or(rows);
        let mut body = Vec::with_capacity(64 + data.iter().map(|row| row.len() + 1).sum::<usize>());
        body.extend_from_slice(b"{\"data\":[");
        for (n, row) in data.iter().enumerate() {
            if n > 0 {
                body.push(b',');
            }
            body.extend_from_slice(row);
        }
        body.push(b']');
        if rows.len() > data.len() {
            let next = self.cursors.sign(mode, asked.after + data.len() as u64);
            body.extend_from_slice(b",\"next\":\"");
            body.extend_from_slice(next.as_bytes());
            body.push(b'"');
        }
        body.push(b'}');
        body.into()
    }
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(&refusal).unwrap_or_default();
    json(refusal.status, body.into())
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
