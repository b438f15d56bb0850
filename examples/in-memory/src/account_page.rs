//! `/account`: a customer's subscriptions, each with a button that opens its cancel flow at `churnkey dev`.
//!
//! It is there for trying out. A merchant has such a page already, with a login: here, whoever picks a customer is signed
//! in as that customer.

use std::{
    fmt::{self, Write},
    str::FromStr,
};

use axum::{
    Form, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use churnkey_integrator::{
    CustomerId,
    model::{Customer, Item, Subscription, SubscriptionStatus},
};
use example_billing::Missing;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use crate::store::Store;

const COOKIE: &str = "demo_customer";
/// Generated customers may be many more.
const MOST_CUSTOMERS: usize = 100;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Your account</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem .5rem .5rem 0; border-bottom: 1px solid; text-align: start; overflow-wrap: anywhere; }
select, button, .button { font: inherit; padding: .25rem .75rem; max-width: 100%; box-sizing: border-box; }
.button { display: inline-block; border: 1px solid; border-radius: .25rem; color: inherit; text-decoration: none; }
</style>
</head>
<body>
<main>
<h1>Your account</h1>
"#;

/// Nothing is loaded, and the page is in no frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// The address of `churnkey dev`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalChurnkey(String);

/// The text is not an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidAddress;

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the address of `churnkey dev`, such as http://127.0.0.1:8787")
    }
}

impl std::error::Error for InvalidAddress {}

impl FromStr for LocalChurnkey {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let uri: Uri = text.parse().map_err(|_| InvalidAddress)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_web || uri.query().is_some() {
            return Err(InvalidAddress);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl LocalChurnkey {
    fn flow(&self, subscription: &Subscription) -> String {
        let customer = encoded(subscription.customer_id().as_str());
        format!(
            "{}/flow/{customer}/{}",
            self.0,
            encoded(subscription.id().as_str())
        )
    }
}

#[derive(Clone)]
struct Site {
    store: Store,
    local_churnkey: LocalChurnkey,
}

/// `GET /account`, and `POST /account` to sign in. The store's live customers are believed to be whoever they say, so this
/// is only for this machine.
pub fn routes(store: Store, local_churnkey: LocalChurnkey) -> Router {
    Router::new()
        .route("/account", get(account).post(sign_in))
        .with_state(Site {
            store,
            local_churnkey,
        })
}

async fn account(State(site): State<Site>, headers: HeaderMap) -> Response {
    let customer = signed_in(&headers).and_then(|id| site.store.live.customers.by_id(&id));
    match site.page(customer.as_ref()) {
        Ok(page) => page.into_response(),
        Err(status) => status.into_response(),
    }
}

#[derive(Deserialize)]
struct SignIn {
    customer: CustomerId,
}

async fn sign_in(State(site): State<Site>, Form(form): Form<SignIn>) -> Response {
    if site.store.live.customers.by_id(&form.customer).is_none() {
        return (StatusCode::NOT_FOUND, "There is no such customer.\n").into_response();
    }
    let id = encoded(form.customer.as_str());
    let cookie = format!("{COOKIE}={id}; Path=/account; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/account")).into_response()
}

/// The customer that the cookie names.
fn signed_in(headers: &HeaderMap) -> Option<CustomerId> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, id) = pairs.find(|(name, _)| *name == COOKIE)?;
    CustomerId::new(percent_decode_str(id).decode_utf8().ok()?).ok()
}

impl Site {
    fn page(&self, customer: Option<&Customer>) -> Result<impl IntoResponse + use<>, StatusCode> {
        let form = self.form(customer);
        let subscriptions = match customer {
            Some(customer) => self.table(&self.subscriptions(customer.id())?),
            None => String::new(),
        };
        let page = format!("{HEAD}{form}{subscriptions}</main>\n</body>\n</html>\n");
        let headers = [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
        ];
        Ok((headers, Html(page)))
    }

    fn subscriptions(&self, id: &CustomerId) -> Result<Vec<Subscription>, StatusCode> {
        let now = self.store.now();
        let served: Result<_, Missing> = self.store.live.books.read(|tables| {
            let own = tables.subscriptions_of(id, 0);
            own.map(|(_, found)| found.served(now, tables)).collect()
        });
        served.map_err(|error| {
            tracing::error!("{error}");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }

    /// The demo login.
    fn form(&self, customer: Option<&Customer>) -> String {
        let customers = self.store.live.customers.after(0, MOST_CUSTOMERS);
        let options = customers.iter().map(|(_, one)| {
            let is_chosen = customer.is_some_and(|customer| customer.id() == one.id());
            let selected = if is_chosen { " selected" } else { "" };
            let (id, name) = (
                Text(one.id().as_str()),
                Text(one.name().unwrap_or_default()),
            );
            format!("<option value=\"{id}\"{selected}>{id} {name}</option>\n")
        });
        format!(
            r#"<form method="post" action="/account">
<label for="customer">Customer</label>
<select id="customer" name="customer">
{}</select>
<button>Sign in</button>
</form>
"#,
            options.collect::<String>()
        )
    }

    fn table(&self, subscriptions: &[Subscription]) -> String {
        if subscriptions.is_empty() {
            return "<p>You have no subscriptions.</p>\n".to_owned();
        }
        let rows = subscriptions
            .iter()
            .map(|subscription| self.row(subscription));
        format!(
            r#"<h2>Your subscriptions</h2>
<table>
<thead><tr><th scope="col">Subscription</th><th scope="col">Plan</th><th scope="col">Status</th><td></td></tr></thead>
<tbody>
{}</tbody>
</table>
<p>Cancel opens the local Churnkey at {}. Start it with the command that this program has printed.</p>
"#,
            rows.collect::<String>(),
            Text(&self.local_churnkey.0)
        )
    }

    fn row(&self, subscription: &Subscription) -> String {
        let id = Text(subscription.id().as_str());
        let plans: Vec<String> = subscription.items().iter().map(plan).collect();
        let plans = plans.join(" + ");
        let status = subscription.status().name();
        let cancel = match subscription.status() {
            SubscriptionStatus::Canceled { .. } => String::new(),
            _ => {
                let flow = self.local_churnkey.flow(subscription);
                let flow = Text(&flow);
                format!("<a class=\"button\" href=\"{flow}\" aria-label=\"Cancel {id}\">Cancel</a>")
            }
        };
        let plans = Text(&plans);
        format!(
            "<tr><th scope=\"row\">{id}</th><td>{plans}</td><td>{status}</td><td>{cancel}</td></tr>\n"
        )
    }
}

fn plan(item: &Item) -> String {
    let price = item.price();
    let name = price.name().unwrap_or(price.id().as_str());
    match item.quantity() {
        1 => name.to_owned(),
        quantity => format!("{quantity} \u{d7} {name}"),
    }
}

/// A text as one segment of a path, or the value of a cookie.
fn encoded(text: &str) -> String {
    const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    utf8_percent_encode(text, &PLAIN).to_string()
}

/// A text in HTML, also within the quotes of an attribute.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
