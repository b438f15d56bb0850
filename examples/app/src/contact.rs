//! The form in which addresses are indexed and compared.

use churnkey_integrator::Phone;
use unicode_normalization::UnicodeNormalization;

/// What two spellings of one e-mail address have in common: trimmed, composed (NFC), in lower case, its domain in ASCII.
/// Dots and `+tags` are kept, they tell mailboxes apart.
#[must_use]
pub fn email_key(address: &str) -> String {
    let lower: String = address.trim().nfc().collect::<String>().to_lowercase();
    // Lower case may come apart again, as that of a dotted capital I does.
    let lower: String = lower.nfc().collect();
    match lower.rsplit_once('@') {
        Some((mailbox, domain)) => match idna::domain_to_ascii(domain) {
            Ok(domain) => format!("{mailbox}@{domain}"),
            Err(_) => lower,
        },
        None => lower,
    }
}

/// What two spellings of one phone number have in common; see [`Phone::lookup_key`]. `None` if it holds no digit.
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
            ("\u{130}@example.com", "i\u{307}@example.com"),
        ] {
            assert_eq!(email_key(address), key);
            assert_eq!(email_key(key), key);
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
