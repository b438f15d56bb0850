//! How addresses are normalized for indexes and comparisons.

use churnkey_integrator::Phone;
use unicode_normalization::UnicodeNormalization;

/// An address in lower case: the whole domain, but only the ASCII letters of the mailbox. Some other letters have an ASCII letter as
/// their lower case, such as the Kelvin sign a `k`: that would be another mailbox.
#[must_use]
pub fn lower_case_email(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((mailbox, domain)) => {
            format!("{}@{}", mailbox.to_ascii_lowercase(), domain.to_lowercase())
        }
        None => address.to_ascii_lowercase(),
    }
}

/// The key by which e-mail addresses are compared: trimmed, in NFC, lower-cased by [`lower_case_email`], the domain in ASCII. Dots
/// and `+tags` are kept, because they distinguish mailboxes. Mail goes to the stored address, never to one that was looked up.
#[must_use]
pub fn email_key(address: &str) -> String {
    let lower = lower_case_email(address.trim());
    let Some((mailbox, domain)) = lower.rsplit_once('@') else {
        return composed(&lower);
    };
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| {
        // Lower case may decompose a letter, such as a capital I with a dot.
        domain
            .nfc()
            .collect::<String>()
            .to_lowercase()
            .nfc()
            .collect()
    });
    format!("{}@{domain}", composed(mailbox))
}

/// In NFC, unless that would turn another character into an ASCII one: Kelvin sign, Greek question mark and varia.
fn composed(mailbox: &str) -> String {
    if mailbox.contains(['\u{212a}', '\u{37e}', '\u{1fef}']) {
        return mailbox.to_owned();
    }
    mailbox.nfc().collect()
}

/// The key by which phone numbers are compared, see [`Phone::lookup_key`]. `None` without a digit.
#[must_use]
pub fn phone_key(number: &str) -> Option<String> {
    Phone::new(number).ok()?.lookup_key()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_have_one_key() {
        for (address, key) in [
            (" Ada@Example.COM ", "ada@example.com"),
            ("ada+tag@example.com", "ada+tag@example.com"),
            ("a.da@example.com", "a.da@example.com"),
            ("zoe\u{308}@example.com", "zo\u{eb}@example.com"),
            ("ada@B\u{dc}CHER.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("no address", "no address"),
            ("a@b@c.example", "a@b@c.example"),
            ("\u{130}@example.com", "\u{130}@example.com"),
            ("ada@\u{130}.xn--a", "ada@i\u{307}.xn--a"),
        ] {
            assert_eq!(email_key(address), key);
            assert_eq!(email_key(key), key);
        }
    }

    #[test]
    fn no_other_letter_of_a_mailbox_becomes_an_ascii_one() {
        for letter in ('\u{80}'..=char::MAX).filter(|letter| !letter.is_whitespace()) {
            let key = email_key(&format!("{letter}@example.com"));
            assert!(
                key.starts_with(|first: char| !first.is_ascii()),
                "{letter:?}"
            );
        }
    }

    #[test]
    fn spellings_of_one_number_have_one_key() {
        assert_eq!(
            phone_key("+54 911 5555-0101").as_deref(),
            Some("+5491155550101")
        );
        assert_eq!(
            phone_key("005491155550101").as_deref(),
            Some("+5491155550101")
        );
        assert_eq!(phone_key("123-444-XXXX").as_deref(), Some("123444"));
        assert_eq!(phone_key("call me"), None);
        assert_eq!(phone_key(""), None);
    }
}
