//! What is published in; lines for zone files or for `nsupdate` out.

use std::collections::BTreeSet;

use hickory_proto::{ProtoError, rr::Name};

use super::{Entry, Published};

/// For whom the lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Zone files of servers that know APL and SVCB
    Zone,
    /// Zone files of servers that do not (RFC 3597)
    Generic,
    /// nsupdate: takes away what was published at these names, and adds this
    Nsupdate,
}

impl Format {
    /// The lines.
    ///
    /// # Errors
    /// Where a record is too long.
    pub fn lines(self, zone: &Name, published: &[Published]) -> Result<Vec<String>, ProtoError> {
        let entries: Vec<_> = published.iter().flat_map(Published::entries).collect();
        match self {
            Self::Zone => Ok(entries.iter().map(ToString::to_string).collect()),
            Self::Generic => entries.iter().map(Entry::generic).collect(),
            Self::Nsupdate => {
                let sets: BTreeSet<_> =
                    entries.iter().map(|entry| (entry.name.to_string(), entry.data.kind())).collect();
                let begin = [format!("zone {zone}")];
                let delete = sets.into_iter().map(|(name, kind)| format!("update delete {name} {kind}"));
                let add = entries.iter().map(|entry| format!("update add {entry}"));
                Ok(begin.into_iter().chain(delete).chain(add).chain(["send".into()]).collect())
            }
        }
    }
}
