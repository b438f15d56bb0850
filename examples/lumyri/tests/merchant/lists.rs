//! The native list (L13 to L15).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{As, COMPANY_A, SECOND, Shop};

/// Customers of the second app: `Bo Ax`, `Al Zed` and `Al Moe`, after the demo's `second app`.
async fn filled() -> (Shop, As) {
    let (shop, caller) = (Shop::open().await, As::of(COMPANY_A).in_app(SECOND));
    for (first, last, email, phone) in [
        ("Bo", "Ax", "z@example.com", "+1 555 0100"),
        ("Al", "Zed", "Y@example.com", "(030) 12-34"),
        ("Al", "Mo\u{cb}", "x@example.com", ""),
    ] {
        let body = json!({"first_name": first, "last_name": last, "email": email, "phone": phone});
        assert_eq!(shop.create(&caller, &body).await.status, 201);
    }
    (shop, caller)
}

async fn names(shop: &Shop, caller: &As, query: &str) -> Vec<String> {
    let answer = shop.get(caller, &format!("/users/customers?{query}")).await;
    let page = answer.data(StatusCode::OK);
    let name = |customer: &Value| customer["last_name"].as_str().unwrap().to_owned();
    page["data"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_list_is_sorted_by_what_it_is_told() {
    let (shop, caller) = filled().await;
    let by_name = ["Mo\u{cb}", "Zed", "Ax", "app"];
    let by_email = ["Zed", "app", "Mo\u{cb}", "Ax"];
    for query in [
        "",
        "sort_by=name",
        "sort_by=description",
        "order_by=ASC",
        "sort_by=name&order_by=asc",
    ] {
        assert_eq!(names(&shop, &caller, query).await, by_name, "{query}");
    }
    for order in ["desc", "DESC", "DECS", "decs"] {
        let mut names = names(&shop, &caller, &format!("order_by={order}")).await;
        names.reverse();
        assert_eq!(names, by_name, "{order}");
    }
    assert_eq!(names(&shop, &caller, "sort_by=email").await, by_email);
    // The clock is frozen, so the insertion number decides.
    let came = ["app", "Ax", "Zed", "Mo\u{cb}"];
    assert_eq!(names(&shop, &caller, "sort_by=created_at").await, came);
    let newest = names(&shop, &caller, "sort_by=created_at&order_by=desc").await;
    assert_eq!(newest, ["Mo\u{cb}", "Zed", "Ax", "app"]);
}

#[tokio::test]
async fn a_search_finds_parts_of_names_addresses_and_numbers() {
    let (shop, caller) = filled().await;
    for (query, found) in [
        ("search=", vec!["Mo\u{cb}", "Zed", "Ax", "app"]),
        ("search=AL", vec!["Mo\u{cb}", "Zed"]),
        ("search=mo%C3%AB", vec!["Mo\u{cb}"]),
        ("search=X%40EXAMPLE", vec!["Mo\u{cb}"]),
        ("search=12-3", vec!["Zed"]),
        ("search=%2B1+555", vec!["Ax"]),
        ("search=%25", vec![]),
        ("search=_", vec![]),
        ("search=nobody", vec![]),
        // No match across two fields.
        ("search=boax", vec![]),
        ("search=bo+ax", vec![]),
    ] {
        assert_eq!(names(&shop, &caller, query).await, found, "{query}");
    }
    let across = shop.get(&caller, "/users/customers?search=bo%0Aax").await;
    assert_eq!(across.error(), (400, "validation_error"));
}

#[tokio::test]
async fn a_search_finds_what_a_change_has_made() {
    let (shop, caller) = filled().await;
    let id = crate::OF_SECOND;
    let changed = shop
        .update(&caller, id, &json!({"last_name": "Lovelace"}))
        .await;
    assert_eq!(changed.status, 200);
    assert_eq!(names(&shop, &caller, "search=love").await, ["Lovelace"]);
    assert_eq!(names(&shop, &caller, "search=app").await, [""; 0]);
}

#[tokio::test]
async fn pages_count_from_one_and_end() {
    let (shop, caller) = filled().await;
    let page = async |query: &str| {
        let answer = shop
            .get(&caller, &format!("/users/customers?{query}"))
            .await;
        let page = answer.data(StatusCode::OK).clone();
        let numbers = ["total", "per_page", "current_page", "last_page"];
        let numbers = numbers.map(|name| page[name].as_u64().unwrap());
        (numbers, page["data"].as_array().unwrap().len())
    };
    assert_eq!(page("").await, ([4, 4, 1, 1], 4));
    assert_eq!(page("limit=3").await, ([4, 3, 1, 2], 3));
    assert_eq!(page("limit=3&page=2").await, ([4, 3, 2, 2], 1));
    assert_eq!(page("limit=3&page=3").await, ([4, 3, 3, 2], 0));
    assert_eq!(page("limit=100&page=1").await, ([4, 4, 1, 1], 4));
    assert_eq!(page("search=nobody").await, ([0, 1, 1, 1], 0));
    let last = u64::MAX;
    assert_eq!(page(&format!("page={last}0")).await, ([4, 4, last, 1], 0));
    assert_eq!(names(&shop, &caller, "limit=2&page=2").await, ["Ax", "app"]);
    assert_eq!(
        names(&shop, &caller, "unknown=1&limit=1").await,
        ["Mo\u{cb}"]
    );
}

#[tokio::test]
async fn parameters_of_another_form_are_refused() {
    let (shop, caller) = filled().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1.5",
        "limit=1&limit=1",
        "limit=%00",
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=1&page=2",
        "sort_by=phone",
        "sort_by=",
        "sort_by=Name",
        "sort_by=name&sort_by=name",
        "order_by=up",
        "order_by=",
        "order_by=name",
        "search=%00",
        "search=a&search=b",
        "sort_by=name%3B%20DROP%20TABLE%20customers",
    ] {
        let answer = shop
            .get(&caller, &format!("/users/customers?{query}"))
            .await;
        assert_eq!(answer.error(), (400, "validation_error"), "{query}");
    }
}
