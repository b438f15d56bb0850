//! The suite's advice names its Rust API. A reader of this tool has options.

/// The text with options in the place of the functions for fixtures.
pub(super) fn of_this_tool(text: &str) -> String {
    let mut rest = text;
    let mut said = String::with_capacity(text.len());
    while let Some((start, is_disposable)) = next(rest) {
        let (before, from) = rest.split_at(start);
        said.push_str(before);
        let from = from.split_once("::").map_or("", |(_, from)| from);
        let end = from.find('(').unwrap_or(from.len());
        let (name, behind) = from.split_at(end);
        said.push_str(&option(name, is_disposable));
        let end = behind.find(')').map(|end| end + 1);
        rest = end.and_then(|end| behind.get(end..)).unwrap_or_default();
    }
    said.push_str(rest);
    said
}

/// Where the next function is named, and whether it is one of `Disposable`.
fn next(text: &str) -> Option<(usize, bool)> {
    let fixtures = text.find("Fixtures::").map(|at| (at, false));
    let disposable = text.find("Disposable::").map(|at| (at, true));
    fixtures.into_iter().chain(disposable).min()
}

fn option(name: &str, is_disposable: bool) -> String {
    if is_disposable {
        let action = name.trim_start_matches("to_").replace('_', "-");
        let record = match action.as_str() {
            "cancel-all" | "pause-all" => "CUSTOMER",
            "apply-coupon" => "CUSTOMER/SUBSCRIPTION/COUPON",
            "change-price" => "CUSTOMER/SUBSCRIPTION/PRICE",
            _ => "CUSTOMER/SUBSCRIPTION",
        };
        return format!("--disposable {action}={record}");
    }
    match name {
        "advance_clock" => "--advance-clock COMMAND".to_owned(),
        "preferred_by_email" => "--preferred-email".to_owned(),
        "preferred_by_phone" => "--preferred-phone".to_owned(),
        "shared_prices" | "shared_coupons" | "shared_products" | "shared_families" => {
            name.replacen("shared_", "--shared ", 1)
        }
        _ => format!("--{}", name.replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use super::of_this_tool;

    #[test]
    fn functions_become_options() {
        for (said, expected) in [
            ("404: no such customer", "404: no such customer"),
            (
                "Fixtures::price(..), as the operation is served",
                "--price, as the operation is served",
            ),
            (
                "404, or Fixtures::shared_prices() if both have it",
                "404, or --shared prices if both have it",
            ),
            ("Fixtures::shared_email(..)", "--shared-email"),
            (
                "Disposable::to_extend_trial(..)",
                "--disposable extend-trial=CUSTOMER/SUBSCRIPTION",
            ),
            (
                "Disposable::to_cancel_all(..)",
                "--disposable cancel-all=CUSTOMER",
            ),
            (
                "a Fixtures::preferred_by_email(..) b Disposable::to_pause(..) c",
                "a --preferred-email b --disposable pause=CUSTOMER/SUBSCRIPTION c",
            ),
        ] {
            assert_eq!(of_this_tool(said), expected);
        }
    }
}
