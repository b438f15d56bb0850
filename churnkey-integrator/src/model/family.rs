//! Product family (contract, section 3.10).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::OptionalText;
use crate::id::FamilyId;

/// A product family: a group of products under one name (contract, section 3.10).
///
/// ```
/// use churnkey_integrator::{FamilyId, model::Family};
///
/// let family = Family::new(FamilyId::new("fam_core")?, "Core plans");
/// assert_eq!(serde_json::to_string(&family)?, r#"{"id":"fam_core","name":"Core plans"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!from)
)]
#[serde(from = "FamilyFields")]
pub struct Family(Arc<FamilyFields>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename = "Family")]
struct FamilyFields {
    /// The merchant's own id of the family.
    id: FamilyId,
    /// What it is called in front of customers.
    name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Family {
    /// A family with the name that customers see.
    #[must_use]
    pub fn new(id: FamilyId, name: impl Into<String>) -> Self {
        Self(Arc::new(FamilyFields {
            id,
            name: name.into(),
            description: None,
        }))
    }

    /// A description of the family.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<OptionalText>) -> Self {
        Arc::make_mut(&mut self.0).description = description.into().0;
        self
    }

    /// The merchant's id of the family.
    #[must_use]
    pub fn id(&self) -> &FamilyId {
        &self.0.id
    }

    /// The name that customers see.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// See [`with_description`](Self::with_description).
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }
}

impl From<FamilyFields> for Family {
    fn from(fields: FamilyFields) -> Self {
        Self(Arc::new(fields))
    }
}
