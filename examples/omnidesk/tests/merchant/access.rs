//! Keys, paths and methods.

use axum::{body::Body, http::Request};

use crate::{KEY, Shop};

#[tokio::test]
async fn a_key_may_stand_in_the_header_or_the_query_and_the_header_counts() {
    let shop = Shop::open().await;
    let get = async |header: Option<&str>, query: &str| {
        let mut request = Request::get(format!("/api/v2/customer/1{query}"));
        if let Some(key) = header {
            request = request.header("APIKEY", key);
        }
        shop.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(get(Some(KEY), "").await, 200);
    assert_eq!(get(None, "?apiKey=od-demo-read").await, 200);
    assert_eq!(get(Some(KEY), "?apiKey=wrong").await, 200);
    for (header, query) in [
        (None, ""),
        (None, "?apiKey="),
        (None, "?apikey=od-demo-read"),
        (None, "?apiKey=%FF"),
        (Some(""), ""),
        (Some("wrong"), "?apiKey=od-demo-read"),
        (Some("OD-DEMO-READ"), ""),
        (Some("' OR 1=1 --"), ""),
    ] {
        assert_eq!(get(header, query).await, 401, "{header:?} {query}");
    }
    assert_eq!(get(Some("od-demo-none"), "").await, 403);
}

#[tokio::test]
async fn an_id_of_the_wrong_form_is_nobodys_and_an_unknown_path_a_404() {
    let shop = Shop::open().await;
    for id in [
        "0",
        "-1",
        "+1",
        "1.0",
        "abc",
        "99999999999999999999",
        "1%00",
        "%27",
        "1%20",
        "%2F",
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = shop.call(method, &format!("/{id}"), &[]).await;
            answer.refused(400, "This customer does not exist.");
        }
        let answer = shop.call("DELETE", &format!("/channel/{id}"), &[]).await;
        answer.refused(400, "This channel does not exist.");
        let answer = shop.call("DELETE", &format!("/purgeData/{id}"), &[]).await;
        answer.refused(400, "This customer does not exist.");
    }
    for path in [
        "/",
        "//1",
        "/1/",
        "/1/2",
        "/channel/1/2",
        "/nope/1",
        "s",
        "/%FF",
    ] {
        shop.get(path)
            .await
            .refused(404, "This path does not exist.");
    }
    for path in ["/nope", "/addChannel"] {
        shop.call("POST", path, &[])
            .await
            .refused(404, "This path does not exist.");
    }
    for path in [
        "/nope",
        "/api",
        "/api/v2",
        "/api/v1/customer",
        "/API/v2/customer",
        "/api/v2/Customer",
    ] {
        let request = Request::get(path).header("apiKey", KEY).body(Body::empty());
        shop.send(request.unwrap())
            .await
            .refused(404, "This path does not exist.");
    }
}

#[tokio::test]
async fn a_wrong_method_is_a_405_that_says_which_are_right() {
    let shop = Shop::open().await;
    for (method, path, allow) in [
        ("DELETE", "", "GET, HEAD, POST, PUT"),
        ("BREW", "", "GET, HEAD, POST, PUT"),
        ("POST", "/1", "GET, HEAD, PUT, DELETE"),
        ("OPTIONS", "/1", "GET, HEAD, PUT, DELETE"),
        ("GET", "/addChannelOnly", "POST"),
        ("POST", "/UPDATECUSTOMER", "PUT"),
        ("POST", "/timelineByCustomerExternalID", "GET, HEAD"),
        ("GET", "/channel/1", "DELETE"),
        ("POST", "/purgeData/1", "DELETE"),
    ] {
        let answer = shop.call(method, path, &[]).await;
        assert_eq!(answer.allow.as_deref(), Some(allow), "{method} {path}");
        answer.refused(405, "This method is not allowed here.");
    }
    let home = Request::post("/").body(Body::empty()).unwrap();
    shop.send(home)
        .await
        .refused(405, "This method is not allowed here.");
}

#[tokio::test]
async fn nothing_is_told_without_a_key_nor_without_the_permission() {
    let shop = Shop::open().await;
    for (key, status) in [("wrong", 401), ("od-demo-none", 403)] {
        for (method, path) in [
            ("GET", "/1"),
            ("GET", "/999"),
            ("POST", ""),
            ("DELETE", "/channel/9"),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(format!("/api/v2/customer{path}"))
                .header("apiKey", key)
                .header("content-type", "text/plain");
            let answer = shop.send(request.body(Body::from("x")).unwrap()).await;
            assert_eq!(answer.status, status, "{method} {path}");
        }
    }
}
