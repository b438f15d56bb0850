//! Tickets and events.

use serde_json::json;

use crate::{NOW, Shop};

const UNKNOWN: &str = "This customer does not exist.";

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
