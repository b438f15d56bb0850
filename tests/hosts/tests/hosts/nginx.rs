//! A real nginx, with the configurations of the guide.

use std::net::SocketAddr;

use axum::{Router, http::Method};
use churnkey_integrator::IntegrationBuilder;
use throwaway_nginx::Nginx;

use crate::{
    guide::nginx_blocks,
    wire::{BY_EMAIL, get, merchant, send},
};

async fn serve(builder: IntegrationBuilder) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = builder.build().unwrap().into_router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test]
async fn through_nginx_the_path_arrives_as_it_was_signed() {
    let [unchanged, _] = nginx_blocks();
    let nginx = Nginx::start(&unchanged, serve(merchant()).await);
    let (status, body) = send(nginx.address(), Method::GET, BY_EMAIL, BY_EMAIL, "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""id":"cus_zoe""#), "{body}");
    assert_eq!(get(nginx.address(), "/churnkey/no/such/path").await, 404);
}

#[tokio::test]
async fn through_an_nginx_that_removes_a_prefix_the_signature_covers_the_prefix() {
    let [_, stripping] = nginx_blocks();
    let backend = serve(merchant().external_prefix("/api")).await;
    let nginx = Nginx::start(&stripping, backend);
    let path = format!("/api{BY_EMAIL}");
    let (status, body) = send(nginx.address(), Method::GET, &path, &path, "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""id":"cus_zoe""#), "{body}");
    let without_prefix = send(nginx.address(), Method::GET, BY_EMAIL, &path, "").await;
    assert_eq!(without_prefix.0, 401);
    // What nginx takes for the same location by another spelling does not reach the merchant under a path of its own.
    let dots = format!("/x/..{path}");
    assert_eq!(get(nginx.address(), &dots).await, 404);
}

#[tokio::test]
async fn an_nginx_that_removes_the_prefix_by_a_slash_decodes_the_path() {
    let configuration =
        "server {\nlisten 8080;\nlocation /api/ { proxy_pass http://127.0.0.1:3000/; }\n}\n";
    let backend = serve(merchant().external_prefix("/api")).await;
    let nginx = Nginx::start(configuration, backend);
    assert_eq!(
        get(nginx.address(), "/api/churnkey/customers/cus_ada").await,
        200
    );
    assert_eq!(get(nginx.address(), &format!("/api{BY_EMAIL}")).await, 401);
}
