//! Look-ups in the brand's own customer database.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Uri, response::Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Answer, Shop};

const FAILED: &str = "The CRM could not be asked.";

/// A CRM that gives every request the same answer and records the requests.
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn start(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let app = Router::new().fallback(async move |uri: Uri| {
            log.lock().unwrap().push(uri.to_string());
            answer()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/lookup?key=k", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, asked }
    }

    async fn saying(list: Value) -> Self {
        Self::start(move || Response::new(Body::from(list.to_string()))).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn shop_asking(url: &str) -> Shop {
    let shop = Shop::open().await;
    let url = url.parse().unwrap();
    assert!(shop.store.set_crm_lookup_url(1, &url).await.unwrap());
    shop
}

async fn sync(shop: &Shop, channel: &str, address: &str) -> Answer {
    let fields = [("brandID", "1"), ("channel", channel), ("address", address)];
    shop.call("POST", "/syncWithCRM", &fields).await
}

#[tokio::test]
async fn one_result_is_written_with_the_address() {
    let crm = Fake::saying(json!([{
        "primaryID": 77, "firstname": "Ana", "lastname": "O'Neil", "email": ["Ana@example.org"],
        "phoneNumber": ["+311", "+312"], "custom_vip": true, "custom_none": null, "else": [1]
    }]))
    .await;
    let shop = shop_asking(&crm.url).await;
    let answer = sync(&shop, "phoneNumber", "+312").await;
    assert_eq!(answer.done("Customer synchronized.")["customerID"], 5);
    let item = shop.item(5).await;
    assert_eq!(
        [
            &item["external_primary_id"],
            &item["firstname"],
            &item["lastname"],
            &item["custom_vip"]
        ],
        ["77", "Ana", "O'Neil", "true"]
    );
    let addresses = ["telephone +312", "email ana@example.org", "telephone +311"];
    assert_eq!(shop.addresses(5).await, addresses);
    assert_eq!(
        crm.asked(),
        ["/lookup?key=k&channelAddressType=phoneNumber&address=%2B312"]
    );
    let again = sync(&shop, "phoneNumber", "+312").await;
    assert_eq!(again.done("Customer synchronized.")["customerID"], 5);
}

#[tokio::test]
async fn a_known_customer_is_brought_up_to_date() {
    let crm = Fake::saying(json!([{"primaryID": "C-2", "lastname": "Šimek"}])).await;
    let shop = shop_asking(&crm.url).await;
    let answer = sync(&shop, "email", "New@example.org").await;
    assert_eq!(answer.done("Customer synchronized.")["customerID"], 2);
    let item = shop.item(2).await;
    assert_eq!([&item["firstname"], &item["lastname"]], ["Zoë", "Šimek"]);
    assert_eq!(
        shop.addresses(2).await,
        ["email zoe@example.org", "email new@example.org"]
    );
    assert_eq!(
        crm.asked(),
        ["/lookup?key=k&channelAddressType=email&address=New%40example%2Eorg"]
    );
}

#[tokio::test]
async fn none_or_several_results_write_nothing() {
    let shop = shop_asking(&Fake::saying(json!([])).await.url).await;
    sync(&shop, "phoneNumber", "text")
        .await
        .done("No customer found in CRM.");
    let two =
        Fake::saying(json!([{"primaryID": "C-2", "firstname": "X"}, {"primaryID": "a"}])).await;
    let shop = shop_asking(&two.url).await;
    sync(&shop, "email", "a@b.nl")
        .await
        .refused(400, "Several customers were found in CRM.");
    // An address of another customer is not added.
    let one = Fake::saying(json!([{"primaryID": "new", "firstname": "X"}])).await;
    let shop = shop_asking(&one.url).await;
    let answer = sync(&shop, "email", "zoe@example.org").await;
    answer.refused(400, "This address belongs to another customer.");
    sync(&shop, "email", "text")
        .await
        .refused(400, "address is not a valid address of its channel.");
    assert_eq!(shop.get("").await.body["itemTotal"], 3);
    assert_eq!(shop.item(2).await["firstname"], "Zoë");
}

#[tokio::test]
async fn nothing_that_is_sent_changes_where_the_call_goes() {
    let crm = Fake::saying(json!([])).await;
    let shop = shop_asking(&crm.url).await;
    let hostile = [
        "@evil.example/",
        "&key=other",
        "#x",
        "/../../admin?",
        "http://evil.example/",
        "a%2Fb",
        " é",
        "a\\b;c",
    ];
    for address in hostile {
        sync(&shop, "email", address)
            .await
            .done("No customer found in CRM.");
    }
    let asked = crm.asked();
    for (asked, address) in asked.iter().zip(hostile) {
        let query = asked.strip_prefix("/lookup?").unwrap().as_bytes();
        let pairs: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
        let wanted = [
            ("key", "k"),
            ("channelAddressType", "email"),
            ("address", address),
        ];
        assert_eq!(
            pairs,
            wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
    assert_eq!(asked.len(), hostile.len());
    for url in [
        "crm_lookup_url",
        "url",
        "crm_sync_url",
        "ticketID",
        "primaryID",
    ] {
        let fields = [
            ("brandID", "1"),
            ("channel", "email"),
            ("address", "a"),
            (url, "http://127.0.0.1:1/"),
        ];
        shop.call("POST", "/syncWithCRM", &fields)
            .await
            .done("No customer found in CRM.");
    }
    assert_eq!(
        crm.asked().last().unwrap(),
        "/lookup?key=k&channelAddressType=email&address=a"
    );
}

#[tokio::test]
async fn a_url_without_a_query_gets_one() {
    let crm = Fake::saying(json!([])).await;
    let shop = shop_asking(crm.url.strip_suffix("?key=k").unwrap()).await;
    sync(&shop, "email", "a")
        .await
        .done("No customer found in CRM.");
    assert_eq!(crm.asked(), ["/lookup?channelAddressType=email&address=a"]);
}

#[tokio::test]
async fn parameters_are_checked_before_anybody_is_asked() {
    let crm = Fake::saying(json!([])).await;
    let shop = shop_asking(&crm.url).await;
    let kinds = "channel must be phoneNumber or email.";
    for channel in ["telephone", "PhoneNumber", "1"] {
        sync(&shop, channel, "a").await.refused(400, kinds);
    }
    sync(&shop, "", "a")
        .await
        .refused(400, "channel is required.");
    sync(&shop, "email", "")
        .await
        .refused(400, "address is required.");
    let fields = [("channel", "email"), ("address", "a")];
    shop.call("POST", "/syncWithCRM", &fields)
        .await
        .refused(400, "brandID is required.");
    let fields = [("channel", "email"), ("address", "a"), ("brandID", "9")];
    shop.call("POST", "/syncWithCRM", &fields)
        .await
        .refused(400, "This brand does not exist.");
    assert_eq!(crm.asked(), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_is_no_list_of_customers_is_a_502() {
    let entry = |entry: Value| json!([entry]).to_string();
    let bodies = [
        String::new(),
        "<html>".to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        "[1]".to_owned(),
        "[{}]".to_owned(),
        entry(json!({"primaryID": ""})),
        entry(json!({"primaryID": ["a"]})),
        entry(json!({"primaryID": "a", "firstname": "An4"})),
        entry(json!({"primaryID": "a", "email": "a@b.nl"})),
        entry(json!({"primaryID": "a", "email": ["nope"]})),
        entry(json!({"primaryID": "a", "phoneNumber": [1]})),
        entry(json!({"primaryID": "a", "custom_a-b": "x"})),
        entry(json!({"primaryID": "a", "custom_a": {}})),
        format!("[{}]", " ".repeat(1024 * 1024)),
    ];
    for body in bodies {
        let shown = body.get(..60).unwrap_or(&body).to_owned();
        let crm = Fake::start(move || Response::new(Body::from(body.clone()))).await;
        let answer = sync(&shop_asking(&crm.url).await, "email", "a@b.nl").await;
        assert_eq!(
            (answer.status, &answer.body["message"]),
            (502, &json!(FAILED)),
            "{shown}"
        );
    }
    let list = format!("[{}]", " ".repeat(1024 * 1024 - 2));
    let crm = Fake::start(move || Response::new(Body::from(list.clone()))).await;
    let answer = sync(&shop_asking(&crm.url).await, "email", "a@b.nl").await;
    answer.done("No customer found in CRM.");
}

#[tokio::test]
async fn only_a_200_counts_and_no_redirect_is_followed() {
    let other = Fake::saying(json!([])).await;
    for status in [201, 204, 301, 302, 307, 308, 400, 404, 500] {
        let to = other.url.clone();
        let crm = Fake::start(move || {
            let response = Response::builder().status(status).header("location", &to);
            response.body(Body::from("[]")).unwrap()
        })
        .await;
        let answer = sync(&shop_asking(&crm.url).await, "email", "a@b.nl").await;
        answer.refused(502, FAILED);
        assert_eq!(crm.asked().len(), 1);
    }
    assert_eq!(other.asked(), [""; 0]);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    sync(&shop_asking(&url).await, "email", "a@b.nl")
        .await
        .refused(502, FAILED);
}

#[tokio::test]
async fn a_crm_that_says_nothing_or_never_ends_is_left_after_five_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let endless = Fake::start(|| {
        let drip = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some((Ok::<_, std::io::Error>(" "), ()))
        });
        Response::new(Body::from_stream(drip))
    })
    .await;
    let started = Instant::now();
    let (silent_shop, endless_shop) = (shop_asking(&url).await, shop_asking(&endless.url).await);
    let (one, two) = tokio::join!(
        sync(&silent_shop, "email", "a@b.nl"),
        sync(&endless_shop, "email", "a@b.nl")
    );
    one.refused(502, FAILED);
    two.refused(502, FAILED);
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_secs(5) && waited < Duration::from_secs(8),
        "{waited:?}"
    );
    // No transaction was open during the look-up.
    assert_eq!(silent_shop.get("").await.status, 200);
}
