//! The commands, one file each.

pub(crate) mod ambiguity;
pub(crate) mod bench;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod openapi;
pub(crate) mod sign;

use std::{fs, io::Read};

use crate::{
    arguments::{BodyArgument, RequestArguments},
    exit::Failure,
};

/// The bytes of a request's body.
fn body_of(request: &RequestArguments) -> Result<Vec<u8>, Failure> {
    let (name, bytes) = match &request.body {
        None => return Ok(Vec::new()),
        Some(BodyArgument::Text(text)) => return Ok(text.clone().into_bytes()),
        Some(BodyArgument::File(path)) => (path.display().to_string(), fs::read(path)),
        Some(BodyArgument::StandardInput) => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            ("standard input".to_owned(), read.map(|_| bytes))
        }
    };
    bytes.map_err(|error| Failure::Usage(format!("the body in {name} can't be read: {error}")))
}
