//! The calls of `cases.json`, played against the program itself.

pub(crate) fn merchant() -> merchant_cases::Merchant {
    merchant_cases::Merchant::new("notihub", env!("CARGO_BIN_EXE_notihub"))
}

#[tokio::test]
async fn every_case_is_answered_as_expected() {
    let report = merchant().play().await;
    report.assert_passed();
    assert_eq!(report.passed(), 48);
}
