//! The demo data, and what opens them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::customer::Address;

/// The secret that the demo tokens are signed with. Everybody may read it here.
pub const DEMO_JWT_SECRET: &str = "lumyri-demo-secret";

/// The demo token of company A: it has no end.
pub const DEMO_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJjb21wYW55X2lkIjoiMjMxMDgwYzUtYjYyMi00YTI1LWFlZjgtYzdlNDI2OTI3YmIwIiwiaXNzIjoibHVteXJpLWRlbW8iLCJ1c2VyX2lkIjoiYzBjZDY2ZmUtYzA4Yi00NmMyLTk2OTctZTVlZDlhOTI3OTY5In0.\
    cOortJCD_9TfeNjz4TXwkIr6ub6n_zilETJ2437dIx0";

/// What `demo.json` holds: companies and apps by the names that the records use.
#[derive(Debug, Deserialize)]
pub struct Demo {
    /// The ids of the companies.
    pub companies: BTreeMap<String, String>,
    /// The ids of the apps.
    pub apps: BTreeMap<String, String>,
    /// In their order of creation.
    pub labels: Vec<DemoLabel>,
    /// In their order of creation.
    pub customers: Vec<DemoCustomer>,
}

/// A label of the demo data.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of a label")]
pub struct DemoLabel {
    pub company: String,
    pub id: String,
    pub name: String,
    pub color: String,
}

/// A customer of the demo data, who is nobody.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of a customer")]
pub struct DemoCustomer {
    pub company: String,
    pub app: String,
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone: Option<String>,
    pub address: Vec<Address>,
    pub avatar: String,
    pub labels: Option<Vec<String>>,
}

impl Demo {
    /// Reads the file that was compiled in.
    ///
    /// # Errors
    /// If the file is not what is expected here.
    pub fn load() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../demo.json"))
    }
}
