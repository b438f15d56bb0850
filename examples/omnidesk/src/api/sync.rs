//! Updating a customer from the brand's own customer database.

use axum::{http::StatusCode, response::Response};

use super::{
    Api,
    answer::{Done, Refused, Result, json},
    create::create,
    form::Form,
    identify,
    update::Changes,
};
use crate::{
    address::{Address, ChannelType},
    crm::{CrmFault, Found},
    store::customers,
};

/// `POST /syncWithCRM`
pub(super) async fn sync_with_crm(api: &Api, form: &Form) -> Result<Response> {
    let channel = form.required_text("channel")?;
    let kind = match channel {
        "phoneNumber" => ChannelType::Telephone,
        "email" => ChannelType::Email,
        _ => return Err(Refused::bad("channel must be phoneNumber or email.")),
    };
    let address = form.required_text("address")?;
    // No transaction is open during a call to another machine.
    let brand = identify::brand(&mut *api.store.read().await?, form, "brandID").await?;
    let Some(url) = &brand.crm_lookup_url else {
        let message = "No CRM lookup URL is configured for this brand.";
        return json(&Done::new(message));
    };
    let found = api.crm.look_up(url, channel, address).await?;
    let found = match found.as_slice() {
        [] => return json(&Done::new("No customer found in CRM.")),
        [found] => found,
        _ => return Err(Refused::bad("Several customers were found in CRM.")),
    };
    let address = Address::new(kind, address)
        .ok_or_else(|| Refused::bad("address is not a valid address of its channel."))?;

    let changes = changes(found, address);
    let mut db = api.store.write().await?;
    let known = customers::by_external_id(&mut db, &found.primary_id, Some(brand.id)).await?;
    let customer = match known.into_iter().next() {
        Some(customer) => customer,
        None => create(&mut db, &brand, Some(&found.primary_id), &api.now()).await?,
    };
    changes.apply(&mut db, &brand, &customer).await?;
    db.commit().await?;
    json(&Done::new("Customer synchronized.").customer(customer.id))
}

fn changes(found: &Found, address: Address) -> Changes<'_> {
    let custom = found.custom.iter();
    Changes {
        firstname: found.firstname.as_deref(),
        lastname: found.lastname.as_deref(),
        custom: custom
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
        addresses: [address]
            .into_iter()
            .chain(found.addresses.clone())
            .collect(),
    }
}

impl From<CrmFault> for Refused {
    fn from(fault: CrmFault) -> Self {
        tracing::warn!("the CRM look-up failed: {fault}");
        Self::new(StatusCode::BAD_GATEWAY, "The CRM could not be asked.")
    }
}
