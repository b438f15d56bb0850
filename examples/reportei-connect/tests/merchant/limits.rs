//! How many requests a merchant may send.

use crate::{C1, Merchant, OTHER_TOKEN, TOKEN};

#[tokio::test]
async fn the_thousandth_request_of_a_minute_is_too_many() {
    let merchant = Merchant::new().await;
    let headers = [("authorization", TOKEN)];
    let path = format!("/customers/{C1}");
    for number in 1..=999 {
        let answer = merchant.raw("GET", &path, &headers, "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("999"));
        let remaining = (999 - number).to_string();
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(&*remaining));
    }
    for method in ["GET", "PUT", "BREW"] {
        let refused = merchant.raw(method, &path, &headers, "{").await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.body()["message"], "Too Many Attempts.");
        assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
        let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    // Other merchants and Churnkey are not limited, and the answer to callers without a token is the same.
    let other = merchant
        .raw("GET", "/customers", &[("authorization", OTHER_TOKEN)], "")
        .await;
    assert_eq!(
        (other.status(), other.header("x-ratelimit-remaining")),
        (200, Some("998"))
    );
    assert_eq!(merchant.churnkey(&format!("/{C1}")).await.0, 200);
    assert_eq!(merchant.raw("GET", &path, &[], "").await.status(), 401);
}
