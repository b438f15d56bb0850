//! Labels (L18).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{As, COMPANY_A, FIRST, LABEL_1, LABEL_2, Shop, USER};

fn delivery() -> Value {
    json!({"name": "delivery", "description": "who delivers", "color": "#205d3b", "userName": "Admin"})
}

async fn names(shop: &Shop, caller: &As, query: &str) -> Vec<String> {
    let answer = shop.get(caller, &format!("/labels?{query}")).await;
    let page = answer.data(StatusCode::OK);
    let name = |label: &Value| label["name"].as_str().unwrap().to_owned();
    page["data"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_new_label_is_answered_bare() {
    let shop = Shop::open().await;
    let caller = As::of(COMPANY_A);
    let answer = shop
        .call(&caller, "POST", "/labels", Some(&delivery()))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.body,
        json!({"id": "00000000-0000-4000-8000-000000000001", "companyId": COMPANY_A, "userId": USER,
            "createdBy": "Admin", "updatedBy": "Admin", "createdAt": "2024-10-10T12:00:00.000Z",
            "updatedAt": "2024-10-10T12:00:00.000Z", "name": "delivery", "description": "who delivers",
            "color": "#205d3b"})
    );
    let id = answer.body["id"].clone();
    let changed = shop
        .update(&caller, FIRST, &json!({"label_ids": [id]}))
        .await;
    assert_eq!(changed.data(StatusCode::OK)["labels"], json!([id]));
}

#[tokio::test]
async fn a_label_has_all_of_its_fields() {
    let shop = Shop::open().await;
    for field in ["name", "description", "color", "userName"] {
        let mut body = delivery();
        for wrong in [json!(null), json!(""), json!(" "), json!(1), json!("a\0b")] {
            body[field] = wrong;
            let answer = shop.call(&As::a(), "POST", "/labels", Some(&body)).await;
            assert_eq!(answer.error(), (400, "validation_error"), "{body}");
        }
        body.as_object_mut().unwrap().remove(field);
        let answer = shop.call(&As::a(), "POST", "/labels", Some(&body)).await;
        assert_eq!(answer.error(), (400, "validation_error"), "{body}");
    }
}

#[tokio::test]
async fn labels_are_listed_by_name_backwards_as_documented() {
    let shop = Shop::open().await;
    let created = shop
        .call(&As::a(), "POST", "/labels", Some(&delivery()))
        .await;
    assert_eq!(created.status, 201);
    let backwards = ["label2", "label1", "delivery"];
    let forwards = ["delivery", "label1", "label2"];
    for (query, expected) in [
        ("", backwards),
        ("sort_by=DESC&order_by=name", backwards),
        ("sort_by=name&order_by=desc", backwards),
        ("sort_by=name&order_by=ASC", forwards),
        ("sort_by=ASC&order_by=name", forwards),
        ("order_by=asc", forwards),
        (
            "sort_by=created_at&order_by=asc",
            ["label1", "label2", "delivery"],
        ),
        ("sort_by=description", ["delivery", "label2", "label1"]),
    ] {
        assert_eq!(names(&shop, &As::a(), query).await, expected, "{query}");
    }
    let caller = As::of(COMPANY_A);
    assert_eq!(
        names(&shop, &caller, "name=ABEL").await,
        ["label2", "label1"]
    );
    let second = "per_page=2&current_page=2";
    assert_eq!(names(&shop, &caller, second).await, ["delivery"]);
    let page = shop.get(&caller, &format!("/labels?{second}")).await.body;
    let page = &page["data"];
    let numbers = ["total", "per_page", "current_page", "last_page"].map(|name| &page[name]);
    assert_eq!(numbers, [3, 2, 2, 2]);
    assert_eq!(names(&shop, &As::b(), "").await, [""; 0]);
    for query in [
        "per_page=0",
        "per_page=101",
        "current_page=0",
        "sort_by=up",
        "sort_by=name&order_by=name",
        "sort_by=asc&order_by=asc",
        "name=%00",
        "name=a&name=b",
    ] {
        let answer = shop.get(&caller, &format!("/labels?{query}")).await;
        assert_eq!(answer.error(), (400, "validation_error"), "{query}");
    }
}

#[tokio::test]
async fn a_deleted_label_is_gone_from_customers() {
    let shop = Shop::open().await;
    let body = |ids: &[&str]| json!({"label_ids": ids});
    let foreign = shop
        .call(&As::b(), "DELETE", "/labels", Some(&body(&[LABEL_1])))
        .await;
    assert_eq!(foreign.status, 200);
    assert_eq!(names(&shop, &As::a(), "").await, ["label2", "label1"]);

    let answer = shop
        .call(&As::a(), "DELETE", "/labels", Some(&body(&[LABEL_1])))
        .await;
    assert_eq!(answer.data(StatusCode::OK), &json!({"message": "OK"}));
    let detail = shop.detail(&As::a(), FIRST).await.body;
    assert_eq!(
        detail["labels"],
        json!([{"id": LABEL_2, "name": "label2", "color": "green"}])
    );
    let path = format!("/churnkey/customers/{FIRST}");
    let seen = shop.churnkey().get(&path).await.into_body();
    assert_eq!(seen["metadata"]["labels"], "label2");

    let answer = shop
        .call(&As::a(), "DELETE", "/labels", Some(&body(&[LABEL_2])))
        .await;
    assert_eq!(answer.status, 200);
    // An empty list of labels is not the same as null.
    let customer = shop.update(&As::a(), FIRST, &json!({})).await;
    assert_eq!(customer.data(StatusCode::OK)["labels"], json!([]));
    for wrong in [body(&[]), body(&["x"]), json!({})] {
        let answer = shop.call(&As::a(), "DELETE", "/labels", Some(&wrong)).await;
        assert_eq!(answer.error(), (400, "validation_error"));
    }
}
