//! `churnkey doctor`, in front of real servers that were broken on purpose.

/// Tests with the cause that doctor has to name: one test, with a set-up, for each. `CAUSES` lists the causes.
macro_rules! sabotages {
    ($($cause:ident $name:ident: $setup:expr;)*) => {
        /// The causes that these set-ups have.
        pub(super) const CAUSES: &[churnkey_integrator::diagnose::Cause] =
            &[$(churnkey_integrator::diagnose::Cause::$cause,)*];

        $(
            #[test]
            fn $name() {
                $setup.is(churnkey_integrator::diagnose::Cause::$cause);
            }
        )*
    };
}

mod certificates;
mod connection;
mod healthy;
mod in_front;
mod not_ours;
mod server;
mod setup;
mod several;

use std::collections::BTreeSet;

use churnkey_integrator::diagnose::{Cause, Side};

use crate::{merchants::in_memory, tool::churnkey};

#[test]
fn every_cause_that_is_seen_from_outside_has_a_sabotage() {
    let sabotaged = [in_front::CAUSES, server::CAUSES, connection::CAUSES].concat();
    let sabotaged: BTreeSet<Cause> = sabotaged.into_iter().collect();
    let seen = Cause::all().filter(|cause| cause.is_seen_from(Side::Outside));
    assert_eq!(sabotaged, seen.collect());
}

#[test]
fn what_is_found_is_said_in_words() {
    let server = in_memory();
    let doctor = |url: &str| churnkey(["doctor", "--url", url]).run();
    let url = server.url();
    let said = format!(
        "{url} is healthy for live data; `churnkey check` looks at its answers\n9 requests; the clocks agree\n"
    );
    doctor(&url).assert(0, &said, "");
    let said = "connection-refused: nothing listens at 127.0.0.1, port 1.\n  \
                Start the server, and compare address, port and firewall.\n";
    doctor("http://127.0.0.1:1/churnkey").assert(3, &format!("{said}1 request\n"), "");
}

#[test]
fn no_record_changes() {
    let server = in_memory();
    let url = server.url();
    let subscriptions = || {
        let all = [
            "list",
            "subscriptions",
            "--customer",
            "cus_ada",
            "--url",
            &url,
        ];
        churnkey(all).run()
    };
    let before = subscriptions();
    assert_eq!(before.code, 0);
    assert_eq!(churnkey(["doctor", "--url", &url]).run().code, 0);
    assert_eq!(subscriptions(), before);
}
