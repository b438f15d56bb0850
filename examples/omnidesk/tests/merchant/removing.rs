//! Deleting and purging.

use crate::Shop;

const UNKNOWN: &str = "This customer does not exist.";

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

    // The external id and the address are free again. The ticket has no trace of the customer.
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
