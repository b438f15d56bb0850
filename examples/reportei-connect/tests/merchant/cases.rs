//! The calls of `cases.json`, played against the program itself.

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_reportei-connect");

pub(crate) fn merchant() -> merchant_cases::Merchant {
    merchant_cases::Merchant::new("reportei", BINARY)
}

#[tokio::test]
async fn every_case_is_answered_as_expected() {
    let report = merchant().play().await;
    report.assert_passed();
    assert_eq!(report.passed(), 30);
}
