//! The rules of the merchant's own API that the cases don't show.

use serde_json::json;

use crate::{KEY, NOW, Shop};

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

    // The address is linked, so that the same call finds whom it has made.
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
async fn a_ticket_is_linked_when_it_is_named_or_comes_from_a_new_address() {
    let shop = Shop::open().await;
    assert_eq!(shop.tickets(1, "text").await, [858462]);
    let named = [
        ("brand_id", "1"),
        ("primary_id", "C-2"),
        ("ticket_id", "858462"),
        ("noSync", "1"),
    ];
    shop.call("POST", "", &named)
        .await
        .done("Channel linked to existing customer.");
    assert_eq!(shop.tickets(1, "text").await, [0; 0]);
    assert_eq!(shop.tickets(1, "C-2").await, [858462]);
    let deleted = shop.call("DELETE", "/2", &[]).await;
    deleted.done("Customer deleted.");
    shop.call("DELETE", "/1", &[])
        .await
        .done("Customer deleted.");

    let mail = ("extra_email", "Thomas@example.org");
    for (no_sync, tickets) in [("yes", vec![]), ("true", vec![]), ("0", vec![858462])] {
        let fields = [
            ("brand_id", "1"),
            ("primary_id", "new"),
            mail,
            ("noSync", no_sync),
        ];
        shop.call("POST", "", &fields)
            .await
            .done("User created and channel linked.");
        assert_eq!(shop.tickets(1, "new").await, tickets, "noSync={no_sync}");
        let found = shop
            .call("POST", "/SearchByPrimaryExternalID", &fields)
            .await;
        let id = found.body["item"]["id"].as_i64().unwrap();
        shop.call("DELETE", &format!("/{id}"), &[])
            .await
            .done("Customer deleted.");
    }
    let fields = [("brand_id", "1"), ("primary_id", "new")];
    let answer = shop.call("POST", "", &fields).await;
    let id = answer.done("User created and channel linked.")["customerID"].to_string();
    let fields = [("customer_id", id.as_str()), mail, ("noSync", "false")];
    shop.call("POST", "/addChannelOnly", &fields)
        .await
        .done("Channel added.");
    assert_eq!(shop.tickets(1, "new").await, [858462]);
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

#[tokio::test]
async fn a_purge_leaves_a_tombstone_and_nothing_else() {
    let shop = Shop::open().await;
    shop.call("DELETE", "/purgeData/1", &[])
        .await
        .done("Customer data purged.");
    for (method, path) in [
        ("GET", "/1"),
        ("PUT", "/1"),
        ("DELETE", "/1"),
        ("DELETE", "/PURGEDATA/1"),
    ] {
        shop.call(method, path, &[]).await.refused(400, UNKNOWN);
    }
    let event = [("customer_id", "1"), ("message", "m")];
    shop.call("POST", "/externalEvent", &event)
        .await
        .refused(400, UNKNOWN);
    shop.call("DELETE", "/channel/1", &[])
        .await
        .refused(400, "This channel does not exist.");
    assert_eq!(shop.get("").await.body["itemTotal"], 2);

    // The external id and the address are free; of the ticket nothing tells whose it was.
    let fields = [
        ("brand_id", "1"),
        ("primary_id", "text"),
        ("extra_email", "thomas@example.org"),
    ];
    let new = shop.call("POST", "", &fields).await;
    assert_eq!(
        new.done("User created and channel linked.")["customerID"],
        5
    );
    assert_eq!(shop.tickets(1, "text").await, [0; 0]);
}

#[tokio::test]
async fn a_purge_also_clears_unlinked_tickets_from_its_addresses() {
    let shop = Shop::open().await;
    shop.call("DELETE", "/1", &[])
        .await
        .done("Customer deleted.");
    let fields = [
        ("brand_id", "1"),
        ("primary_id", "again"),
        ("extra_email", "thomas@example.org"),
        ("noSync", "1"),
    ];
    shop.call("POST", "", &fields)
        .await
        .done("User created and channel linked.");
    shop.call("DELETE", "/purgeData/5", &[])
        .await
        .done("Customer data purged.");
    shop.call("POST", "", &fields[..3])
        .await
        .done("User created and channel linked.");
    assert_eq!(shop.tickets(1, "again").await, [0; 0]);
}

#[tokio::test]
async fn the_older_purge_takes_its_fields_from_the_query_or_the_body() {
    let shop = Shop::open().await;
    let purge = "/purgedata?externalPrimaryID=C-2&brandID=1";
    shop.call("DELETE", purge, &[])
        .await
        .done("Customer data purged.");
    shop.call("DELETE", purge, &[]).await.refused(400, UNKNOWN);
    let body = [("externalPrimaryID", "text"), ("brandID", "2")];
    shop.call("DELETE", "/purgeData", &body)
        .await
        .done("Customer data purged.");
    shop.get("/3").await.refused(400, UNKNOWN);
    shop.call("DELETE", "/purgedata", &[])
        .await
        .refused(400, "externalPrimaryID is required.");
    assert_eq!(shop.item(1).await["id"], 1);
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
async fn an_event_has_a_message_and_a_link_that_is_safe_to_follow() {
    let shop = Shop::open().await;
    let add = async |fields: &[(&str, &str)]| shop.call("POST", "/externalEvent", fields).await;
    let by = [("customer_id", "2")];
    let with = |more: &[(&'static str, &'static str)]| [&by, more].concat();
    add(&by)
        .await
        .refused(400, "message must have 1 to 4096 characters.");
    let long = "é".repeat(4097);
    add(&[by[0], ("message", &long)])
        .await
        .refused(400, "message must have 1 to 4096 characters.");
    for url in [
        "text",
        "javascript:alert(1)",
        "//shop.example/",
        "ftp://shop.example/",
        "http://",
        "/a",
    ] {
        let answer = add(&with(&[("message", "m"), ("source_url", url)])).await;
        answer.refused(400, "source_url must be an http or https URL.");
    }
    let answer = add(&[
        by[0],
        ("message", &long[2..]),
        ("source_url", "HTTPS://shop.example/?a=1#b"),
    ])
    .await;
    assert_eq!(answer.done("External event created.")["eventID"], 2);
    add(&[("external_id", "C-2"), ("message", "m")])
        .await
        .refused(400, "brand_id is required.");
    add(&[("external_id", "new"), ("brand_id", "1"), ("message", "m")])
        .await
        .refused(400, UNKNOWN);
    let last = add(&[
        ("external_id", "C-2"),
        ("brand_id", "1"),
        ("message", "two\nlines"),
    ])
    .await;
    assert_eq!(last.done("External event created.")["eventID"], 3);

    let timeline = shop
        .get("/TIMELINEbycustomerexternalid?brand_id=1&external_id=C-2")
        .await
        .body;
    let wanted = json!({"id": 3, "type": "external_event", "message": "two\nlines", "initiated_by": null,
        "source_url": null, "created_at": NOW});
    assert_eq!(timeline["items"][1], wanted);
    let timeline = "/timelineByCustomerExternalID?";
    shop.get(&format!("{timeline}brand_id=1"))
        .await
        .refused(400, "external_id is required.");
    shop.get(&format!("{timeline}external_id=C-2"))
        .await
        .refused(400, "brand_id is required.");
    shop.get(&format!("{timeline}brand_id=2&external_id=C-2"))
        .await
        .refused(400, UNKNOWN);
}

#[tokio::test]
async fn a_timeline_has_both_kinds_oldest_first_and_tickets_on_any_value() {
    let shop = Shop::open().await;
    let path = "/timelineByCustomerExternalID?brand_id=1&external_id=text";
    let ticket = json!({"id": 858462, "type": "ticket", "ticket_id": 858462, "status": "new", "channel_id": 1,
        "created_at": "2024-02-01 10:00:00"});
    for (history, items) in [
        ("", 1),
        ("&getTicketHistory", 2),
        ("&getTicketHistory=", 2),
        ("&getTicketHistory=0", 2),
    ] {
        let body = shop.get(&format!("{path}{history}")).await.body;
        assert_eq!(body["type"], "timeline");
        assert_eq!(body["items"].as_array().unwrap().len(), items, "{history}");
        assert_eq!(body["items"][0]["type"], "external_event");
        if items == 2 {
            assert_eq!(body["items"][1], ticket);
        }
    }
    let event = [("customer_id", "1"), ("message", "later")];
    shop.call("POST", "/externalEvent", &event)
        .await
        .done("External event created.");
    let body = shop.get(&format!("{path}&getTicketHistory=1")).await.body;
    assert_eq!(body["items"][1], ticket);
    assert_eq!(body["items"][2]["message"], "later");
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

#[tokio::test]
async fn a_key_may_stand_in_the_header_or_the_query_and_the_header_counts() {
    let shop = Shop::open().await;
    let get = async |header: Option<&str>, query: &str| {
        let mut request = axum::http::Request::get(format!("/api/v2/customer/1{query}"));
        if let Some(key) = header {
            request = request.header("APIKEY", key);
        }
        shop.send(request.body(axum::body::Body::empty()).unwrap())
            .await
            .status
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
