//! What can be read in a database's files without SQLite.

use std::{fs, io, path::Path};

/// Whether the bytes of a database's file, or of its write-ahead log, contain a text.
///
/// # Errors
/// If there is no such file.
pub fn file_holds(file: &Path, text: &str) -> io::Result<bool> {
    let mut bytes = fs::read(file)?;
    bytes.extend(fs::read(file.with_extension("db-wal")).unwrap_or_default());
    let mut places = bytes.windows(text.len());
    Ok(places.any(|place| place == text.as_bytes()))
}
