//! The timeline of a customer.

use axum::{http::Uri, response::Response};
use serde::Serialize;

use super::{
    Api,
    answer::{Done, Refused, Result, json},
    form::Form,
    identify::{self, Spelling},
};
use crate::store::timeline::{self, Event, NewEvent, Ticket};

const MAX_MESSAGE: usize = 4096;

#[derive(Serialize)]
struct Timeline<'a> {
    r#type: &'static str,
    items: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Entry<'a> {
    ExternalEvent {
        id: i64,
        message: &'a str,
        initiated_by: Option<&'a str>,
        source_url: Option<&'a str>,
        created_at: &'a str,
    },
    Ticket {
        id: i64,
        ticket_id: i64,
        status: &'a str,
        channel_id: i64,
        created_at: &'a str,
    },
}

impl<'a> Entry<'a> {
    fn created_at(&self) -> &'a str {
        match self {
            Self::ExternalEvent { created_at, .. } | Self::Ticket { created_at, .. } => created_at,
        }
    }
}

impl<'a> From<&'a Event> for Entry<'a> {
    fn from(event: &'a Event) -> Self {
        Self::ExternalEvent {
            id: event.id,
            message: &event.message,
            initiated_by: event.initiated_by.as_deref(),
            source_url: event.source_url.as_deref(),
            created_at: &event.created_at,
        }
    }
}

impl<'a> From<&'a Ticket> for Entry<'a> {
    fn from(ticket: &'a Ticket) -> Self {
        Self::Ticket {
            id: ticket.id,
            ticket_id: ticket.id,
            status: &ticket.status,
            channel_id: ticket.channel_id,
            created_at: &ticket.created_at,
        }
    }
}

/// `GET /timelineByCustomerExternalID`
pub(super) async fn timeline(api: &Api, query: &Form) -> Result<Response> {
    let mut db = api.store.read().await?;
    let customer = identify::by_external_id(&mut db, query, "external_id", "brand_id").await?;
    let events = timeline::events(&mut db, customer.id).await?;
    // O28: any value turns it on, also an empty one and 0.
    let tickets = match query.sent("getTicketHistory") {
        Some(_) => timeline::tickets(&mut db, customer.id).await?,
        None => Vec::new(),
    };
    let entries = events.iter().map(Entry::from);
    let mut items: Vec<Entry<'_>> = entries.chain(tickets.iter().map(Entry::from)).collect();
    items.sort_by_key(Entry::created_at);
    json(&Timeline {
        r#type: "timeline",
        items,
    })
}

/// `POST /externalEvent`
pub(super) async fn add_event(api: &Api, form: &Form) -> Result<Response> {
    const NAMES: Spelling = Spelling {
        customer: "customer_id",
        external_id: "external_id",
        brand: "brand_id",
    };
    let message = form.sent("message").unwrap_or_default();
    if !(1..=MAX_MESSAGE).contains(&message.chars().count()) {
        return Err(Refused::bad("message must have 1 to 4096 characters."));
    }
    let source_url = form.text("source_url")?;
    if !source_url.is_none_or(is_web_address) {
        return Err(Refused::bad("source_url must be an http or https URL."));
    }
    let event = NewEvent {
        message,
        initiated_by: form.text("initiated_by")?,
        source_url,
    };
    let mut db = api.store.write().await?;
    let customer = identify::customer(&mut db, form, NAMES).await?;
    let id = timeline::add_event(&mut db, customer.id, event, &api.now()).await?;
    db.commit().await?;
    json(&Done::new("External event created.").event(id))
}

/// Only http and https: a link such as `javascript:` would run in the browser of whoever clicks on it.
fn is_web_address(text: &str) -> bool {
    let is_web = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    };
    text.parse().is_ok_and(|uri| is_web(&uri))
}
