//! Reads the caller's trace from its `traceparent`, as the W3C recommendation "Trace Context" describes the header.

use axum::http::{HeaderMap, HeaderName};
use tinystr::TinyAsciiStr;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that the caller is in, and the caller's span in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceParent {
    pub(super) trace_id: TinyAsciiStr<32>,
    pub(super) parent_id: TinyAsciiStr<16>,
}

impl TraceParent {
    /// `None` without the header, and if it is repeated or not valid: the recommendation says to ignore it then.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut sent = headers.get_all(TRACEPARENT).iter();
        match (sent.next(), sent.next()) {
            (Some(sent), None) => Self::parse(sent.to_str().ok()?),
            _ => None,
        }
    }

    fn parse(sent: &str) -> Option<Self> {
        let mut parts = sent.splitn(5, '-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let parent_id = hex(parts.next()?, 16)?;
        hex(parts.next()?, 2)?;
        // Only a later version may have more parts.
        let is_known = match version {
            "00" => parts.next().is_none(),
            version => version != "ff",
        };
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        if !is_known || is_zero(trace_id) || is_zero(parent_id) {
            return None;
        }
        Some(Self {
            trace_id: trace_id.parse().ok()?,
            parent_id: parent_id.parse().ok()?,
        })
    }
}

/// The text, if it is so many lower-case hex digits.
fn hex(text: &str, digits: usize) -> Option<&str> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(is_hex)).then_some(text)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use rstest::rstest;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn of(sent: &[&str]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for sent in sent {
            headers.append(TRACEPARENT, HeaderValue::from_str(sent).unwrap());
        }
        let parent = TraceParent::of(&headers)?;
        Some((parent.trace_id.to_string(), parent.parent_id.to_string()))
    }

    #[rstest]
    #[case::sampled(&format!("00-{TRACE}-{PARENT}-01"))]
    #[case::not_sampled(&format!("00-{TRACE}-{PARENT}-00"))]
    #[case::unknown_flags(&format!("00-{TRACE}-{PARENT}-ff"))]
    #[case::later_version(&format!("01-{TRACE}-{PARENT}-01"))]
    #[case::later_version_with_more(&format!("cc-{TRACE}-{PARENT}-01-what-the-future-brings"))]
    fn a_valid_header_names_the_trace_and_the_callers_span(#[case] sent: &str) {
        assert_eq!(of(&[sent]), Some((TRACE.to_owned(), PARENT.to_owned())));
    }

    #[rstest]
    #[case::empty("")]
    #[case::version_alone("00")]
    #[case::no_flags(&format!("00-{TRACE}-{PARENT}"))]
    #[case::forbidden_version(&format!("ff-{TRACE}-{PARENT}-01"))]
    #[case::long_version(&format!("000-{TRACE}-{PARENT}-01"))]
    #[case::version_in_upper_case(&format!("0A-{TRACE}-{PARENT}-01"))]
    #[case::more_in_the_first_version(&format!("00-{TRACE}-{PARENT}-01-more"))]
    #[case::dash_at_the_end(&format!("00-{TRACE}-{PARENT}-01-"))]
    #[case::more_without_a_dash(&format!("cc-{TRACE}-{PARENT}-01.more"))]
    #[case::zero_trace(&format!("00-{}-{PARENT}-01", "0".repeat(32)))]
    #[case::zero_parent(&format!("00-{TRACE}-{}-01", "0".repeat(16)))]
    #[case::short_trace(&format!("00-{}-{PARENT}-01", &TRACE[1..]))]
    #[case::long_trace(&format!("00-{TRACE}0-{PARENT}-01"))]
    #[case::short_parent(&format!("00-{TRACE}-{}-01", &PARENT[1..]))]
    #[case::long_parent(&format!("00-{TRACE}-{PARENT}0-01"))]
    #[case::short_flags(&format!("00-{TRACE}-{PARENT}-1"))]
    #[case::flags_not_hex(&format!("00-{TRACE}-{PARENT}-0g"))]
    #[case::upper_case(&format!("00-{}-{PARENT}-01", TRACE.to_uppercase()))]
    #[case::not_hex(&format!("00-{}-{PARENT}-01", TRACE.replace('4', "z")))]
    fn any_other_header_is_ignored(#[case] sent: &str) {
        assert_eq!(of(&[sent]), None);
    }

    #[test]
    fn a_repeated_header_is_ignored() {
        let sent = format!("00-{TRACE}-{PARENT}-01");
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[&sent, &sent]), None);
    }
}
