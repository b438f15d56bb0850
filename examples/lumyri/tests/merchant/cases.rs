//! The calls of `cases.json`, played against the program itself.

use merchant_cases::Merchant;

#[tokio::test]
async fn every_case_is_answered_as_expected() {
    let merchant = Merchant::new("lumyri", env!("CARGO_BIN_EXE_lumyri"));
    merchant.play().await.assert_passed();
}
