//! What is written: results on standard output, everything about them on standard error.

use std::{
    error::Error,
    fmt::{self, Write as _},
    fs,
    io::Write,
    path::Path,
};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::exit::Failure;

/// The version of every JSON that the tool writes. A key that goes or changes its meaning makes a new one.
pub(crate) const VERSION: u32 = 1;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const UNCHECKED: Style = AnsiColor::Yellow.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Text in a style, which a terminal shows and everything else is spared.
pub(crate) fn styled(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a line of the result.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(anstream::stdout().lock(), "{text}")?)
}

/// Writes one JSON value on a line of its own.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    line(value)
}

/// Writes the result as it is, such as a man page.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    output.write_all(bytes)?;
    Ok(output.flush()?)
}

/// Writes the result to a file, or to standard output if none is named.
pub(crate) fn to(file: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(file) = file else {
        return line(text);
    };
    // A file is no terminal.
    let text = anstream::adapter::strip_str(text);
    fs::write(file, format!("{text}\n"))
        .map_err(|error| Failure::Usage(format!("{} can't be written: {error}", file.display())))
}

/// Says something about the result.
pub(crate) fn note(text: impl fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(anstream::stderr().lock(), "{text}")?)
}

/// Says what went wrong.
pub(crate) fn problem(text: &str) -> Result<(), Failure> {
    note(format_args!("{} {text}", styled(BAD, "error:")))
}

/// Text from outside without what could take over a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// The error and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
