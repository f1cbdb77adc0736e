//! A path in; the keys of the DNSKEY records in that file, up to which signatures are checked, out.

use std::{error::Error, fmt, fs, io::Read as _, path::Path};

use hickory_resolver::proto::{
    dnssec::TrustAnchors,
    serialize::txt::{ParseError, trust_anchor::Parser},
};

/// Octets that such a file has at most.
const MOST: u64 = 1 << 20;

/// Why a file has no trust anchors.
#[derive(Debug)]
pub enum AnchorsError {
    /// It cannot be read, or is no text.
    Unread(std::io::Error),
    /// It is a folder, a pipe or a device.
    NotRegular,
    /// It has more than a megabyte (2^20 octets).
    TooLong,
    /// It has something else than DNSKEY records.
    NotUnderstood(ParseError),
    /// It has no record.
    NoKey,
}

/// Reads the trust anchors in a regular file of a megabyte at most, each a line `ZONE TTL IN DNSKEY 257 3 ALGORITHM KEY`.
///
/// # Errors
/// Where the file is not that.
pub fn trust_anchors(path: &Path) -> Result<TrustAnchors, AnchorsError> {
    // Asked before it is opened: to open a pipe is to wait for its writer.
    if !fs::metadata(path).map_err(AnchorsError::Unread)?.is_file() {
        return Err(AnchorsError::NotRegular);
    }
    let mut text = String::new();
    let file = fs::File::open(path).map_err(AnchorsError::Unread)?;
    let length = file.take(MOST + 1).read_to_string(&mut text).map_err(AnchorsError::Unread)?;
    if u64::try_from(length).map_or(true, |length| length > MOST) {
        return Err(AnchorsError::TooLong);
    }
    // Those of zones are not counted by the anchors themselves.
    if Parser::new(text.as_str()).parse().map_err(AnchorsError::NotUnderstood)?.is_empty() {
        return Err(AnchorsError::NoKey);
    }
    text.parse().map_err(AnchorsError::NotUnderstood)
}

impl fmt::Display for AnchorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unread(_) => "it cannot be read",
            Self::NotRegular => "it is not a regular file",
            Self::TooLong => "it has more than a megabyte",
            Self::NotUnderstood(_) => "it has something else than DNSKEY records",
            Self::NoKey => "it has no DNSKEY record",
        })
    }
}

impl Error for AnchorsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unread(error) => Some(error),
            Self::NotUnderstood(error) => Some(error),
            Self::NotRegular | Self::TooLong | Self::NoKey => None,
        }
    }
}
