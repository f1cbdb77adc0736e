//! Numbers and files that a person names in; the keys that are in them, out.

use std::{path::PathBuf, str::FromStr};

use ssa_common::rule::Key;

use crate::{config::keys, failure::Failure};

/// The keys of a rule with a `mac`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct KeyFiles {
    /// A key of the rule's ring: its number and its file; may be given again
    #[arg(long = "key", value_name = "NUMBER:FILE")]
    keys: Vec<NumberedFile>,
}

/// A key file with the key's number.
#[derive(Clone, Debug)]
struct NumberedFile {
    number: u32,
    file: PathBuf,
}

impl FromStr for NumberedFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, file) = text.split_once(':').ok_or("write the key's number, a colon and its file")?;
        let number = number.parse().map_err(|_| "the key's number is 0 to 4294967295")?;
        Ok(Self { number, file: file.into() })
    }
}

impl KeyFiles {
    /// Reads them.
    ///
    /// # Errors
    /// Where one is not there, or is no key file.
    pub(super) fn read(&self) -> Result<Vec<Key>, Failure> {
        let read = |NumberedFile { number, file }: &NumberedFile| {
            Ok(Key { number: *number, secret: keys::read(file).map_err(Failure::refused)? })
        };
        self.keys.iter().map(read).collect()
    }
}
