//! A lane in; nftables there, with the nearest to our rule that it can say, out.

use std::{fmt::Write as _, fs, net::Ipv6Addr};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::lane::{Lane, PREFIX};
use crate::net::scratch;

/// How many client networks there are, each with an address of its own.
const PAIRS: u16 = 16_384;

/// Where its rule is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    /// As near to the driver as it comes.
    Ingress,
    /// Where most rulesets have their first rules.
    Prerouting,
}

/// What its rule says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Drop all that is for the prefix: no rule costs less.
    Prefix,
    /// Drop what is for the prefix and is no pair of source and destination of a set. nft 1.0 cannot compare bits of
    /// one with bits of the other, so each pair that may pass is written down.
    Pairs,
}

/// Brings the rule in force.
pub(super) fn load(lane: &Lane, hook: Hook, rule: Rule) -> Result<()> {
    let folder = scratch().context("no folder for a ruleset")?;
    let file = folder.path().join("rules.nft");
    fs::write(&file, ruleset(&lane.name, hook, rule)?).context("the ruleset cannot be written")?;
    lane.namespace.run("nft", ["-f".as_ref(), file.as_os_str()]).map(drop)
}

/// What the rule has dropped.
pub(super) fn dropped(lane: &Lane) -> Result<u64> {
    let said = lane.namespace.run("nft", ["--json", "list", "counters"])?;
    let listed: Value = serde_json::from_str(&said).with_context(|| format!("nft answered {said}"))?;
    let mut counters = listed["nftables"].as_array().into_iter().flatten();
    let packets = counters.find_map(|entry| entry["counter"]["packets"].as_u64());
    packets.with_context(|| format!("nft does not count what was dropped: {said}"))
}

fn ruleset(interface: &str, hook: Hook, rule: Rule) -> Result<String> {
    let (family, chain) = match hook {
        Hook::Ingress => ("netdev", format!("hook ingress device \"{interface}\" priority 0")),
        Hook::Prerouting => ("ip6", "hook prerouting priority raw".into()),
    };
    let mut text = format!("table {family} bench {{\n\tcounter dropped {{ }}\n");
    if rule == Rule::Pairs {
        text += "\tset pairs {\n\t\ttype ipv6_addr . ipv6_addr\n\t\telements = {\n";
        for number in 0..PAIRS {
            let (source, destination) = pair(number);
            writeln!(text, "\t\t\t{source} . {destination},")?;
        }
        text += "\t\t}\n\t}\n";
    }
    let unless = match rule {
        Rule::Prefix => "",
        Rule::Pairs => "ip6 saddr . ip6 daddr != @pairs ",
    };
    writeln!(text, "\tchain judge {{\n\t\ttype filter {chain}")?;
    writeln!(text, "\t\tip6 daddr {PREFIX}/64 {unless}counter name dropped drop\n\t}}\n}}")?;
    Ok(text)
}

/// A client and the address that `src(16):32` gives it.
fn pair(number: u16) -> (Ipv6Addr, Ipv6Addr) {
    let source = Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 0x10);
    let slice = u128::from(0x0db8_0000_u32 | u32::from(number)) << 32;
    (source, Ipv6Addr::from_bits(PREFIX.to_bits() | slice))
}
