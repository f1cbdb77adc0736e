//! A rule in; a strict service with servers that say `host`, whose records the host publishes to its client, out.

use std::{fs, path::Path};

use super::{expected::MANY, serving::Serving};
use crate::{
    client,
    site::{INTERFACE, Site, config},
};

/// The service's name in DNS.
pub const NAME: &str = "web.example.com";
/// Where the host publishes.
pub const UPSTREAM: &str = "[2001:db8:c:1::1]:53";

/// A site, and a server of ours on its host. It has the service `web`, and `wide` with many prefixes.
pub struct Published {
    pub site: Site,
    pub upstream: Serving,
}

impl Published {
    pub fn new(label: &str, rule: &str) -> Self {
        Self::with(label, rule, &[])
    }

    /// With more arguments of the server.
    pub fn with(label: &str, rule: &str, more: &[&str]) -> Self {
        let site = client::site(label, rule, "");
        write(&site, &fs::read_to_string(site.folder.path().join("config.toml")).unwrap());
        let path = site.folder.path().join("dns.toml");
        // Short enough to wait for, and never shorter than what is published is kept.
        let arguments = ["--config", path.to_str().unwrap(), "--ttl", "2s"];
        let upstream = Serving::zone(&site.host, Path::new("unused"), UPSTREAM, &[&arguments, more].concat());
        Self { site, upstream }
    }

    /// Puts another rule in force, and publishes it.
    pub fn change(&mut self, rule: &str) {
        let text = config(&[INTERFACE], "native", rule);
        self.site.apply(&text).done();
        self.publish(&text);
    }

    /// Publishes the services of this config.
    pub fn publish(&mut self, services: &str) {
        write(&self.site, services);
        let line = self.upstream.line();
        assert!(line.starts_with("serving another config, serial "), "{line}");
    }
}

fn write(site: &Site, services: &str) {
    let many: Vec<_> = (0..MANY).map(|number| format!("\"2001:db8:{:x}::/64\"", 0x1000 + number)).collect();
    let wide = format!("[[service]]\nname = \"wide\"\nprefixes = [{}]\nrule = \"any:*\"\n", many.join(", "));
    site.file("dns.toml", &format!("{services}{wide}"));
}
