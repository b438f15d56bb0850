//! `/metrics`: the values of a customer's integrations.

use axum::Json;
use serde_json::{Map, Value, json};

use super::{authenticate::AdmittedCustomer, customers::done, error::Error, fields::Fields};

/// The requested values.
struct Query {
    integration: String,
    metrics: Vec<Metric>,
}

/// One value. The id is the caller's own. Demo values have both names.
struct Metric {
    id: String,
    reference_key: Option<String>,
}

pub(super) async fn get_data(
    AdmittedCustomer(data): AdmittedCustomer,
    fields: Fields,
) -> Result<Json<Map<String, Value>>, Error> {
    let query = query(fields)?;
    let values = data.metric_values(&query.integration).await?;
    let answered = query.metrics.into_iter().map(|metric| {
        let value = values.get(&metric.id);
        let value = value.or_else(|| values.get(metric.reference_key.as_ref()?));
        let value = value.cloned().unwrap_or_else(|| json!({"values": null}));
        (metric.id, value)
    });
    Ok(Json(answered.collect()))
}

/// Accepts the order. The demo collects nothing, and does not call the address in it.
pub(super) async fn get_data_async(
    AdmittedCustomer(data): AdmittedCustomer,
    mut fields: Fields,
) -> Result<Json<Value>, Error> {
    // An error is kept in `fields`, and reported with the others.
    let _ = fields.optional_url("metrics_webhook_url");
    let query = query(fields)?;
    let integration = data.integration(&query.integration).await?;
    integration.ok_or(Error::NoSuchRecord)?;
    Ok(done("Metrics data collection started"))
}

fn query(mut fields: Fields) -> Result<Query, Error> {
    let integration = fields.text("customer_integration", 64);
    period(&mut fields, "start", "end", true);
    period(&mut fields, "comparison_start", "comparison_end", false);
    let metrics = metrics(&mut fields);
    fields.accept(
        integration
            .zip(metrics)
            .map(|(integration, metrics)| Query {
                integration,
                metrics,
            }),
    )
}

/// Checks two dates. The second must not be before the first. The demo's values do not depend on them.
fn period(fields: &mut Fields, start: &str, end: &str, required: bool) {
    let mut date = |field| {
        if required {
            fields.date(field)
        } else {
            fields.optional_date(field).flatten()
        }
    };
    if let (Some(first), Some(last)) = (date(start), date(end))
        && last < first
    {
        let (first, last) = (start.replace('_', " "), end.replace('_', " "));
        let rule = format!("The {last} field must be a date after or equal to {first}.");
        fields.breaks::<()>(end, rule);
    }
}

fn metrics(fields: &mut Fields) -> Option<Vec<Metric>> {
    let sent = match fields.take("metrics") {
        Some(Value::Array(metrics)) => metrics,
        None => return fields.missing("metrics"),
        Some(_) => {
            return fields.breaks("metrics", "The metrics field must be an array.".to_owned());
        }
    };
    let mut metrics = Vec::new();
    for (index, metric) in sent.into_iter().enumerate() {
        let named = |key: &str| match metric.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let Some(id) = named("id") else {
            // One is enough. There could be thousands.
            return fields.missing(&format!("metrics.{index}.id"));
        };
        metrics.push(Metric {
            id,
            reference_key: named("reference_key"),
        });
    }
    Some(metrics)
}
