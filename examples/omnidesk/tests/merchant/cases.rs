//! The calls of `cases.json`, played against the program itself.

use merchant_cases::{CrmStub, Merchant};

#[tokio::test]
async fn every_case_is_answered_as_expected() {
    let crm = CrmStub::start().await.unwrap();
    let merchant = Merchant::new("omnidesk", env!("CARGO_BIN_EXE_omnidesk"));
    let merchant = merchant.option("--crm-lookup-url", &crm.url());
    merchant.play().await.assert_passed();
}
