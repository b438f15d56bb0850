//! Reading customers.

use serde_json::json;

use crate::{NOW, Shop};

const UNKNOWN: &str = "This customer does not exist.";

#[tokio::test]
async fn an_index_is_a_row_offset_into_numbers_that_ascend() {
    let shop = Shop::open().await;
    let page = shop.get("?itemStart=1&itemLimit=1").await.body;
    let ids = |page: &serde_json::Value| {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        [&page["itemStart"], &page["itemTotal"], &page["itemLimit"]],
        [&json!(1), &json!(3), &json!(1)]
    );
    assert_eq!(ids(&page), [2]);
    assert_eq!(ids(&shop.get("?itemStart=3").await.body), [0_i64; 0]);
    let far = shop.get("?itemStart=99999999999999999999").await.body;
    assert_eq!(
        (&far["itemStart"], &far["itemTotal"]),
        (&json!(i64::MAX), &json!(3))
    );
    assert_eq!(shop.get("?itemLimit=99").await.status, 200);
    for limit in ["0", "100", "99999999999999999999"] {
        let answer = shop.get(&format!("?itemLimit={limit}")).await;
        answer.refused(400, "itemLimit must be from 1 to 99.");
    }
    for start in ["-1", "1.5", "", "x"] {
        let answer = shop.get(&format!("?itemStart={start}")).await;
        answer.refused(400, "itemStart must be a number.");
    }
}

#[tokio::test]
async fn every_word_of_a_query_occurs_in_a_name_or_the_external_id() {
    let shop = Shop::open().await;
    for (query, ids) in [
        ("THOMAS", vec![1, 3]),
        ("thomas+vries", vec![1, 3]),
        ("ries+text++om", vec![1, 3]),
        ("de", vec![1]),
        ("c", vec![2]),
        ("thomas+c", vec![]),
        ("2", vec![2]),
        ("MyBrand", vec![]),
        ("+", vec![1, 2, 3]),
    ] {
        let answer = shop.get(&format!("?query={query}")).await.body;
        let items = answer["items"].as_array().unwrap().iter();
        let found: Vec<i64> = items.map(|item| item["id"].as_i64().unwrap()).collect();
        assert_eq!(found, ids, "{query}");
        assert_eq!(answer["itemTotal"], ids.len());
    }
    for query in ["", "a%40b", "C-2", "Zo%C3%AB", "%2B31", "a.b", "a%0A"] {
        let answer = shop.get(&format!("?query={query}")).await;
        answer.refused(400, "query must consist of letters, digits and spaces.");
    }
}

#[tokio::test]
async fn a_query_has_10_words_at_most() {
    let shop = Shop::open().await;
    let words = |number: usize| vec!["t"; number].join("+");
    let found = shop.get(&format!("?query={}", words(10))).await;
    assert_eq!((found.status, &found.body["itemTotal"]), (200, &json!(2)));
    let refused = shop.get(&format!("?query={}", words(11))).await;
    refused.refused(400, "query must have at most 10 words.");
    // Spaces are not words.
    let spaced = format!("?query=++{}++", words(10).replace('+', "+++"));
    assert_eq!(shop.get(&spaced).await.body["itemTotal"], 2);
}

#[tokio::test]
async fn an_item_has_the_fields_of_the_list_and_its_own() {
    let shop = Shop::open().await;
    let item = shop.item(1).await;
    let wanted = json!({
        "id": 1, "external_primary_id": "text", "brand_name": "MyBrand", "firstname": "Thomas", "lastname": "de Vries",
        "channels": [
            {"id": 1, "channel_id": 1, "channel_name": "email", "address": "thomas@example.org"},
            {"id": 2, "channel_id": 2, "channel_name": "telephone", "address": "+31612312311"}],
        "brand_id": 1, "created_at": NOW, "custom_testfield": "text"});
    assert_eq!(item, wanted);
}

#[tokio::test]
async fn a_look_up_by_address_is_exact_within_its_brand() {
    let shop = Shop::open().await;
    let search = async |brand: &str, value: &str| {
        let fields = [("brand_id", brand), ("customerChannelValue", value)];
        shop.call("POST", "/searchByCustomerChannelValue", &fields)
            .await
    };
    assert_eq!(search("1", "+31612312311").await.body["item"]["id"], 1);
    assert_eq!(
        search("2", "thomas@example.org").await.body["item"]["id"],
        3
    );
    for (brand, value) in [
        ("1", "example.org"),
        ("1", "31612312311"),
        ("2", "zoe@example.org"),
        ("1", "%"),
    ] {
        search(brand, value).await.refused(400, UNKNOWN);
    }
    search("1", "")
        .await
        .refused(400, "customerChannelValue is required.");
    search("9", "x")
        .await
        .refused(400, "This brand does not exist.");
}

#[tokio::test]
async fn a_brand_goes_without_saying_where_there_is_but_one() {
    let shop = Shop::open().await;
    let alone = "DELETE FROM customers WHERE brand_id = 2; DELETE FROM brands WHERE id = 2";
    let mut tx = shop.store.write().await.unwrap();
    sqlx::raw_sql(alone).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let found = shop
        .call(
            "POST",
            "/SearchByPrimaryExternalID",
            &[("primary_id", "C-2")],
        )
        .await;
    assert_eq!(found.body["item"]["id"], 2);
    shop.call("POST", "/createCustomerCRUD", &[("primaryID", "C-9")])
        .await
        .done("Customer created.");
    assert_eq!(
        shop.get("/timelineByCustomerExternalID?external_id=text")
            .await
            .status,
        200
    );
}
