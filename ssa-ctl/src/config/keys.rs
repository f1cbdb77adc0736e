//! A config in; the secrets that its key files hold, or what is wrong with a file, out. A secret is in no message.

use std::{collections::BTreeMap, fmt, path::Path};

use ssa_common::rule::Key;

use super::{model::Config, private, refusal::Refusal, words::sixteen_octets};

/// Octets of a key file that are looked at.
const MAX_OCTETS: u64 = 4096;

/// The key rings of all services.
#[derive(Clone, Debug, Default)]
pub struct KeyRings {
    services: Vec<BTreeMap<String, Vec<Key>>>,
}

impl KeyRings {
    /// The ring of this name of the service at `service`, in the config's order.
    pub fn ring(&self, service: usize, name: &str) -> &[Key] {
        self.services.get(service).and_then(|rings| rings.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// A key file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Place of the service in the config.
    pub service: usize,
    /// Place of the key in the service.
    pub key: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// Reads every key file of the config.
///
/// # Errors
/// A problem for each file that is not a key.
pub fn load(config: &Config) -> Result<KeyRings, Vec<Problem>> {
    let mut rings = KeyRings::default();
    let mut problems = Vec::new();
    for (service, of_service) in config.services.iter().enumerate() {
        let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for (index, key) in of_service.keys.iter().enumerate() {
            match read(&key.file) {
                Ok(secret) => keys.entry(key.name.clone()).or_default().push(Key { number: key.number, secret }),
                Err(Refusal { message, help }) => problems.push(Problem { service, key: index, message, help }),
            }
        }
        rings.services.push(keys);
    }
    if problems.is_empty() { Ok(rings) } else { Err(problems) }
}

/// Reads a key file: a regular file of ours alone with 32 hexadecimal digits. Never waits.
///
/// # Errors
/// Where the file is not that.
pub fn read(path: &Path) -> Result<[u8; 16], Refusal> {
    let shown = path.display();
    let refuse = |message: String, help: String| Err(Refusal { message, help });
    let octets = private::read(path, MAX_OCTETS, &format!("make one: ssa-ctl key new {shown}"))?;
    let new = format!("a key file has 32 hexadecimal digits: ssa-ctl key new {shown} makes one where there is none");
    let text = std::str::from_utf8(&octets).ok().filter(|text| text.len() as u64 <= MAX_OCTETS).map(str::trim);
    let digits = text.filter(|text| text.bytes().all(|octet| octet.is_ascii_hexdigit())).map(str::len);
    match (text.and_then(sixteen_octets), digits) {
        (Some([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), _) => {
            refuse(format!("the key in {shown} is all zero, which everybody guesses"), new)
        }
        (Some(secret), _) => Ok(secret),
        (None, Some(0)) => refuse(format!("the key file {shown} is empty"), new),
        (None, Some(digits)) => refuse(format!("the key in {shown} has {digits} digits"), new),
        (None, None) => refuse(format!("the key in {shown} is not hexadecimal"), new),
    }
}
