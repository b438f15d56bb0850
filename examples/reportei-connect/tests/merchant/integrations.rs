//! `/customer-integrations`: what a customer has connected, and the sessions to connect more.

use std::path::Path;

use example_app::Generator;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    C2, C2_TOKEN, C3_TOKEN, INSTAGRAM, Merchant, NOBODY, OTHER_TOKEN, error, invalid, unknown,
};

fn instagram() -> Value {
    json!({
        "uuid": INSTAGRAM,
        "source_name": "reportei",
        "status": "active",
        "created_at": "2024-09-24 19:10:00",
        "updated_at": "2024-09-24 19:10:00",
        "integration": {"name": "Instagram Business", "slug": "instagram_business"}
    })
}

async fn begin(merchant: &Merchant, body: Value) -> (u16, Value) {
    let path = "/customer-integrations/session";
    merchant.call_for(C2_TOKEN, "POST", path, body).await
}

async fn begun(merchant: &Merchant, body: Value) -> String {
    let (status, session) = begin(merchant, body).await;
    assert_eq!(status, 201);
    session["integration_session"]["session_uuid"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_customers_integrations_are_listed_and_shown() {
    let merchant = Merchant::new().await;
    let list = merchant
        .call_for(C2_TOKEN, "GET", "/customer-integrations", json!(null))
        .await;
    let expected = json!({
        "data": [instagram()],
        "meta": {
            "current_page": 1, "from": 1, "last_page": 1, "per_page": 15, "to": 1, "total": 1,
            "path": "https://connect.example/api/customer-integrations"
        }
    });
    assert_eq!(list, (200, expected));
    let path = "/customer-integrations?page=2&per_page=1";
    let (_, past) = merchant.call_for(C2_TOKEN, "GET", path, json!(null)).await;
    assert_eq!(
        (&past["data"], &past["meta"]["current_page"]),
        (&json!([]), &json!(2))
    );
    let refused = merchant.call_for(
        C2_TOKEN,
        "GET",
        "/customer-integrations?page=0",
        json!(null),
    );
    assert_eq!(
        refused.await,
        invalid("page", "The page field must be at least 1.")
    );

    let path = format!("/customer-integrations/{INSTAGRAM}");
    let shown = merchant.call_for(C2_TOKEN, "GET", &path, json!(null)).await;
    assert_eq!(shown, (200, json!({"customer_integration": instagram()})));
    // It belongs to no other customer.
    let others = [
        ("authorization", OTHER_TOKEN),
        ("x-customer-token", C3_TOKEN),
    ];
    assert_eq!(
        merchant.json("GET", &path, &others, json!(null)).await,
        unknown()
    );
    let path = format!("/customer-integrations/{NOBODY}");
    assert_eq!(
        merchant.call_for(C2_TOKEN, "GET", &path, json!(null)).await,
        unknown()
    );
}

#[tokio::test]
async fn a_session_lasts_five_minutes_and_its_link_needs_no_token() {
    let merchant = Merchant::new().await;
    let uuid = "00000000-0000-4000-8000-000000000001";
    let expected = json!({"integration_session": {
        "session_uuid": uuid,
        "session_link": format!("https://connect.example/customer-integrations/session/{uuid}"),
        "expires_at": "2024-10-10T12:05:00.000000Z",
        "merchant": "Reportei",
        "merchant_uuid": "c1e6c85a-6441-4107-ab36-b8bf581b40e0",
        "customer": "Reportei Customer 2",
        "customer_uuid": C2,
        "redirect_url": "https://merchant.example/integrations"
    }});
    assert_eq!(begin(&merchant, json!(null)).await, (201, expected));

    let path = format!("/customer-integrations/session/{uuid}");
    let page = merchant.raw("GET", &path, &[], "").await;
    assert_eq!(
        (page.status(), page.header("cache-control")),
        (200, Some("no-store"))
    );
    assert_eq!(
        page.body()["integration_session"]["customer"],
        "Reportei Customer 2"
    );
    assert_eq!(
        page.body()["available_integrations"][0]["slug"],
        "instagram_business"
    );
    let last = merchant.at("2024-10-10T12:04:59.999Z");
    assert_eq!(last.json("GET", &path, &[], json!(null)).await.0, 200);
    let over = merchant.at("2024-10-10T12:05:00Z");
    let over = over.json("GET", &path, &[], json!(null)).await;
    assert_eq!(
        over,
        error(401, "Integration session is invalid or has expired.")
    );
}

#[tokio::test]
async fn sessions_that_are_over_are_deleted_when_another_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let merchant = Merchant::with(Some(&file), Generator::counting()).await;
    let first = begun(&merchant, json!({"expires_in_minutes": 5})).await;
    let second = begun(&merchant, json!({"expires_in_minutes": 6})).await;
    assert_eq!(sessions(&file).await, [first.as_str(), second.as_str()]);

    // One ends at this time, the other a minute later.
    let later = merchant.at("2024-10-10T12:05:00Z");
    let third = begun(&later, json!(null)).await;
    assert_eq!(sessions(&file).await, [second.as_str(), third.as_str()]);

    // A deleted session has the same answer as an expired one.
    let over = error(401, "Integration session is invalid or has expired.");
    for (uuid, status) in [(&first, 401), (&second, 200), (&third, 200)] {
        let path = format!("/customer-integrations/session/{uuid}");
        let answer = later.json("GET", &path, &[], json!(null)).await;
        assert_eq!(answer.0, status, "{path}");
        assert!(status == 200 || answer == over, "{path}");
    }
    let path = format!("/customer-integrations/session/{NOBODY}");
    assert_eq!(merchant.json("GET", &path, &[], json!(null)).await, over);
}

#[tokio::test]
async fn ended_sessions_are_found_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    Merchant::with(Some(&file), Generator::counting()).await;
    let mut connection = connect(&file).await;
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as("EXPLAIN QUERY PLAN DELETE FROM sessions WHERE expires_at <= 1")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let plan: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
    let expected = "SEARCH sessions USING COVERING INDEX sessions_by_end (expires_at<?)";
    assert_eq!(plan, [expected]);
}

/// The ids of all sessions in a database, in their order.
async fn sessions(file: &Path) -> Vec<String> {
    let mut connection = connect(file).await;
    let ids = sqlx::query_scalar("SELECT uuid FROM sessions ORDER BY uuid");
    ids.fetch_all(&mut connection).await.unwrap()
}

async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file);
    SqliteConnection::connect_with(&options).await.unwrap()
}

#[tokio::test]
async fn limits_have_100_items_4096_characters_and_10_levels_at_most() {
    let merchant = Merchant::new().await;
    let list = |items: usize| json!(vec![1; items]);
    let object = |items: usize| -> Value {
        let entries = (0..items).map(|n| (n.to_string(), json!(1)));
        Value::Object(entries.collect())
    };
    // Quotes and brackets count, and a non-ASCII letter is one character.
    let text = |characters: usize| json!(["\u{eb}".repeat(characters - 4)]);
    let deep = |levels: usize| {
        let nested = "[".repeat(levels) + &"]".repeat(levels);
        serde_json::from_str::<Value>(&nested).unwrap()
    };
    for limits in [list(100), object(100), text(4096), deep(10)] {
        let (status, session) = begin(&merchant, json!({"limits": limits})).await;
        assert_eq!(status, 201);
        let uuid = session["integration_session"]["session_uuid"].as_str();
        let path = format!("/customer-integrations/session/{}", uuid.unwrap());
        let (_, page) = merchant.json("GET", &path, &[], json!(null)).await;
        let shown = &page["integration_session"]["options"];
        assert_eq!(*shown, json!({"limits": limits}));
    }
    let items = invalid(
        "limits",
        "The limits field must not have more than 100 items.",
    );
    let characters = invalid(
        "limits",
        "The limits field must not be greater than 4096 characters.",
    );
    let levels = invalid(
        "limits",
        "The limits field must not be nested more than 10 levels deep.",
    );
    for (limits, refused) in [
        (list(101), items.clone()),
        (object(101), items),
        (text(4097), characters),
        (deep(11), levels),
    ] {
        assert_eq!(begin(&merchant, json!({"limits": limits})).await, refused);
    }
}

#[tokio::test]
async fn a_session_has_options() {
    let merchant = Merchant::new().await;
    let options = json!({
        "locale": "pt_BR",
        "limits": {"instagram_business": 2},
        "limit_reached_url": "https://merchant.example/upgrade",
        "close_on_finish": true,
        "enable_multi_account_selection": false
    });
    let mut body = options.clone();
    body["redirect_url"] = json!("https://merchant.example/done");
    body["expires_in_minutes"] = json!(90);
    let (status, session) = begin(&merchant, body).await;
    let session = &session["integration_session"];
    assert_eq!(
        (status, &session["redirect_url"]),
        (201, &json!("https://merchant.example/done"))
    );
    assert_eq!(session["expires_at"], "2024-10-10T13:30:00.000000Z");
    let path = format!(
        "/customer-integrations/session/{}",
        session["session_uuid"].as_str().unwrap()
    );
    let (_, page) = merchant.json("GET", &path, &[], json!(null)).await;
    assert_eq!(page["integration_session"]["options"], options);

    for minutes in [json!(i64::MAX), json!(u64::MAX)] {
        let (status, session) = begin(&merchant, json!({"expires_in_minutes": minutes})).await;
        let expires_at = &session["integration_session"]["expires_at"];
        assert_eq!(
            (status, expires_at),
            (201, &json!("9999-12-30T22:00:00.000000Z"))
        );
    }
    let boolean = "field must be true or false.";
    for (body, field, rule) in [
        (
            json!({"expires_in_minutes": 0}),
            "expires_in_minutes",
            "The expires in minutes field must be at least 1.".to_owned(),
        ),
        (
            json!({"expires_in_minutes": 1.5}),
            "expires_in_minutes",
            "The expires in minutes field must be an integer.".to_owned(),
        ),
        (
            json!({"redirect_url": "javascript:alert(1)"}),
            "redirect_url",
            "The redirect url field must be a valid URL.".to_owned(),
        ),
        (
            json!({"limit_reached_url": 1}),
            "limit_reached_url",
            "The limit reached url field must be a string.".to_owned(),
        ),
        (
            json!({"limits": 3}),
            "limits",
            "The limits field must be an array.".to_owned(),
        ),
        (
            json!({"locale": []}),
            "locale",
            "The locale field must be a string.".to_owned(),
        ),
        (
            json!({"close_on_finish": "yes"}),
            "close_on_finish",
            format!("The close on finish {boolean}"),
        ),
        (
            json!({"enable_multi_account_selection": 7}),
            "enable_multi_account_selection",
            format!("The enable multi account selection {boolean}"),
        ),
    ] {
        assert_eq!(begin(&merchant, body).await, invalid(field, &rule));
    }
}

#[tokio::test]
async fn an_integration_is_removed_in_a_live_session_of_its_customer() {
    let merchant = Merchant::new().await;
    let path = format!("/customer-integrations/{INSTAGRAM}");
    let remove = async |merchant: &Merchant, session: &str| {
        let path = format!("{path}?session_id={session}");
        merchant
            .call_for(C2_TOKEN, "DELETE", &path, json!(null))
            .await
    };
    let without = merchant
        .call_for(C2_TOKEN, "DELETE", &path, json!(null))
        .await;
    assert_eq!(
        without,
        invalid("session_id", "The session id field is required.")
    );

    let session = begun(&merchant, json!(null)).await;
    let over = error(401, "Integration session is invalid or has expired.");
    assert_eq!(remove(&merchant, NOBODY).await, over);
    assert_eq!(
        remove(&merchant.at("2024-10-10T12:05:00Z"), &session).await,
        over
    );
    let others = [
        ("authorization", OTHER_TOKEN),
        ("x-customer-token", C3_TOKEN),
    ];
    let begin_other = merchant.json(
        "POST",
        "/customer-integrations/session",
        &others,
        json!(null),
    );
    let (_, other) = begin_other.await;
    let other = other["integration_session"]["session_uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(remove(&merchant, &other).await, over);
    let foreign = format!("{path}?session_id={other}");
    let foreign = merchant.json("DELETE", &foreign, &others, json!(null));
    assert_eq!(foreign.await, unknown());

    let removed = json!({"success": true, "message": "Record successfully removed"});
    assert_eq!(remove(&merchant, &session).await, (200, removed));
    assert_eq!(remove(&merchant, &session).await, unknown());
    let (_, settings) = merchant
        .call_for(C2_TOKEN, "GET", "/customers/settings", json!(null))
        .await;
    assert_eq!(settings["customer"]["integrations"], json!([]));
}
