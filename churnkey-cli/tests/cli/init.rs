//! `churnkey init`.

use std::fs;

use serde_json::json;

use crate::{
    merchants::{each, in_memory},
    tool::{TOKEN, churnkey},
};

const WRITTEN: &str = r#"# What churnkey knows of this integration. The command line and the environment come first.

# The URL with the prefix.
url = "<the URL>"

# Where the token is. The token itself does not belong here.
token-env = "MINE"

# The data to ask for: live or test.
mode = "live"

# How many seconds an answer may take.
timeout = 9

# The records that `churnkey check` uses. What is not named, it looks for in the lists.
[fixtures]
customer = "cus_ada"
missing = "churnkey-check-nobody"
test-customer = "cus_test"
subscription = "cus_ada/sub_ada_pro"
price = "price_pro_month"
coupon = "coupon_stay20"
product = "prod_pro"
family = "fam_core"
# Addresses and numbers are personal data, so those that were found are not written here.
# email = "CUSTOMER/ADDRESS"
# phone = "CUSTOMER/NUMBER"
# What both modes have the same of.
# shared = ["prices", "coupons", "products", "families"]
# What `churnkey check --yes` may change for good. Each run needs fresh records.
# disposable = [
#     "cancel=CUSTOMER/SUBSCRIPTION",
#     "cancel-all=CUSTOMER",
#     "pause=CUSTOMER/SUBSCRIPTION",
#     "pause-all=CUSTOMER",
#     "apply-coupon=CUSTOMER/SUBSCRIPTION/COUPON",
#     "extend-trial=CUSTOMER/SUBSCRIPTION",
#     "change-price=CUSTOMER/SUBSCRIPTION/PRICE",
# ]
"#;

#[test]
fn the_file_has_what_was_found_and_works() {
    each(|server| {
        let folder = tempfile::tempdir().unwrap();
        let tool = || {
            churnkey([
                "init",
                "--url",
                &server.url(),
                "--token-env",
                "MINE",
                "--timeout",
                "9",
            ])
        };
        let tool = || tool().env("MINE", TOKEN).within(folder.path());
        let ran = tool().run();
        assert_eq!((ran.code, &*ran.stderr), (0, ""));
        assert!(
            ran.stdout
                .contains("serves features, customers.retrieve, customers.list, "),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout
                .ends_with("\nchurnkey.toml is written; next: churnkey check\n"),
            "{}",
            ran.stdout
        );
        let written = fs::read_to_string(folder.path().join("churnkey.toml")).unwrap();
        assert!(!written.contains(TOKEN));
        assert_eq!(written, WRITTEN.replace("<the URL>", &server.url()));

        // The name of the variable comes from the file.
        let check = churnkey(["check", "--json"])
            .without_env("CK_INTEGRATION_TOKEN")
            .env("MINE", TOKEN);
        let ran = check.within(folder.path()).run();
        assert_eq!(
            (ran.code, &ran.json()["fixtures"]["subscription"]),
            (0, &json!("cus_ada/sub_ada_pro"))
        );

        // What is commented out can be used as it is written.
        let uncommented: Vec<&str> = written
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.contains(['=', ']']) => setting,
                Some(setting) => setting.strip_prefix("    ").unwrap_or(line),
                None => line,
            })
            .collect();
        fs::write(folder.path().join("churnkey.toml"), uncommented.join("\n")).unwrap();
        let sign = churnkey(["sign", "GET", "/prices"])
            .within(folder.path())
            .run();
        assert_eq!(sign.code, 0, "{sign:?}\n{}", uncommented.join("\n"));
    });
}

#[test]
fn a_file_that_is_there_is_kept() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("churnkey.toml");
    fs::write(&file, "timeout = 3\n").unwrap();
    let tool = |more: &[&str]| {
        let url = server.url();
        churnkey([&["init", "--url", &url], more].concat())
            .within(folder.path())
            .run()
    };
    tool(&[]).assert(
        2,
        "",
        "error: there is a churnkey.toml already: give --force to write it anew\n",
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "timeout = 3\n");
    let ran = tool(&["--force", "--json"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        (&ran.json()["file"], &ran.json()["serves"][0]),
        (&json!("churnkey.toml"), &json!("features"))
    );
    assert!(fs::read_to_string(&file).unwrap().contains("timeout = 3\n"));
}
