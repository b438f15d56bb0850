//! New customers.

use serde_json::json;

use crate::{NOW, Shop};

#[tokio::test]
async fn a_create_finds_the_customer_by_the_external_id_first() {
    let shop = Shop::open().await;
    let fields = [
        ("brand_id", "1"),
        ("primary_id", "C-2"),
        ("search_customer_channel_value", "thomas@example.org"),
        ("firstname", "Zoe"),
        ("custom_size", "L"),
        ("channel_id", "4"),
        ("customer_link_channel", "zoe_s"),
    ];
    let answer = shop.call("POST", "", &fields).await;
    let body = answer.done("Channel linked to existing customer.");
    assert_eq!(body["customerID"], 2);
    let item = shop.item(2).await;
    assert_eq!(
        (&item["firstname"], &item["custom_size"]),
        (&json!("Zoe"), &json!("L"))
    );
    assert_eq!(item["lastname"], "D'Ávila-Šimek");
    assert_eq!(
        shop.addresses(2).await,
        ["email zoe@example.org", "twitter zoe_s"]
    );
}

#[tokio::test]
async fn a_create_finds_the_customer_by_an_address_where_the_brand_searches_by_channels() {
    let shop = Shop::open().await;
    let by = |brand, value| {
        [
            ("brand_id", brand),
            ("search_customer_channel_value", value),
        ]
    };
    let found = shop.call("POST", "", &by("1", "ZOE@example.org")).await;
    assert_eq!(
        found.done("Channel linked to existing customer.")["customerID"],
        2
    );
    let found = shop.call("POST", "", &by("1", "+31612312311")).await;
    assert_eq!(
        found.done("Channel linked to existing customer.")["customerID"],
        1
    );

    // The address is linked, so that the same call finds the customer that it created.
    for (value, channel) in [
        ("New@example.org", "email new@example.org"),
        ("+315", "telephone +315"),
        ("77", "facebook 77"),
        ("new_one", "twitter new_one"),
    ] {
        let new = shop.call("POST", "", &by("1", value)).await;
        let id = &new.done("User created and channel linked.")["customerID"];
        assert_eq!(shop.addresses(id.as_i64().unwrap()).await, [channel]);
        assert_eq!(
            shop.item(id.as_i64().unwrap()).await["external_primary_id"],
            json!(null)
        );
        let again = shop.call("POST", "", &by("1", value)).await;
        assert_eq!(
            &again.done("Channel linked to existing customer.")["customerID"],
            id
        );
    }
    let answer = shop.call("POST", "", &by("1", "@new")).await;
    answer.refused(
        400,
        "search_customer_channel_value is not a valid address of any channel.",
    );
    let answer = shop.call("POST", "", &by("2", "thomas@example.org")).await;
    answer.refused(400, "primary_id is required.");
    let answer = shop.call("POST", "", &[("brand_id", "1")]).await;
    answer.refused(
        400,
        "primary_id or search_customer_channel_value is required.",
    );
}

#[tokio::test]
async fn a_channel_without_an_address_is_ignored_and_an_address_without_a_channel_refused() {
    let shop = Shop::open().await;
    let base = [("brand_id", "1"), ("primary_id", "C-9")];
    let with = |more: &[(&'static str, &'static str)]| [&base, more].concat();
    let answer = shop
        .call("POST", "", &with(&[("customer_link_channel", "a@b.nl")]))
        .await;
    answer.refused(400, "channel_id is required.");
    for (channel, address) in [
        ("1", "+31"),
        ("telephone", "a@b.nl"),
        ("3", "x"),
        ("twitter", "@x"),
    ] {
        let fields = with(&[("channel_id", channel), ("customer_link_channel", address)]);
        let answer = shop.call("POST", "", &fields).await;
        answer.refused(
            400,
            "customer_link_channel is not a valid address of its channel.",
        );
    }
    let answer = shop.call("POST", "", &with(&[("channel_id", "fax")])).await;
    answer.done("User created and channel linked.");
    assert_eq!(shop.addresses(5).await, [""; 0]);
}

#[tokio::test]
async fn an_unknown_ticket_undoes_the_whole_create() {
    let shop = Shop::open().await;
    for (brand, ticket) in [("1", "1"), ("2", "858462"), ("1", "99999999999999999999")] {
        let fields = [
            ("brand_id", brand),
            ("primary_id", "C-9"),
            ("firstname", "Ana"),
            ("ticket_id", ticket),
        ];
        let answer = shop.call("POST", "", &fields).await;
        answer.refused(400, "This ticket does not exist.");
    }
    assert_eq!(shop.get("").await.body["itemTotal"], 3);
}

#[tokio::test]
async fn a_strict_create_needs_a_primary_id_that_is_free_in_its_brand() {
    let shop = Shop::open().await;
    let create =
        async |fields: &[(&str, &str)]| shop.call("POST", "/createCustomerCRUD", fields).await;
    create(&[("brandID", "1")])
        .await
        .refused(400, "primaryID is required.");
    create(&[("brandID", "1"), ("primaryID", "")])
        .await
        .refused(400, "primaryID is required.");
    create(&[("primaryID", "C-9")])
        .await
        .refused(400, "brandID is required.");
    create(&[("brandID", "9"), ("primaryID", "C-9")])
        .await
        .refused(400, "This brand does not exist.");
    let taken = create(&[("brandID", "1"), ("primaryID", "text"), ("firstname", "No")]).await;
    taken.refused(400, "This customer already exists.");
    let other = create(&[
        ("brandID", "2"),
        ("primaryID", "C-2"),
        ("custom_a", "1"),
        ("custom_b", ""),
    ])
    .await;
    assert_eq!(other.done("Customer created.")["customerID"], 5);
    let item = shop.item(5).await;
    assert_eq!(
        (&item["custom_a"], item.get("custom_b")),
        (&json!("1"), None)
    );
    assert_eq!(
        (&item["firstname"], &item["created_at"]),
        (&json!(""), &json!(NOW))
    );
    assert_eq!(shop.item(1).await["firstname"], "Thomas");
}

#[tokio::test]
async fn a_number_is_never_given_again() {
    let shop = Shop::open().await;
    let create = async |id: &str| {
        let fields = [
            ("brandID", "1"),
            ("primaryID", id),
            ("customerChannelType_0", "4"),
            ("customerChannelValue_0", id),
        ];
        let answer = shop.call("POST", "/createCustomerCRUD", &fields).await;
        answer.done("Customer created.")["customerID"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(create("a").await, 5);
    shop.call("DELETE", "/5", &[])
        .await
        .done("Customer deleted.");
    assert_eq!(create("b").await, 6);
    assert_eq!(shop.item(6).await["channels"][0]["id"], 6);
}

#[tokio::test]
async fn of_two_creates_with_one_external_id_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnidesk.db");
    let store = omnidesk::store::Store::open(Some(&file)).await.unwrap();
    store.load_demo(NOW).await.unwrap();
    let shop = Shop::over(store);
    let race = async |path: &'static str, fields: &'static [(&str, &str)]| {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let shop = shop.clone();
            calls.spawn(async move { shop.call("POST", path, fields).await.body });
        }
        let mut messages: Vec<_> = calls.join_all().await;
        messages.sort_by_key(|body| body["message"].to_string());
        messages
    };
    let strict = race(
        "/createCustomerCRUD",
        &[("brandID", "1"), ("primaryID", "C-9")],
    )
    .await;
    let won = json!({"type": "result", "message": "Customer created.", "customerID": 5});
    let lost = json!({"status": "error", "message": "This customer already exists."});
    assert_eq!(strict[0], won);
    assert!(strict[1..].iter().all(|body| *body == lost), "{strict:?}");

    let found = race(
        "",
        &[("brand_id", "1"), ("search_customer_channel_value", "+319")],
    )
    .await;
    assert_eq!(found[7]["message"], "User created and channel linked.");
    for body in &found {
        assert_eq!(body["customerID"], 6);
    }
    assert_eq!(shop.get("").await.body["itemTotal"], 5);
}
