//! `churnkey ambiguity`.

use churnkey_integrator::{
    CustomerId, CustomersController, Email, Integration, Page, PageRequest, RequestContext, Result,
    controller, model::Customer,
};
use serde_json::json;

use crate::{
    merchants::{Server, each, token},
    tool::churnkey,
};

#[test]
fn shared_addresses_are_counted_and_not_shown() {
    each(|server| {
        let url = server.url();
        let said = |email: &str, phone: &str| {
            format!(
                "6 customers\ne-mail addresses with several owners: 1\n  {email}cus_twin_a cus_twin_b\n\
                 phone numbers with several owners: 1\n  {phone}cus_twin_a cus_twin_b\n\
                 A look-up by one of these is answered 409, unless you rank its owners: see \"errors\" in the guide.\n"
            )
        };
        let ran = churnkey(["ambiguity", "--url", &url]).run();
        ran.assert(1, &said("", ""), "");
        let shown = churnkey(["ambiguity", "--show", "--url", &url]).run();
        shown.assert(1, &said("shared@example.com: ", "+15550100001: "), "");

        let twins = json!(["cus_twin_a", "cus_twin_b"]);
        let json = churnkey(["ambiguity", "--json", "--url", &url]).run();
        let shared = json!([{ "customers": twins }]);
        let expected =
            json!({ "version": 1, "customers": 6, "emails": shared, "phones": shared, "wrong": 0 });
        assert_eq!((json.code, json.json()), (1, expected));
        let json = churnkey(["ambiguity", "--json", "--show", "--url", &url])
            .run()
            .json();
        let shared = json!([{ "customers": twins, "value": "shared@example.com" }]);
        assert_eq!(json["emails"], shared);
    });
}

struct Shop(bool);

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        let customer = |id, email| {
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                Customer::new(CustomerId::new(id)?).with_email(Email::new(email)?),
            )
        };
        let second = if self.0 {
            "ADA@example.com "
        } else {
            "bob@example.com"
        };
        Ok(Page::new(
            vec![
                customer("cus_1", "ada@Example.com")?,
                customer("cus_2", second)?,
            ],
            None,
        ))
    }
}

fn shop(is_ambiguous: bool) -> Server {
    let builder = Integration::builder("Acme", token()).customers(Shop(is_ambiguous));
    Server::start(builder.build().unwrap().into_router())
}

#[test]
fn addresses_are_compared_as_they_are_looked_up() {
    let ran = churnkey(["ambiguity", "--url", &shop(true).url()]).run();
    ran.assert(
        1,
        "2 customers\ne-mail addresses with several owners: 1\n  cus_1 cus_2\nphone numbers with several owners: 0\n\
         A look-up by one of these is answered 409, unless you rank its owners: see \"errors\" in the guide.\n",
        "",
    );
    let ran = churnkey(["ambiguity", "--url", &shop(false).url()]).run();
    ran.assert(
        0,
        "2 customers\ne-mail addresses with several owners: 0\nphone numbers with several owners: 0\n",
        "",
    );
}

struct OneByOne;

#[controller]
impl CustomersController for OneByOne {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }
}

#[test]
fn customers_that_are_not_listed_can_not_be_compared() {
    let integration = Integration::builder("Acme", token())
        .customers(OneByOne)
        .build()
        .unwrap();
    let ran = churnkey([
        "ambiguity",
        "--url",
        &Server::start(integration.into_router()).url(),
    ])
    .run();
    assert_eq!((ran.code, &*ran.stdout), (2, ""));
    assert!(
        ran.stderr
            .starts_with("error: this integration does not list its customers"),
        "{}",
        ran.stderr
    );
}
