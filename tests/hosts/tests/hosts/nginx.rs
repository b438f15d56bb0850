//! A real nginx, with the configurations of the guide.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::Stdio,
    time::{Duration, Instant},
};

use axum::{Router, http::Method};
use churnkey_integrator::IntegrationBuilder;
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::{
    guide::nginx_blocks,
    wire::{BY_EMAIL, get, merchant, send},
};

/// It is killed when it is dropped.
struct Nginx {
    address: SocketAddr,
    _process: Child,
    _folder: TempDir,
}

async fn serve(builder: IntegrationBuilder) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = builder.build().unwrap().into_router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Where Debian has programs that are for the superuser.
fn program() -> &'static str {
    let places = [
        "/usr/sbin/nginx",
        "/usr/local/sbin/nginx",
        "/opt/homebrew/bin/nginx",
    ];
    let mut places = places.into_iter();
    places
        .find(|path| fs::exists(path).unwrap())
        .unwrap_or("nginx")
}

async fn start(configuration: &str, merchant: SocketAddr) -> Nginx {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    assert!(configuration.contains("listen 8080;"), "{configuration}");
    assert!(configuration.contains("127.0.0.1:3000"), "{configuration}");
    let configuration = configuration
        .replace("listen 8080;", &format!("listen {address};"))
        .replace("127.0.0.1:3000", &merchant.to_string());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {name};\n"));
    let whole = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{}{configuration}}}\n",
        temporary.concat()
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, whole).unwrap();
    let process = Command::new(program())
        .arg("-p")
        .arg(folder.path())
        .arg("-c")
        .arg(&file)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("nginx can't be started ({error}): run scripts/setup"));
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).await.is_err() {
        assert!(Instant::now() < until, "nginx does not listen");
        sleep(Duration::from_millis(20)).await;
    }
    Nginx {
        address,
        _process: process,
        _folder: folder,
    }
}

#[tokio::test]
async fn through_nginx_the_path_arrives_as_it_was_signed() {
    let [unchanged, _] = nginx_blocks();
    let nginx = start(&unchanged, serve(merchant()).await).await;
    let (status, body) = send(nginx.address, Method::GET, BY_EMAIL, BY_EMAIL, "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""id":"cus_zoe""#), "{body}");
    assert_eq!(get(nginx.address, "/churnkey/no/such/path").await, 404);
}

#[tokio::test]
async fn through_an_nginx_that_removes_a_prefix_the_signature_covers_the_prefix() {
    let [_, stripping] = nginx_blocks();
    let backend = serve(merchant().external_prefix("/api")).await;
    let nginx = start(&stripping, backend).await;
    let path = format!("/api{BY_EMAIL}");
    let (status, body) = send(nginx.address, Method::GET, &path, &path, "").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""id":"cus_zoe""#), "{body}");
    let without_prefix = send(nginx.address, Method::GET, BY_EMAIL, &path, "").await;
    assert_eq!(without_prefix.0, 401);
    // What nginx takes for the same location by another spelling does not reach the merchant under a path of its own.
    let dots = format!("/x/..{path}");
    assert_eq!(get(nginx.address, &dots).await, 404);
}

#[tokio::test]
async fn an_nginx_that_removes_the_prefix_by_a_slash_decodes_the_path() {
    let configuration =
        "server {\nlisten 8080;\nlocation /api/ { proxy_pass http://127.0.0.1:3000/; }\n}\n";
    let backend = serve(merchant().external_prefix("/api")).await;
    let nginx = start(configuration, backend).await;
    assert_eq!(
        get(nginx.address, "/api/churnkey/customers/cus_ada").await,
        200
    );
    assert_eq!(get(nginx.address, &format!("/api{BY_EMAIL}")).await, 401);
}
