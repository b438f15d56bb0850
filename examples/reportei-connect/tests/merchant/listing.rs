//! `GET /customers`: pages, their numbers, and sorting.

use serde_json::{Value, json};

use crate::{C1, C2, Merchant};

async fn names(merchant: &Merchant, query: &str) -> Vec<String> {
    let (status, list) = merchant.get(&format!("/customers?{query}")).await;
    assert_eq!(status, 200, "{query}");
    let data = list["data"].as_array().unwrap();
    let name = |customer: &Value| customer["name"].as_str().unwrap().to_owned();
    data.iter().map(name).collect()
}

async fn meta(merchant: &Merchant, query: &str) -> Value {
    let (_, list) = merchant.get(&format!("/customers?{query}")).await;
    list["meta"].clone()
}

#[tokio::test]
async fn the_seeds_list_comes_as_it_is_under_both_paths() {
    let merchant = Merchant::new().await;
    let expected = json!({
        "data": [
            {
                "uuid": C1,
                "name": "Reportei Customer 1",
                "created_at": "2024-09-24 17:07:34",
                "updated_at": "2024-09-24 17:07:34",
                "trial_ends_at": "2024-10-08 17:15:12",
                "is_paying": false,
                "merchant": "Reportei"
            },
            {
                "uuid": C2,
                "name": "Reportei Customer 2",
                "created_at": "2024-09-24 19:06:08",
                "updated_at": "2024-09-24 19:06:08",
                "trial_ends_at": "2024-10-08 17:15:12",
                "is_paying": true,
                "merchant": "Reportei"
            }
        ],
        "meta": {
            "current_page": 1,
            "from": 1,
            "last_page": 1,
            "path": "https://connect.example/api/customers",
            "per_page": 15,
            "to": 2,
            "total": 2,
            "sortBy": null,
            "descending": false
        }
    });
    for path in ["/customers", "/api/customers"] {
        assert_eq!(merchant.get(path).await, (200, expected.clone()));
    }
}

#[tokio::test]
async fn the_numbers_of_a_page_are_right_at_its_edges() {
    let merchant = Merchant::new().await;
    for number in 3..=6 {
        let body = json!({"name": format!("Customer {number}")});
        merchant.call("POST", "/customers", body).await;
    }
    for (query, current, from, to, last) in [
        ("per_page=2", 1, json!(1), json!(2), 3),
        ("per_page=2&page=3", 3, json!(5), json!(6), 3),
        ("per_page=4&page=2", 2, json!(5), json!(6), 2),
        ("per_page=5&page=2", 2, json!(6), json!(6), 2),
        ("per_page=6", 1, json!(1), json!(6), 1),
        ("per_page=100", 1, json!(1), json!(6), 1),
        ("per_page=6&page=2", 2, json!(null), json!(null), 1),
        (
            "page=9223372036854775807",
            i64::MAX,
            json!(null),
            json!(null),
            1,
        ),
    ] {
        let meta = meta(&merchant, query).await;
        let numbers = json!({"current_page": current, "from": from, "to": to, "last_page": last});
        assert_eq!(
            merchant_cases::difference(&numbers, Some(&meta)),
            None,
            "{query}"
        );
        assert_eq!(meta["total"], 6);
    }
    // Without customers there is still one page.
    let merchant = Merchant::new().await;
    for uuid in [C1, C2] {
        merchant
            .call("DELETE", &format!("/customers/{uuid}"), json!(null))
            .await;
    }
    let meta = meta(&merchant, "").await;
    assert_eq!((&meta["total"], &meta["last_page"]), (&json!(0), &json!(1)));
    assert_eq!((&meta["from"], &meta["to"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn a_list_is_sorted_by_five_columns_in_two_directions() {
    let merchant = Merchant::new().await;
    // Alpha is the newest, pays, and was changed last.
    let later = merchant.at("2024-10-10T12:00:01Z");
    let (_, created) = later
        .call("POST", "/customers", json!({"name": "Alpha"}))
        .await;
    let alpha = created["customer"]["uuid"].as_str().unwrap();
    let path = format!("/customers/{alpha}/update-payment-status");
    later.call("POST", &path, json!({"is_paying": true})).await;

    let (one, two) = ("Reportei Customer 1", "Reportei Customer 2");
    for (query, expected) in [
        ("", [one, two, "Alpha"]),
        ("descending=true", ["Alpha", two, one]),
        ("sortBy=name", ["Alpha", one, two]),
        ("sortBy=name&descending=1", [two, one, "Alpha"]),
        ("sortBy=name&descending=false", ["Alpha", one, two]),
        ("sortBy=created_at&descending=true", ["Alpha", two, one]),
        ("sortBy=updated_at", [one, two, "Alpha"]),
        ("sortBy=trial_ends_at", [one, two, "Alpha"]),
        // Equal values are in the order of an unsorted list.
        ("sortBy=trial_ends_at&descending=true", ["Alpha", one, two]),
        ("sortBy=is_paying", [one, two, "Alpha"]),
        ("sortBy=is_paying&descending=true", [two, "Alpha", one]),
    ] {
        assert_eq!(names(&merchant, query).await, expected, "{query}");
    }
    let sorted = meta(&merchant, "sortBy=is_paying&descending=true").await;
    assert_eq!(sorted["sortBy"], "is_paying");
    assert_eq!(sorted["descending"], true);
}

#[tokio::test]
async fn customers_of_one_second_are_ordered_by_uuid_and_pages_do_not_overlap() {
    let merchant = Merchant::with(None, example_app::Generator::Random).await;
    let mut uuids = Vec::new();
    for _ in 0..7 {
        let (_, created) = merchant
            .call("POST", "/customers", json!({"name": "x"}))
            .await;
        uuids.push(created["customer"]["uuid"].as_str().unwrap().to_owned());
    }
    uuids.sort();
    let mut listed = Vec::new();
    for page in 1..=5 {
        let (_, list) = merchant
            .get(&format!("/customers?per_page=2&page={page}"))
            .await;
        let data = list["data"].as_array().unwrap();
        let uuid = |customer: &Value| customer["uuid"].as_str().unwrap().to_owned();
        listed.extend(data.iter().map(uuid));
    }
    assert_eq!(listed[..2], [C1, C2]);
    assert_eq!(listed[2..], uuids);
}

#[tokio::test]
async fn what_is_no_page_size_or_order_is_refused() {
    let merchant = Merchant::new().await;
    for (query, field, rule) in [
        ("page=0", "page", "The page field must be at least 1."),
        ("page=-1", "page", "The page field must be at least 1."),
        ("page=x", "page", "The page field must be an integer."),
        ("page=", "page", "The page field must be an integer."),
        ("page=1.0", "page", "The page field must be an integer."),
        (
            "page=99999999999999999999",
            "page",
            "The page field must be an integer.",
        ),
        (
            "per_page=0",
            "per_page",
            "The per page field must be at least 1.",
        ),
        (
            "per_page=101",
            "per_page",
            "The per page field must not be greater than 100.",
        ),
        (
            "per_page=%00",
            "per_page",
            "The per page field must be an integer.",
        ),
        ("sortBy=uuid", "sortBy", "The selected sortBy is invalid."),
        (
            "sortBy=token_hash",
            "sortBy",
            "The selected sortBy is invalid.",
        ),
        (
            "sortBy=name;--",
            "sortBy",
            "The selected sortBy is invalid.",
        ),
        ("sortBy=NAME", "sortBy", "The selected sortBy is invalid."),
        ("sortBy=", "sortBy", "The selected sortBy is invalid."),
        (
            "descending=yes",
            "descending",
            "The descending field must be true or false.",
        ),
    ] {
        let answer = merchant.get(&format!("/customers?{query}")).await;
        assert_eq!(answer, crate::invalid(field, rule), "{query}");
    }
    let (status, answer) = merchant.get("/customers?page=0&per_page=0&sortBy=x").await;
    let expected = json!({
        "message": "The page field must be at least 1. (and 2 more errors)",
        "errors": {
            "page": ["The page field must be at least 1."],
            "per_page": ["The per page field must be at least 1."],
            "sortBy": ["The selected sortBy is invalid."]
        }
    });
    assert_eq!((status, answer), (422, expected));
    // Unknown parameters are ignored, and the last of two values counts.
    assert_eq!(names(&merchant, "search=x&page[]=9&%ff=%ff").await.len(), 2);
    assert_eq!(names(&merchant, "page=9&page=1").await.len(), 2);
}
