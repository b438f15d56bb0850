//! A request as a curl command.

use http::Method;

/// The command. `data` is the body, or `@FILE`.
pub(crate) fn command(
    method: &Method,
    url: &str,
    headers: &[(String, String)],
    data: Option<&str>,
) -> String {
    let mut words = vec!["curl".to_owned(), "-X".to_owned(), method.to_string()];
    // curl would expand these, and send another path than the one that is signed.
    if url.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    for (name, value) in headers {
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
    }
    if let Some(data) = data {
        words.extend(["--data-binary".to_owned(), quoted(data)]);
    }
    words.push(quoted(url));
    words.join(" ")
}

/// A word that a POSIX shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
