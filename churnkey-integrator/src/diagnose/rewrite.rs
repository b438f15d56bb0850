//! What proxies do to a path, a query and a body, as functions of the text alone.

use serde::de::IgnoredAny;
use serde_json::Value;

/// With more parameters, only their sorted and their reversed order are tried: 4 parameters have 24 orders.
const MAX_PERMUTED: usize = 4;

/// Path and query, without the question mark.
pub(super) fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    }
}

pub(super) fn join(path: &str, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// The path in the ways in which a percent-encoding program may write it, the query as it is.
pub(super) fn encoded(path: &str) -> Vec<String> {
    let (path, query) = split(path);
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let by_uri_component = |byte: u8| unreserved(byte) || b"!'()*".contains(&byte);
    let all_but_at = |byte: u8| byte != b'@';
    let ways: [(&dyn Fn(u8) -> bool, bool); 4] = [
        (&unreserved, true),
        (&by_uri_component, true),
        (&all_but_at, true),
        (&unreserved, false),
    ];
    let ways = ways.iter().map(|(keeps, upper)| {
        let digits = if *upper { UPPER } else { LOWER };
        join(&encode(path, keeps, digits), query)
    });
    ways.chain([join(&path.replace('%', "%25"), query)])
        .collect()
}

/// The path in the ways in which a percent-decoding program may write it, the query as it is.
pub(super) fn decoded(path: &str) -> Vec<String> {
    let (path, query) = split(path);
    let at = path.replace("%40", "@");
    let ways = decode(path).into_iter().chain([at]);
    ways.map(|path| join(&path, query)).collect()
}

/// The path with upper-case and with lower-case digits in what is percent-encoded.
pub(super) fn recoded(path: &str) -> [String; 2] {
    let (path, query) = split(path);
    [UPPER, LOWER].map(|digits| join(&recode(path, digits), query))
}

const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const LOWER: &[u8; 16] = b"0123456789abcdef";

fn push_encoded(to: &mut String, byte: u8, digits: &[u8; 16]) {
    to.push('%');
    for nibble in [byte >> 4, byte & 15] {
        let digit = digits.get(usize::from(nibble)).copied();
        to.push(char::from(digit.unwrap_or(b'0')));
    }
}

/// Slashes, and what is percent-encoded already, stay as they are.
fn encode(path: &str, keeps: &dyn Fn(u8) -> bool, digits: &[u8; 16]) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii() && (byte == b'/' || byte == b'%' || keeps(byte)) {
            encoded.push(char::from(byte));
        } else {
            push_encoded(&mut encoded, byte, digits);
        }
    }
    encoded
}

/// The byte that `%XX` at the start of the text stands for, and the rest.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (escape, rest) = text.split_at_checked(3)?;
    let digits = std::str::from_utf8(escape.strip_prefix(b"%")?).ok()?;
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok();
    Some((byte.filter(|_| is_hexadecimal)?, rest))
}

/// All of it, once. `None` if the bytes are not UTF-8.
fn decode(path: &str) -> Option<String> {
    let mut left = path.as_bytes();
    let mut decoded = Vec::with_capacity(left.len());
    while let Some((first, rest)) = left.split_first() {
        let (byte, rest) = escape(left).unwrap_or((*first, rest));
        decoded.push(byte);
        left = rest;
    }
    String::from_utf8(decoded).ok()
}

/// With other digits in what is percent-encoded.
fn recode(path: &str, digits: &[u8; 16]) -> String {
    let mut recoded = String::with_capacity(path.len());
    let mut left = path;
    while let Some(first) = left.chars().next() {
        left = match escape(left.as_bytes()) {
            Some((byte, _)) => {
                push_encoded(&mut recoded, byte, digits);
                left.get(3..).unwrap_or_default()
            }
            None => {
                recoded.push(first);
                left.get(first.len_utf8()..).unwrap_or_default()
            }
        };
    }
    recoded
}

/// With a slash at the end of the path if there is none, and the reverse.
pub(super) fn with_or_without_slash(path: &str) -> Option<String> {
    let (path, query) = split(path);
    match path.strip_suffix('/') {
        Some("") => None,
        Some(path) => Some(join(path, query)),
        None => Some(join(&format!("{path}/"), query)),
    }
}

/// The same parameters in other orders.
pub(super) fn reordered(path: &str) -> Vec<String> {
    let (path, Some(query)) = split(path) else {
        return Vec::new();
    };
    let parameters: Vec<&str> = query.split('&').collect();
    let orders = if parameters.len() <= MAX_PERMUTED {
        permutations(&parameters)
    } else {
        let mut sorted = parameters.clone();
        sorted.sort_unstable();
        vec![sorted, parameters.iter().rev().copied().collect()]
    };
    let queries = orders.iter().map(|order| order.join("&"));
    queries.map(|query| join(path, Some(&query))).collect()
}

fn permutations<'a>(parameters: &[&'a str]) -> Vec<Vec<&'a str>> {
    if parameters.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (at, first) in parameters.iter().enumerate() {
        let mut others = parameters.to_vec();
        others.remove(at);
        for rest in permutations(&others) {
            found.push([vec![*first], rest].concat());
        }
    }
    found
}

/// The body as programs that read JSON and write it again would write it, and with or without a line feed at its end.
pub(super) fn rewritten(body: &[u8]) -> Vec<Vec<u8>> {
    let mut ways = vec![Vec::new()];
    let trimmed = body.trim_ascii_end();
    ways.push(trimmed.to_vec());
    ways.push([trimmed, b"\n"].concat());
    if serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return ways;
    }
    for (comma, colon) in [("", ""), (" ", " "), ("", " ")] {
        let spaced = respaced(body, comma, colon);
        ways.push(with_escapes(&spaced));
        ways.push(spaced);
    }
    // Escapes resolved, and the keys in the order in which a map has them.
    let value = serde_json::from_slice::<Value>(body);
    ways.extend(value.ok().and_then(|value| serde_json::to_vec(&value).ok()));
    ways
}

/// JSON with this white space behind commas and colons, and no other.
fn respaced(json: &[u8], comma: &str, colon: &str) -> Vec<u8> {
    let mut spaced = Vec::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = *byte == b'"';
        }
        spaced.push(*byte);
        match byte {
            b',' if !in_string => spaced.extend(comma.bytes()),
            b':' if !in_string => spaced.extend(colon.bytes()),
            _ => {}
        }
    }
    spaced
}

/// With `\u` escapes for what is not ASCII, as Python writes it.
fn with_escapes(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii() {
            escaped.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped.into_bytes()
}
