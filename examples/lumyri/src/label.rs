//! A label, which a company sorts its customers by.

use churnkey_integrator::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::{self, Invalid};

/// A label as its own resource shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// A UUID in lower case.
    pub id: String,
    /// The company that it belongs to.
    pub company_id: String,
    /// Who made it.
    pub user_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The name of who made it.
    pub created_by: String,
    /// The name of who last changed it.
    pub updated_by: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it looks like; any text.
    pub color: String,
}

/// What a customer shows of a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The label's id.
    pub id: String,
    /// The label's name.
    pub name: String,
    /// The label's color.
    pub color: String,
}

/// What a caller sends of a label.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Input {
    name: Option<String>,
    description: Option<String>,
    color: Option<String>,
    user_name: Option<String>,
}

/// The checked values of a label to be made.
#[derive(Debug, Clone)]
pub struct NewLabel {
    /// Not empty.
    pub name: String,
    /// Not empty.
    pub description: String,
    /// Not empty.
    pub color: String,
    /// Who makes it, by name.
    pub user_name: String,
}

impl Input {
    pub(crate) fn check(self) -> Result<NewLabel, Invalid> {
        let required = |field: &str, value: Option<String>| {
            let value = value.filter(|value| !value.trim().is_empty());
            value.ok_or_else(|| Invalid(format!("{field} is required")))
        };
        let named = |field: &str, value| rules::name(field, &required(field, value)?);
        Ok(NewLabel {
            name: named("name", self.name)?,
            description: rules::text("description", required("description", self.description)?)?,
            color: named("color", self.color)?,
            user_name: named("userName", self.user_name)?,
        })
    }
}
