//! Changing a customer.

use crate::Shop;

const UNKNOWN: &str = "This customer does not exist.";

#[tokio::test]
async fn an_address_is_one_customers_where_the_brand_searches_by_channels_and_may_repeat_elsewhere()
{
    let shop = Shop::open().await;
    let taken = "This address belongs to another customer.";
    let pair = [
        ("customerChannelType_0", "email"),
        ("customerChannelValue_0", "THOMAS@example.org"),
    ];
    shop.call("PUT", "/2", &pair).await.refused(400, taken);
    let create = |brand| [("primaryID", "C-9"), ("brandID", brand), pair[0], pair[1]];
    shop.call("POST", "/createCustomerCRUD", &create("1"))
        .await
        .refused(400, taken);
    let add = [
        ("customer_id", "2"),
        ("extra_twitter", "zoe"),
        ("extra_telephone", "+31612312311"),
    ];
    shop.call("POST", "/addChannelOnly", &add)
        .await
        .refused(400, taken);
    assert_eq!(shop.addresses(2).await, ["email zoe@example.org"]);

    let answer = shop.call("POST", "/createCustomerCRUD", &create("2")).await;
    assert_eq!(answer.done("Customer created.")["customerID"], 5);
    assert_eq!(shop.addresses(5).await, ["email thomas@example.org"]);
    let search = [
        ("brand_id", "2"),
        ("customerChannelValue", "thomas@example.org"),
    ];
    let found = shop
        .call("POST", "/SearchByCustomerChannelValue", &search)
        .await;
    assert_eq!(found.body["item"]["id"], 3, "of several the lowest number");
}

#[tokio::test]
async fn channel_pairs_add_what_is_absent_in_the_order_of_their_numbers() {
    let shop = Shop::open().await;
    let fields = [
        ("customerChannelType_10", "4"),
        ("customerChannelValue_10", "last"),
        ("customerChannelType_2", "telephone"),
        ("customerChannelValue_2", "+311"),
        ("customerChannelType_0", "1"),
        ("customerChannelValue_0", "Zoe@Example.org"),
        ("customerChannelType_x", "ignored"),
    ];
    shop.call("PUT", "/2", &fields)
        .await
        .done("Customer updated.");
    let wanted = ["email zoe@example.org", "telephone +311", "twitter last"];
    assert_eq!(shop.addresses(2).await, wanted);
    shop.call("PUT", "/2", &fields)
        .await
        .done("Customer updated.");
    assert_eq!(shop.addresses(2).await, wanted);
    for alone in ["customerChannelType_7", "customerChannelValue_7"] {
        let answer = shop
            .call("PUT", "/2", &[(alone, "4"), ("firstname", "No")])
            .await;
        answer.refused(
            400,
            "customerChannelType_7 and customerChannelValue_7 need each other.",
        );
    }
    let fields = [
        ("customerChannelType_0", "8"),
        ("customerChannelValue_0", "x"),
    ];
    let answer = shop.call("PUT", "/2", &fields).await;
    answer.refused(400, "customerChannelType_0 is not a channel that exists.");
    assert_eq!(shop.item(2).await["firstname"], "Zoë");
}

#[tokio::test]
async fn an_update_by_names_needs_one_customer_that_they_all_name() {
    let shop = Shop::open().await;
    let put = async |fields: &[(&str, &str)]| shop.call("PUT", "", fields).await;
    put(&[("primaryID", "C-2"), ("lastname", "S")])
        .await
        .done("Customer updated.");
    assert_eq!(shop.item(2).await["lastname"], "S");
    let all = [("customerID", "1"), ("primaryID", "text"), ("brandID", "1")];
    put(&all).await.done("Customer updated.");
    let clash = "customerID, primaryID and brandID name different customers.";
    put(&[("customerID", "1"), ("primaryID", "C-2")])
        .await
        .refused(400, clash);
    put(&[("customerID", "1"), ("brandID", "2")])
        .await
        .refused(400, clash);
    put(&[("customerID", "1"), ("brandID", "9")])
        .await
        .refused(400, "This brand does not exist.");
    put(&[("customerID", "4")]).await.refused(400, UNKNOWN);
    put(&[("customerID", "99999999999999999999")])
        .await
        .refused(400, UNKNOWN);
    put(&[("customerID", "x")])
        .await
        .refused(400, "customerID must be a number.");
    put(&[("primaryID", "nope")]).await.refused(400, UNKNOWN);
    put(&[("primaryID", "text")]).await.refused(
        400,
        "Several brands have a customer with this primaryID: brandID is required.",
    );
    let none = "customerID, or primaryID with brandID, is required.";
    put(&[("brandID", "1")]).await.refused(400, none);
    put(&[("customer_id", "1"), ("primary_id", "C-2")])
        .await
        .refused(400, none);
}

#[tokio::test]
async fn an_update_keeps_what_is_not_sent_and_deletes_custom_fields_that_are_empty() {
    let shop = Shop::open().await;
    let before = shop.item(1).await;
    shop.call("PUT", "/1", &[]).await.done("Customer updated.");
    let fields = [
        ("firstname", ""),
        ("lastname", ""),
        ("brandID", "1"),
        ("unknown", "1"),
    ];
    shop.call("PUT", "/1", &fields)
        .await
        .done("Customer updated.");
    assert_eq!(shop.item(1).await, before);

    let fields = [("custom_testfield", ""), ("custom_new", "a\u{0}\n'\";--")];
    shop.call("PUT", "/1", &fields)
        .await
        .done("Customer updated.");
    let item = shop.item(1).await;
    assert_eq!(item.get("custom_testfield"), None);
    assert_eq!(item["custom_new"], "a\u{0}\n'\";--");
    shop.call("PUT", "/1", &[("brandID", "2")])
        .await
        .refused(400, "This customer belongs to another brand.");
    shop.call("PUT", "/4", &[]).await.refused(400, UNKNOWN);
}

#[tokio::test]
async fn an_added_channel_names_its_customer_and_one_address_at_least() {
    let shop = Shop::open().await;
    let add = async |fields: &[(&str, &str)]| shop.call("POST", "/addChannelOnly", fields).await;
    let one = ("extra_twitter", "z");
    add(&[("customer_id", "2")]).await.refused(
        400,
        "One of extra_email, extra_telephone, extra_twitter and extra_facebook is required.",
    );
    add(&[one]).await.refused(
        400,
        "customer_id, or primary_id with brand_id, is required.",
    );
    add(&[one, ("primary_id", "C-2")])
        .await
        .refused(400, "brand_id is required.");
    add(&[
        one,
        ("customer_id", "1"),
        ("primary_id", "C-2"),
        ("brand_id", "1"),
    ])
    .await
    .refused(
        400,
        "customer_id, primary_id and brand_id name different customers.",
    );
    add(&[
        one,
        ("customer_id", "1"),
        ("primary_id", "text"),
        ("brand_id", "1"),
    ])
    .await
    .done("Channel added.");
    add(&[one, ("customer_id", "1")])
        .await
        .done("Channel added.");
    assert_eq!(shop.addresses(1).await[2..], ["twitter z"]);
}
