//! Whatever is sent, the answer has the API's own shape, and a refused request changes nothing.

use axum::{body::Body, http::Request};
use churnkey_conformance::Client;
use churnkey_integrator::{
    CustomerId, CustomersController, RequestContext, Result, controller, model::Customer,
};
use example_app::demo_token;
use merchant_cases::{Merchant, Request as Raw};
use omnidesk::{churnkey::integration, store::Store};
use serde_json::{Value, json};

use crate::{Answer, KEY, NOW, Shop};

const STRICT: &str = "/api/v2/customer/createCustomerCRUD";

/// Sends a body as it is.
async fn send(shop: &Shop, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::post(STRICT).header("apiKey", KEY);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    shop.send(request.body(body.into()).unwrap()).await
}

fn part(head: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
}

#[tokio::test]
async fn every_encoding_says_the_same() {
    let shop = Shop::open().await;
    let multipart = part("name=primaryID", "m") + &part("name=\"brandID\"", "2") + "--b--\r\n";
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "primaryID=u&brandID=2"),
        (
            "APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8",
            "primaryID=no&primaryID=U&brandID=2&&",
        ),
        (
            "application/json",
            r#"{"primaryID": "j", "brandID": 2, "firstname": null, "custom_yes": true}"#,
        ),
        (
            "application/json; charset=utf-8",
            r#"{"primaryID": "no", "brandID": "2", "primaryID": "J"}"#,
        ),
        ("multipart/form-data; boundary=b", &multipart),
        (
            "Multipart/Form-Data; boundary=\"b\"",
            &multipart.replace("\r\nm\r\n", "\r\nM\r\n"),
        ),
    ] {
        send(&shop, Some(kind), body.to_owned())
            .await
            .done("Customer created.");
    }
    for id in ["u", "U", "j", "J", "m", "M"] {
        let fields = [("primary_id", id), ("brand_id", "2")];
        let found = shop
            .call("POST", "/SearchByPrimaryExternalID", &fields)
            .await;
        assert_eq!(found.status, 200, "{id}");
    }
    assert_eq!(shop.item(7).await["custom_yes"], "true");
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_refused_by_name() {
    let shop = Shop::open().await;
    let multipart = "multipart/form-data; boundary=b";
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let good = part("name=primaryID", "C-9");
    let file = part("name=primaryID; filename=\"a.txt\"", "C-9") + "--b--\r\n";
    let nameless = part("x=y", "C-9") + "--b--\r\n";
    let malformed = "The multipart body is malformed.";
    let object = "The body must be a JSON object.";
    let deep = "[".repeat(100_000);
    for (kind, body, message) in [
        (json, "{\"primaryID\":", object),
        (json, "[]", object),
        (json, "[\"C-9\"]", object),
        (json, "[{\"primaryID\": \"C-9\"}]", object),
        (json, "null", object),
        (json, "{}{}", object),
        (json, "\u{feff}{}", object),
        (json, &deep, object),
        (
            json,
            "{\"primaryID\": [\"a\"]}",
            "The JSON body must not hold lists or objects.",
        ),
        (
            json,
            "{\"primaryID\": {}}",
            "The JSON body must not hold lists or objects.",
        ),
        (
            json,
            "{\"primaryID\": \"a\", \"brandID\": 1.5}",
            "brandID must be a number.",
        ),
        (
            json,
            "{\"primaryID\": \"a\", \"brandID\": -1}",
            "brandID must be a number.",
        ),
        (
            "multipart/form-data",
            &good,
            "The multipart body needs a boundary in its Content-Type.",
        ),
        ("multipart/form-data; boundary=", &good, malformed),
        (multipart, "no parts", malformed),
        (multipart, &good, malformed),
        (multipart, &file, "Files are not accepted."),
        (multipart, &nameless, "A part of the body has no name."),
        (form, "primaryID=%FF", "The parameters must be UTF-8."),
        (form, "%C3=1", "The parameters must be UTF-8."),
        (form, "", "primaryID is required."),
        (multipart, "", "primaryID is required."),
        (json, "", "primaryID is required."),
    ] {
        let answer = send(&shop, Some(kind), body.to_owned()).await;
        assert_eq!(
            (answer.status, &answer.body["message"]),
            (400, &json!(message)),
            "{kind} {body:.60}"
        );
    }
    let bytes = [
        &b"--b\r\nContent-Disposition: form-data; name=primaryID\r\n\r\n"[..],
        b"\xff\r\n--b--\r\n",
    ];
    let answer = send(&shop, Some(multipart), bytes.concat()).await;
    answer.refused(400, "The body must be UTF-8.");
    assert_eq!(
        send(&shop, Some(json), &b"{\"primaryID\": \"\xff\"}"[..])
            .await
            .status,
        400
    );
    assert_eq!(shop.get("").await.body["itemTotal"], 3);
}

#[tokio::test]
async fn another_content_type_is_a_415_and_a_large_body_a_413() {
    let shop = Shop::open().await;
    for kind in [
        Some("text/plain"),
        Some("application/xml"),
        Some(""),
        Some("json"),
        None,
    ] {
        assert_eq!(
            send(&shop, kind, "primaryID=C-9").await.status,
            415,
            "{kind:?}"
        );
    }
    assert_eq!(send(&shop, Some("text/plain"), "").await.status, 415);
    send(&shop, None, "")
        .await
        .refused(400, "primaryID is required.");

    let fits = format!(
        "brandID=1&primaryID=C-9&unknown={}",
        "x".repeat(1024 * 1024 - 32)
    );
    assert_eq!(fits.len(), 1024 * 1024);
    let form = Some("application/x-www-form-urlencoded");
    send(&shop, form, fits.clone())
        .await
        .done("Customer created.");
    let answer = send(&shop, form, fits + "x").await;
    answer.refused(413, "The body is larger than 1 MiB.");
}

#[tokio::test]
async fn hostile_text_is_data_or_refused() {
    let shop = Shop::open().await;
    let texts = [
        "'; DROP TABLE customers; --",
        "\" OR 1=1",
        "a\u{0}b",
        "a\r\nSet-Cookie: x",
        "\u{202e}\u{feff}",
        "%00%27",
        "${jndi:ldap://x}",
        "<script>",
        "\\",
    ];
    let names = [
        "primary_id",
        "primaryID",
        "externalPrimaryID",
        "external_id",
        "brand_id",
        "brandID",
        "customer_id",
        "customerID",
        "channel_id",
        "customer_link_channel",
        "search_customer_channel_value",
        "noSync",
        "firstname",
        "lastname",
        "ticket_id",
        "extra_email",
        "extra_telephone",
        "extra_twitter",
        "extra_facebook",
        "message",
        "initiated_by",
        "source_url",
        "customerChannelValue",
        "customerChannelType_0",
        "customerChannelValue_0",
        "channel",
        "address",
        "custom_x",
        "custom_",
        "unknown",
    ];
    let calls = [
        ("POST", "", vec![("brand_id", "1"), ("primary_id", "C-2")]),
        ("PUT", "", vec![("customerID", "2")]),
        ("PUT", "/2", vec![]),
        (
            "PUT",
            "/updateCustomer",
            vec![("externalPrimaryID", "C-2"), ("brandID", "1")],
        ),
        (
            "POST",
            "/addChannelOnly",
            vec![("customer_id", "2"), ("extra_twitter", "z")],
        ),
        (
            "POST",
            "/createCustomerCRUD",
            vec![("brandID", "2"), ("primaryID", "new")],
        ),
        (
            "POST",
            "/externalEvent",
            vec![("customer_id", "2"), ("message", "m")],
        ),
        (
            "POST",
            "/syncWithCRM",
            vec![("brandID", "2"), ("channel", "email"), ("address", "a")],
        ),
        (
            "POST",
            "/SearchByPrimaryExternalID",
            vec![("brand_id", "1"), ("primary_id", "C-2")],
        ),
        (
            "POST",
            "/SearchByCustomerChannelValue",
            vec![
                ("brand_id", "1"),
                ("customerChannelValue", "zoe@example.org"),
            ],
        ),
    ];
    for (method, path, good) in &calls {
        for name in names {
            for text in texts {
                let mut fields = good.clone();
                fields.push((name, text));
                let answer = shop.call(method, path, &fields).await;
                assert!(
                    matches!(answer.status, 200 | 400),
                    "{method} {path} {name} {text:?} {answer:?}"
                );
                let told = answer.body.to_string();
                assert!(answer.status == 200 || !told.contains(text), "{told}");
            }
        }
    }
    for text in texts {
        for name in [
            "query",
            "itemStart",
            "itemLimit",
            "brand_id",
            "external_id",
            "getTicketHistory",
        ] {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs([("external_id", "C-2"), ("brand_id", "1"), (name, text)]);
            let query = query.finish();
            for path in ["", "/timelineByCustomerExternalID"] {
                let answer = shop.get(&format!("{path}?{query}")).await;
                assert!(
                    matches!(answer.status, 200 | 400),
                    "{path}?{query} {answer:?}"
                );
            }
        }
    }
    assert_eq!(shop.item(1).await["firstname"], "Thomas");
    assert_eq!(shop.item(2).await["firstname"], "Zoë");
}

#[tokio::test]
async fn a_custom_field_has_a_name_and_a_length() {
    let shop = Shop::open().await;
    let named = "A custom field is named custom_ and 1 to 64 letters, digits or underscores.";
    for name in ["custom_", "custom_a-b", "custom_é", "custom_a b"] {
        shop.call("PUT", "/2", &[(name, "x")])
            .await
            .refused(400, named);
    }
    let long = "é".repeat(4097);
    let answer = shop.call("PUT", "/2", &[("custom_a", &long)]).await;
    answer.refused(400, "A custom field holds at most 4096 characters.");
    shop.call("PUT", "/2", &[("custom_a", &long[2..])])
        .await
        .done("Customer updated.");
    assert_eq!(shop.item(2).await["custom_a"], long[2..]);
}

#[tokio::test]
async fn odd_requests_are_answered_over_a_socket_too() {
    let merchant = Merchant::new("omnidesk", env!("CARGO_BIN_EXE_omnidesk"));
    let program = merchant.start().await.unwrap();
    let send = async |method: &str, path: &str, kind: &str, body: Option<Vec<u8>>| {
        let headers = [("apikey", KEY), ("content-type", kind)];
        let request = Raw {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body,
        };
        let answer = program.send(&request).await.unwrap();
        (answer.status, answer.json().unwrap_or(Value::Null))
    };
    let form = "application/x-www-form-urlencoded";
    let error = |message: &str| json!({"status": "error", "message": message});
    let large = Some(vec![b'x'; 2 * 1024 * 1024]);
    let too_large = (413, error("The body is larger than 1 MiB."));
    assert_eq!(send("POST", STRICT, form, large.clone()).await, too_large);
    assert_eq!(
        send(
            "PUT",
            "/api/v2/customer/1",
            "application/json",
            large.clone()
        )
        .await,
        too_large
    );
    let multipart = "multipart/form-data; boundary=b";
    assert_eq!(send("POST", STRICT, multipart, large).await, too_large);
    let unknown = (404, error("This path does not exist."));
    assert_eq!(send("GET", "//api/v2/customer", form, None).await, unknown);
    assert_eq!(
        send("GET", "/api/v2/customer//1", form, None).await,
        unknown
    );
    let wrong = (405, error("This method is not allowed here."));
    assert_eq!(send("BREW", "/api/v2/customer", form, None).await, wrong);
    let done = json!({"type": "result", "message": "Customer deleted."});
    assert_eq!(
        send("DELETE", "/api/v2/customer/3", form, Some(b"a=%FF".into())).await,
        (200, done)
    );
    let purge = Some(b"externalPrimaryID=C-2&brandID=1".to_vec());
    let done = json!({"type": "result", "message": "Customer data purged."});
    assert_eq!(
        send("DELETE", "/api/v2/customer/purgedata", form, purge).await,
        (200, done)
    );
    let (status, body) = send("HEAD", "/api/v2/customer/1", form, None).await;
    assert_eq!((status, body), (200, Value::Null));
    let (status, body) = send("HEAD", STRICT, form, None).await;
    assert_eq!((status, body), (405, Value::Null));
}

#[tokio::test]
async fn a_broken_store_is_a_500_that_tells_nothing() {
    let shop = Shop::open().await;
    let mut tx = shop.store.write().await.unwrap();
    let rename = "ALTER TABLE channels RENAME TO secrets";
    sqlx::raw_sql(rename).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let sentence = "Something went wrong on our side.";
    shop.get("/1").await.refused(500, sentence);
    let fields = [
        ("brand_id", "1"),
        ("primary_id", "C-9"),
        ("extra_email", "a@b.nl"),
    ];
    shop.call("POST", "", &fields).await.refused(500, sentence);
    let churnkey = shop.churnkey().get("/churnkey/customers/1").await;
    assert_eq!(
        (churnkey.status(), churnkey.message()),
        (500, Some("Internal Server Error"))
    );
    let mut db = shop.store.read().await.unwrap();
    let rows = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM customers");
    assert_eq!(
        rows.fetch_one(&mut *db).await.unwrap(),
        4,
        "nothing half done"
    );
}

#[tokio::test]
async fn a_store_that_another_program_writes_to_for_long_is_a_503() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnidesk.db");
    let store = Store::open(Some(&file)).await.unwrap();
    store.load_demo(NOW).await.unwrap();
    let other = Store::open(Some(&file)).await.unwrap();
    let writing = other.write().await.unwrap();
    let shop = Shop::over(store);
    let answer = shop.call("PUT", "/1", &[("firstname", "Tom")]).await;
    answer.refused(503, "The store is busy, please try again.");
    assert_eq!(shop.item(1).await["firstname"], "Thomas", "readers go on");
    drop(writing);
    shop.call("PUT", "/1", &[("firstname", "Tom")])
        .await
        .done("Customer updated.");
}

/// Customers in a database that has no connection left.
struct Busy;

#[controller]
impl CustomersController for Busy {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Err(sqlx::Error::PoolTimedOut)?
    }
}

#[tokio::test]
async fn churnkey_is_told_to_come_again_while_the_database_is_busy() {
    let token = demo_token().unwrap();
    let integration = integration(Busy, token.clone()).unwrap();
    let client = Client::new(integration.into_router(), token);
    let answer = client.get("/churnkey/customers/1").await;
    assert_eq!(
        (answer.status(), answer.header("retry-after")),
        (503, Some("1"))
    );
}
