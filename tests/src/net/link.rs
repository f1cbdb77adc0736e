//! Namespaces and names in; veth pairs, addresses, routes and neighbours out.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{namespace::Namespace, process::output_of};

/// What is known of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number in its namespace.
    pub index: u32,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// The largest packet it takes.
    pub mtu: u32,
}

/// Makes a veth pair and raises both ends.
///
/// # Errors
/// Where a name has one letter, which `ip` mistakes for an option, or there is such an interface.
pub fn veth(one: (&Namespace, &str), other: (&Namespace, &str)) -> Result<()> {
    for (_, name) in [one, other] {
        ensure!(name.len() >= 2, "an interface name of one letter confuses ip: {name}");
    }
    let ends = [one, other].map(|(namespace, name)| ["name", name, "netns", namespace.name()]);
    let mut add = Command::new("ip");
    add.args(["link", "add"]).args(ends[0]).args(["type", "veth", "peer"]).args(ends[1]);
    output_of(&mut add).with_context(|| format!("{} and {} cannot be linked", one.1, other.1))?;
    for (namespace, name) in [one, other] {
        namespace.ip(&["link", "set", "dev", name, "up"])?;
    }
    Ok(())
}

/// Gives an interface an address that may be used at once: `2001:db8::1/64`.
pub fn address(namespace: &Namespace, interface: &str, address: &str) -> Result<()> {
    namespace.ip(&["-6", "address", "add", address, "dev", interface, "nodad"]).map(drop)
}

/// Adds a route, in the words of `ip -6 route add`: `["local", "2001:db8:1::/64", "dev", "lo"]`.
pub fn route(namespace: &Namespace, words: &[&str]) -> Result<()> {
    let mut arguments = vec!["-6", "route", "add"];
    arguments.extend(words);
    namespace.ip(&arguments).map(drop)
}

/// Tells a namespace the hardware address of a neighbour for good, so that it need not ask.
pub fn neighbour(namespace: &Namespace, interface: &str, address: &str, mac: [u8; 6]) -> Result<()> {
    let mac = mac.map(|octet| format!("{octet:02x}")).join(":");
    let words = ["-6", "neighbour", "replace", address, "lladdr", &mac, "dev", interface, "nud", "permanent"];
    namespace.ip(&words).map(drop)
}

/// What is known of an interface of a namespace.
pub fn interface(namespace: &Namespace, name: &str) -> Result<Interface> {
    let said = namespace.ip(&["-json", "link", "show", "dev", name])?;
    let links: Value = serde_json::from_str(&said).context("ip does not write JSON")?;
    let number = |key: &str| links[0][key].as_u64().and_then(|number| u32::try_from(number).ok());
    let mac = links[0]["address"].as_str().and_then(parse_mac);
    number("ifindex")
        .zip(mac)
        .zip(number("mtu"))
        .map(|((index, mac), mtu)| Interface { index, mac, mtu })
        .with_context(|| format!("ip says too little of {name}: {said}"))
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let octets: Option<Vec<u8>> = text.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    octets?.try_into().ok()
}
