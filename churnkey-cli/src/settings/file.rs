//! `churnkey.toml`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{arguments::ModeArgument, dev::Blueprint, exit::Failure, fixtures::Named};

pub(crate) const NAME: &str = "churnkey.toml";

/// What the file says. Paths in it begin at its folder.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) url: Option<String>,
    pub(crate) token_env: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) mode: Option<ModeArgument>,
    pub(crate) timeout: Option<u32>,
    pub(crate) resolve: Option<String>,
    pub(crate) ca: Option<PathBuf>,
    #[serde(default)]
    pub(crate) fixtures: Named,
    pub(crate) flow: Option<Blueprint>,
}

impl File {
    /// Reads the file that was named, or else the one in the folder or the next one above it.
    pub(crate) fn find(named: Option<&Path>, folder: &Path) -> Result<Self, Failure> {
        let found = match named {
            Some(path) => Some(path.to_owned()),
            None => folder
                .ancestors()
                .map(|folder| folder.join(NAME))
                .find(|path| path.is_file()),
        };
        match found {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{name} can't be read: {error}")))?;
        let file: Self = toml::from_str(&text).map_err(|error: toml::de::Error| {
            // `Display` would quote the line, and a token may have been written there by mistake.
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            Failure::Usage(format!(
                "{name}, line {line}: {}",
                without_value(error.message())
            ))
        })?;
        if file.token_env.is_some() && file.token_file.is_some() {
            return Err(Failure::Usage(format!(
                "{name} has both token-env and token-file: leave one"
            )));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            token_file: file.token_file.map(|file| folder.join(file)),
            ca: file.ca.map(|file| folder.join(file)),
            ..file
        })
    }
}

/// What should be there, if the message would repeat what is there.
fn without_value(message: &str) -> &str {
    let repeats = ["unknown variant", "invalid type", "invalid value"];
    if !repeats.iter().any(|start| message.starts_with(start)) {
        return message;
    }
    match message.find("expected ") {
        Some(at) => message.get(at..).unwrap_or_default(),
        None => "this value is not valid",
    }
}
