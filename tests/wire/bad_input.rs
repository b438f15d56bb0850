//! Invalid input, and its answer: a 4xx in the contract's shape that names the parameter.

use churnkey_integrator::Mode;
use proptest::prelude::*;

use crate::merchants::{client_of, each, in_memory_store, token};

#[tokio::test]
async fn a_limit_is_a_positive_integer_and_a_large_one_is_clamped() {
    each(|merchant, server| async move {
        for limit in ["0", "-1", "abc", "", "1.5", "%31%20"] {
            let error = server
                .get(&format!("/churnkey/customers?limit={limit}"))
                .await
                .error();
            let expected = (400, "limit must be a positive integer".to_owned());
            assert_eq!(error, expected, "{merchant}: {limit}");
        }
        for limit in ["1000000000", "1e9", "18446744073709551616", "501"] {
            let reply = server
                .get(&format!("/churnkey/customers?limit={limit}"))
                .await;
            assert_eq!(reply.status, 200, "{merchant}: {limit}");
            assert_eq!(reply.json()["data"].as_array().unwrap().len(), 6);
        }
        for (query, message) in [
            ("limit=1&limit=1", "limit must not be repeated"),
            ("cursor=a&cursor=a", "cursor must not be repeated"),
        ] {
            let error = server
                .get(&format!("/churnkey/customers?{query}"))
                .await
                .error();
            assert_eq!(error, (400, message.to_owned()), "{merchant}");
        }
        let reply = server
            .get("/churnkey/customers?page=3&limit=1&active")
            .await;
        assert_eq!(
            reply.status, 200,
            "{merchant}: unknown parameters are ignored"
        );
    })
    .await;
}

#[tokio::test]
async fn a_cursor_that_was_not_issued_for_this_list_and_mode_is_400() {
    each(|merchant, server| async move {
        let first = server.get("/churnkey/customers?limit=1").await.json();
        let next = first["next"].as_str().unwrap().to_owned();
        let mut flipped = next.clone().into_bytes();
        flipped[8] ^= 1;
        let flipped = String::from_utf8(flipped).unwrap();
        let long = "A".repeat(10_000);
        for (what, cursor) in [
            ("empty", ""),
            ("10 kB", &long),
            ("one bit flipped", &flipped),
            ("cut short", &next[..next.len() - 1]),
            ("padded", &format!("{next}=")),
            ("an offset", "2"),
            ("a number in base64", "Mg"),
            ("no base64", "%00%FF"),
        ] {
            let error = server
                .get(&format!("/churnkey/customers?cursor={cursor}"))
                .await
                .error();
            assert_eq!(
                error,
                (400, "Invalid cursor".to_owned()),
                "{merchant}: {what}"
            );
        }
        let path = format!("/churnkey/customers?cursor={next}");
        let in_test = server
            .request("GET", &path)
            .signed_in(Mode::Test)
            .send()
            .await;
        assert_eq!(
            in_test.error(),
            (400, "Invalid cursor".to_owned()),
            "{merchant}"
        );
        assert_eq!(server.get(&path).await.json()["data"][0]["id"], "cus_grace");
    })
    .await;
}

#[tokio::test]
async fn an_odd_id_is_a_404_or_a_400_that_names_it() {
    each(|merchant, server| async move {
        let nobody = (404, "Customer not found".to_owned());
        for id in [
            "a%2Fb",
            "..",
            "%2E%2E",
            "%2e%2e%2f%2e%2e",
            "'",
            "%27%20OR%20%271%27%3D%271",
            "1%3B%20DROP%20TABLE%20customers",
            "%22",
            "%5C",
            "%25",
            "cus_ada%20",
            "CUS_ADA",
            "cus_%61d",
            "email",
            "phone",
            "%C3%A9",
            "%E2%80%AE",
        ] {
            let reply = server.get(&format!("/churnkey/customers/{id}")).await;
            assert_eq!(reply.error(), nobody, "{merchant}: {id}");
        }
        let encoded = server.get("/churnkey/customers/%63us_ada").await;
        assert_eq!(encoded.json()["id"], "cus_ada", "{merchant}: decoded once");
        let twice = server.get("/churnkey/customers/%2563us_ada").await;
        assert_eq!(twice.error(), nobody, "{merchant}: not decoded twice");

        let long = "x".repeat(10_000);
        for (id, message) in [
            (
                "%00",
                "id: a customer id must not contain control characters",
            ),
            (
                "a%0Ab",
                "id: a customer id must not contain control characters",
            ),
            ("%FF", "The path is not percent-encoded UTF-8"),
            (&long, "id must not be longer than 255 bytes"),
        ] {
            let reply = server.get(&format!("/churnkey/customers/{id}")).await;
            assert_eq!(
                reply.error(),
                (400, message.to_owned()),
                "{merchant}: {message}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn addresses_and_numbers_are_decoded_once_and_a_plus_is_a_plus() {
    each(|merchant, server| async move {
        for (path, id) in [
            ("email/zoe+billing@example.com", "cus_zoe"),
            ("email/zoe%2Bbilling%40example.com", "cus_zoe"),
            ("email/ZOE%2BBilling%40EXAMPLE.com", "cus_zoe"),
            ("phone/+358401234567", "cus_linus"),
            ("phone/%2B358401234567", "cus_linus"),
            ("phone/%2B358%2040%20123-4567", "cus_linus"),
            ("phone/00358401234567", "cus_linus"),
        ] {
            let reply = server.get(&format!("/churnkey/customers/{path}")).await;
            assert_eq!(reply.json()["id"], id, "{merchant}: {path}");
        }
        let nobody = (404, "Customer not found".to_owned());
        for path in [
            "email/zoe%20billing@example.com",
            "email/zoe@example.com",
            "email/%25",
            "email/subscriptions",
            "email/%27%20OR%201=1",
            "phone/358401234567",
            "phone/1",
            "phone/none",
        ] {
            let reply = server.get(&format!("/churnkey/customers/{path}")).await;
            assert_eq!(reply.error(), nobody, "{merchant}: {path}");
        }
        let long = format!("email/{}", "x".repeat(321));
        for (path, message) in [
            ("email/%20", "an e-mail address must not be empty"),
            (
                "email/a%00b",
                "an e-mail address must not contain control characters",
            ),
            (&long, "an e-mail address must have at most 320 bytes"),
            ("phone/%20", "a phone number must not be empty"),
            ("email/%C3%28", "The path is not percent-encoded UTF-8"),
        ] {
            let reply = server.get(&format!("/churnkey/customers/{path}")).await;
            assert_eq!(
                reply.error(),
                (400, message.to_owned()),
                "{merchant}: {path}"
            );
        }
        for (path, what) in [
            ("email/shared@example.com", "email"),
            ("email/SHARED%40example.com", "email"),
            ("phone/%2B15550100001", "phone"),
        ] {
            let reply = server.get(&format!("/churnkey/customers/{path}")).await;
            let message = format!("More than one customer has this {what}");
            assert_eq!(reply.error(), (409, message), "{merchant}: {path}");
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405_in_the_contracts_shape() {
    each(|merchant, server| async move {
        for path in [
            "/churnkey",
            "/churnkey/",
            "/churnkey/customers/",
            "/churnkey/customers/cus_ada/",
            "/churnkey/customers/email/",
            "/churnkey/customers/email/a/b",
            "/churnkey/Customers",
            "/churnkey//customers",
            "/churnkey/invoices",
        ] {
            let reply = server.get(path).await;
            assert_eq!(
                reply.error(),
                (404, "Not Found".to_owned()),
                "{merchant}: {path}"
            );
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            for path in [
                "/churnkey/customers/cus_ada",
                "/churnkey/customers",
                "/churnkey/features",
            ] {
                let reply = server.request(method, path).signed().send().await;
                let expected = (405, "Method Not Allowed".to_owned());
                assert_eq!(reply.error(), expected, "{merchant}: {method} {path}");
                assert_eq!(reply.header("allow"), Some("GET,HEAD"), "{merchant}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_over_the_cap_is_413_before_it_is_read() {
    each(|merchant, server| async move {
        let call = server
            .request("POST", "/churnkey/customers")
            .body("x".repeat(65_537));
        let reply = call.send().await;
        assert_eq!(
            reply.error(),
            (413, "Payload Too Large".to_owned()),
            "{merchant}"
        );
        let call = server
            .request("POST", "/churnkey/customers")
            .body("x".repeat(65_536));
        assert_eq!(call.signed().send().await.status, 405, "{merchant}");

        // Without an announced length, it is counted as it arrives.
        let chunks = "1000\r\n".to_owned() + &"x".repeat(4096) + "\r\n";
        let head = "POST /churnkey/customers HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\
                    Authorization: ck-demo-integration-token-0001\r\nConnection: close\r\n\r\n";
        let request = head.to_owned() + &chunks.repeat(17);
        let reply = server.exchange(request.as_bytes()).await;
        assert_eq!(
            reply.error(),
            (413, "Payload Too Large".to_owned()),
            "{merchant}"
        );
    })
    .await;
}

/// A signed GET has no `Authorization`, so a shared cache would keep what may be cached.
#[tokio::test]
async fn every_answer_has_a_request_id_and_may_not_be_stored() {
    each(|merchant, server| async move {
        let request = |method, path| server.request(method, path);
        let get = |path| request("GET", path).signed();
        let cancel = request("POST", "/churnkey/actions/subscription/cancel").body(
            r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","scheduledAt":"immediate"}"#,
        );
        let json = Some("application/json");
        for (status, content_type, call) in [
            (200, json, get("/churnkey/features")),
            (200, json, get("/churnkey/customers/cus_ada")),
            (200, json, get("/churnkey/prices")),
            (200, None, cancel.signed()),
            (400, json, get("/churnkey/prices?limit=0")),
            (401, json, request("GET", "/churnkey/prices")),
            (404, json, get("/churnkey/prices/price_nobody")),
            (404, json, get("/churnkey/nowhere")),
            (405, json, request("PUT", "/churnkey/prices").signed()),
            (
                413,
                json,
                request("PUT", "/churnkey/prices").body([b' '; 70_000]),
            ),
        ] {
            let reply = call.send().await;
            let has_id = reply
                .header("x-request-id")
                .is_some_and(|id| !id.is_empty());
            let headers = ["content-type", "cache-control"].map(|name| reply.header(name));
            assert_eq!(
                (reply.status, has_id, headers),
                (status, true, [content_type, Some("no-store")]),
                "{merchant}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_request_id_is_echoed_unless_it_could_forge_a_log_line() {
    each(|merchant, server| async move {
        let with_id = |id: &'static str| {
            let call = server.request("GET", "/churnkey/features").signed();
            call.header("X-Request-Id", id).send()
        };
        let reply = with_id("req_2026-11.a:b").await;
        assert_eq!(
            reply.header("x-request-id"),
            Some("req_2026-11.a:b"),
            "{merchant}"
        );
        for odd in ["a b", "<script>", "\u{1b}[31mred"] {
            let reply = with_id(odd).await;
            if reply.status == 400 {
                // The server itself rejects control characters in a header.
                continue;
            }
            let id = reply.header("x-request-id").unwrap();
            assert_eq!(id.len(), 16, "{merchant}: {odd}");
            assert!(
                id.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{merchant}: {odd}"
            );
        }
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_bytes_in_path_or_query_break_anything(
        kind in prop_oneof![Just("/"), Just("/email/"), Just("/phone/"), Just("?limit="), Just("?cursor=")],
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        digits in "[0-9eE+.-]{0,12}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let integration = in_memory::churnkey::integration(&in_memory_store(), token()).unwrap();
        let client = client_of(&integration);
        let encoded: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        for text in [encoded, digits.replace('+', "%2B")] {
            // `send` checks the shape of every answer.
            let answer = runtime.block_on(client.get(&format!("/churnkey/customers{kind}{text}")));
            prop_assert!([200, 400, 404, 409].contains(&answer.status()), "{}", answer.status());
        }
    }
}
