//! The rules for the fields of a customer, whether a caller or the CRM sends them.

/// The longest name, external id or other short text, in characters.
pub(crate) const MAX_TEXT: usize = 255;
/// The longest custom field, in characters.
const MAX_CUSTOM: usize = 4096;
/// The prefix of the names of custom fields.
pub(crate) const CUSTOM: &str = "custom_";

/// A number is written in decimal digits (O5).
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The NAME kind: `^[a-zA-ZÀ-ÖØ-Þß-öø-ÿŠš\.\-\' ]+$`.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |c| {
        matches!(c,
            'a'..='z' | 'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'ß'..='ö' | 'ø'..='ÿ'
            | 'Š' | 'š' | '.' | '-' | '\'' | ' ')
    };
    !text.is_empty() && text.chars().all(allowed) && text.chars().count() <= MAX_TEXT
}

/// A text such as an id, without control characters: they could forge a log line, or end the text in a C program.
pub(crate) fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control) && text.chars().count() <= MAX_TEXT
}

/// The full name of a custom field.
pub(crate) fn is_custom_name(text: &str) -> bool {
    text.strip_prefix(CUSTOM).is_some_and(|name| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (1..=64).contains(&name.len()) && name.bytes().all(allowed)
    })
}

/// The value of a custom field: any text.
pub(crate) fn is_custom_value(text: &str) -> bool {
    text.chars().count() <= MAX_CUSTOM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_letters_of_its_pattern_and_no_others() {
        for name in ["''", "Ñandú", "Šimon-D'Or St. Ým", "ß", "ÿ", " "] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "", "An4", "ž", "ő", "×", "÷", "a_b", "a\n", "e\u{301}", "名", "a\0",
        ] {
            assert!(!is_name(other), "{other}");
        }
        assert!(is_name(&"a".repeat(255)));
        assert!(!is_name(&"a".repeat(256)));
    }

    #[test]
    fn a_custom_field_is_named_by_letters_digits_and_underscores() {
        assert!(is_custom_name("custom_a"));
        assert!(is_custom_name("custom_Test_1"));
        assert!(is_custom_name(&format!("custom_{}", "x".repeat(64))));
        for other in ["custom_", "custom", "custom_a-b", "custom_é", "Custom_a"] {
            assert!(!is_custom_name(other), "{other}");
        }
        assert!(!is_custom_name(&format!("custom_{}", "x".repeat(65))));
    }
}
