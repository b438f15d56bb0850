//! Product (contract, section 3.9).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{InvalidField, OptionalText};
use crate::{
    id::{FamilyId, ProductId},
    variant::words,
};

/// Whether products are standalone or belong to families. All products of an integration have one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProductType {
    /// Products without families.
    Standalone,
    /// Each product belongs to a family. Needs a families controller.
    Family,
}

words!(ProductType, "product type": Standalone = "standalone", Family = "family");

/// A product, which prices belong to (contract, section 3.9). Its type follows from the constructor, so that a product of
/// a family always names the family.
///
/// # Example
/// ```
/// use churnkey_integrator::{FamilyId, ProductId, model::Product};
///
/// let seats = Product::of_family(
///     FamilyId::new("fam_addons")?,
///     ProductId::new("prod_seats")?,
///     "Seats",
/// )
/// .with_unit_label("seat");
/// assert_eq!(
///     serde_json::to_value(&seats)?,
///     serde_json::json!({
///         "id": "prod_seats",
///         "type": "family",
///         "name": "Seats",
///         "unitLabel": "seat",
///         "familyId": "fam_addons"
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from, extend(
        "if" = { "properties": { "type": { "const": "family" } } },
        "then" = { "required": ["familyId"] },
        "else" = { "properties": { "familyId": false } },
    ))
)]
#[serde(try_from = "ProductFields")]
pub struct Product(Arc<ProductFields>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename = "Product", rename_all = "camelCase")]
struct ProductFields {
    /// The merchant's own id of the product.
    id: ProductId,
    /// Whether it belongs to a family.
    r#type: ProductType,
    /// What it is called in front of customers.
    name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The name of one unit of the quantity, such as seat.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_label: Option<String>,
    /// The family that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    family_id: Option<FamilyId>,
}

impl Product {
    /// A product without a family, with the name that customers see.
    #[must_use]
    pub fn standalone(id: ProductId, name: impl Into<String>) -> Self {
        Self::new(id, None, name.into())
    }

    /// A product of a family, with the name that customers see.
    #[must_use]
    pub fn of_family(family_id: FamilyId, id: ProductId, name: impl Into<String>) -> Self {
        Self::new(id, Some(family_id), name.into())
    }

    fn new(id: ProductId, family_id: Option<FamilyId>, name: String) -> Self {
        let r#type = match family_id {
            None => ProductType::Standalone,
            Some(_) => ProductType::Family,
        };
        Self(Arc::new(ProductFields {
            id,
            r#type,
            name,
            description: None,
            unit_label: None,
            family_id,
        }))
    }

    /// The description that customers see.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<OptionalText>) -> Self {
        self.change().description = description.into().0;
        self
    }

    /// The name of one unit of the quantity, such as `GB`.
    #[must_use]
    pub fn with_unit_label(mut self, unit_label: impl Into<OptionalText>) -> Self {
        self.change().unit_label = unit_label.into().0;
        self
    }

    /// The merchant's id of the product.
    #[must_use]
    pub fn id(&self) -> &ProductId {
        &self.0.id
    }

    /// Whether it is standalone or belongs to a family.
    #[must_use]
    pub fn product_type(&self) -> ProductType {
        self.0.r#type
    }

    /// The family that it belongs to, if any.
    #[must_use]
    pub fn family_id(&self) -> Option<&FamilyId> {
        self.0.family_id.as_ref()
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

    /// See [`with_unit_label`](Self::with_unit_label).
    #[must_use]
    pub fn unit_label(&self) -> Option<&str> {
        self.0.unit_label.as_deref()
    }

    fn change(&mut self) -> &mut ProductFields {
        Arc::make_mut(&mut self.0)
    }
}

impl TryFrom<ProductFields> for Product {
    type Error = InvalidField;

    fn try_from(fields: ProductFields) -> Result<Self, InvalidField> {
        match (fields.r#type, &fields.family_id) {
            (ProductType::Standalone, Some(_)) => Err(InvalidField::new(
                "familyId",
                "is only for products of type `family`",
            )),
            (ProductType::Family, None) => Err(InvalidField::new(
                "familyId",
                "is missing from a product of type `family`",
            )),
            _ => Ok(Self(Arc::new(fields))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn a_product_has_a_family_exactly_if_its_type_says_so() {
        let fields = |kind: &str, family: Value| {
            from_value::<Product>(json!({"id": "p", "type": kind, "name": "P", "familyId": family}))
        };
        assert!(fields("standalone", Value::Null).is_ok());
        assert!(fields("family", json!("fam")).is_ok());
        assert_eq!(
            fields("family", Value::Null).unwrap_err().to_string(),
            "`familyId` is missing from a product of type `family`"
        );
        assert_eq!(
            fields("standalone", json!("fam")).unwrap_err().to_string(),
            "`familyId` is only for products of type `family`"
        );
    }
}
