//! The same requests to each server: signed with an encoded path, unsigned, to an unknown path, with a body, and one
//! that is too large.

use std::net::SocketAddr;

use axum::{Router, http::Method};
use host_tests::{actix, gateway, plain_hyper};
use tokio::net::TcpListener;

use crate::wire::{BY_EMAIL, get, merchant, send, store, token};

const EXTEND: &str = "/churnkey/actions/subscription/extend-trial";
const A_WEEK: &str = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"amount":1,"unit":"week"}}"#;

async fn serves_the_router(to: SocketAddr) {
    let (status, body) = send(to, Method::GET, BY_EMAIL, BY_EMAIL, "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""id":"cus_zoe""#), "{body}");
    let unauthorized = r#"{"code":401,"message":"Unauthorized"}"#;
    let moved = send(to, Method::GET, "/churnkey/features", BY_EMAIL, "").await;
    assert_eq!(moved, (401, unauthorized.to_owned()));
    for unknown in ["/churnkey", "/churnkey/", "/churnkey/no/such/path"] {
        assert_eq!(get(to, unknown).await, 404, "{unknown}");
        let (status, body) = send(to, Method::GET, "/", unknown, "").await;
        assert_eq!((status, body.as_str()), (401, unauthorized), "{unknown}");
    }
    assert_eq!(send(to, Method::POST, EXTEND, EXTEND, A_WEEK).await.0, 200);
    assert_eq!(send(to, Method::POST, EXTEND, EXTEND, "{}").await.0, 400);
    let large = " ".repeat(70_000);
    let (status, body) = send(to, Method::POST, EXTEND, EXTEND, &large).await;
    let too_large = r#"{"code":413,"message":"Payload Too Large"}"#;
    assert_eq!((status, body.as_str()), (413, too_large));
}

#[tokio::test]
async fn plain_hyper_serves_the_router() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = merchant().build().unwrap().into_router();
    tokio::spawn(plain_hyper::serve(listener, app));
    serves_the_router(address).await;
}

#[tokio::test]
async fn an_actix_app_serves_the_router_beside_its_own_routes() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let app = merchant().build().unwrap().into_router();
    let server = actix::server(listener, app).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    serves_the_router(address).await;
    let own = send(address, Method::GET, "/", "/", "").await;
    assert_eq!(own, (200, "my own page".to_owned()));
    assert_eq!(get(address, "/churnkeys").await, 404);
    handle.stop(false).await;
}

#[tokio::test]
async fn behind_a_stage_the_signature_covers_the_stage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let integration = gateway::integration(store(), token()).unwrap();
    let app: Router = integration.into_router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for (signed, status) in [
        (format!("/prod{BY_EMAIL}"), 200),
        (BY_EMAIL.to_owned(), 401),
    ] {
        let answer = send(address, Method::GET, &signed, BY_EMAIL, "").await;
        assert_eq!(answer.0, status, "{signed}");
    }
}
