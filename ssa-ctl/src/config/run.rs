//! Runs of slices: their text in and out, as `pinned` and `owners` have it.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{
    bounds::{BACKWARDS, Bounds},
    words::{WordError, is_name, text_in_configs},
};

/// Slices that follow each other, and their endpoint: `7 a` or `0-15 a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first slice.
    pub first: u32,
    /// The last slice, not before the first.
    pub last: u32,
    /// The endpoint's name.
    pub endpoint: String,
}

impl Run {
    /// Its slices.
    pub const fn bounds(&self) -> Bounds {
        Bounds { first: self.first, last: self.last }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.bounds(), self.endpoint)
    }
}

impl FromStr for Run {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        const FORM: WordError =
            WordError("write a slice or the first and the last of a run, and an endpoint: \"0-15 a\"");
        let (slices, endpoint) = text.split_once(' ').ok_or(FORM)?;
        let form = |error| if error == BACKWARDS { error } else { FORM };
        let Bounds { first, last } = slices.parse().map_err(form)?;
        if !is_name(endpoint, "._-") {
            return Err(WordError("after the slices comes the name of an endpoint, behind one space"));
        }
        Ok(Self { first, last, endpoint: endpoint.into() })
    }
}

text_in_configs!(Run, r"^[0-9]{1,7}(-[0-9]{1,7})? [A-Za-z0-9][A-Za-z0-9._-]{0,62}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_back_as_they_were_written() {
        for text in ["7 a", "0-15 proxy-1.rack_2", "1048575 b"] {
            assert_eq!(text.parse::<Run>().map(|run| run.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "7", "7  a", "15-0 a", "-1 a", "0- a", "0-15 -rf", "0x7 a", "4294967296 a"] {
            assert!(text.parse::<Run>().is_err(), "{text}");
        }
    }
}
