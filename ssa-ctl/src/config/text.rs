//! A config in; its canonical text out, which reads as an equal config.

use serde::Serialize;

use super::{
    host::Host,
    model::{Config, Endpoint, Service},
};

/// The version of the config format that is read and written.
pub(super) const VERSION: u64 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u64,
    host: &'a Host,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    endpoint: &'a [Endpoint],
    service: &'a [Service],
}

/// The config as TOML. It holds no secret: keys are the names of files.
///
/// # Panics
/// Never for a config that was read: its paths are text, its numbers those of TOML.
pub fn to_toml(config: &Config) -> String {
    let Config { host, endpoints, services } = config;
    let document = Document { version: VERSION, host, endpoint: endpoints, service: services };
    toml::to_string(&document).expect("a config that was read can be written")
}
