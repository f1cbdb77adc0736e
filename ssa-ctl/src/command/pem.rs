//! A path in; the octets of a file of certificates out.

use std::{fs::File, io::Read as _, path::Path};

use anyhow::Context as _;

use crate::failure::{Code, Failure};

/// Octets of a file that are read.
pub(super) const MOST: u64 = 1 << 20;
/// What is right where there is no certificate.
pub(super) const FORM: &str = "name a PEM file, with lines BEGIN CERTIFICATE and END CERTIFICATE in it";

/// Reads it, as far as a megabyte.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut octets));
    let read = read.with_context(|| format!("the certificates {} cannot be read", path.display()));
    read.map(|_| octets).map_err(|error| Failure::from(error).code(Code::Invalid).hint(FORM))
}
