//! The client's side on this host: a service and the addresses under which programs know it in, anchors out. Pure but for the
//! question which address calls come from.

pub mod callable;

use std::{io, net::Ipv6Addr};

use anyhow::Context as _;
use ipnet::Ipv6Net;
use ssa_client::{Selector, Service};
use ssa_common::{
    layout::{ANCHOR_ROWS, CALLED_NAME},
    rule::{AddressError, AnchorError, Compiled, Wanted},
};

use crate::{
    failure::{Code, Failure},
    kernel::client::Anchor,
};

/// What calls to a service are for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Purpose {
    /// The object, if the rule has an `object` field.
    pub object: Option<u128>,
    /// The replica, counted from 0.
    pub replica: u32,
}

/// The anchors of a service. Each leads into the prefix that it lies in, or into the first. `source` says which address
/// calls to an address come from.
///
/// # Errors
/// Where a program of the kernel cannot compute the addresses, or nothing leads there.
pub fn anchors(
    service: &Service,
    selector: &Selector,
    addresses: &[Ipv6Addr],
    purpose: Purpose,
    source: impl Fn(Ipv6Addr) -> io::Result<Ipv6Addr>,
) -> Result<Vec<Anchor>, Failure> {
    let name = one_form(&service.name);
    if name.len() > CALLED_NAME {
        return Err(invalid(format!("the name {name} has more than {CALLED_NAME} octets")));
    }
    let anchor = |address: &Ipv6Addr| {
        let within = selector.rules().iter().find(|rule| prefix(rule).contains(address));
        let rule = within.or(selector.rules().first()).context("the service has no prefix")?;
        let prefix = prefix(rule);
        let source = source(prefix.network()).with_context(|| format!("there is no way to {prefix}"))?;
        let excluded = service.excluded.iter().filter(|part| prefix.contains(*part));
        let excluded: Vec<_> = excluded.map(|part| (part.network().to_bits(), part.prefix_len())).collect();
        let wanted = Wanted {
            anchor: address.to_bits(),
            source: source.to_bits(),
            object: purpose.object,
            replica: purpose.replica,
            excluded: &excluded,
        };
        let row = rule.anchor(&wanted).map_err(|error| refused(&service.name, error))?;
        Ok(Anchor { row, name: name.clone(), length: prefix.prefix_len() })
    };
    addresses.iter().map(anchor).collect()
}

/// The anchors of a cgroup, with those of one service in the place of those it had.
///
/// # Errors
/// Where an address is the anchor of another service, or there are too many.
pub fn with(have: Vec<Anchor>, service: &str, new: Vec<Anchor>) -> Result<Vec<Anchor>, Failure> {
    let mut all = without(have, service);
    for anchor in &new {
        if let Some(other) = all.iter().find(|other| other.row.anchor == anchor.row.anchor) {
            let address = Ipv6Addr::from_bits(anchor.row.anchor.to_u128());
            return Err(invalid(format!("{address} is the anchor of {} already", other.name))
                .hint("detach that, or give this one another with --anchor"));
        }
    }
    all.extend(new);
    if all.len() > ANCHOR_ROWS as usize {
        return Err(invalid(format!("these are {} anchors, and there is room for {ANCHOR_ROWS}", all.len())));
    }
    Ok(all)
}

/// The anchors of all services but one, however its name is written.
pub fn without(have: Vec<Anchor>, service: &str) -> Vec<Anchor> {
    let service = one_form(service);
    have.into_iter().filter(|anchor| one_form(&anchor.name) != service).collect()
}

/// What a person can say that is missing.
pub const fn hint(error: AddressError) -> Option<&'static str> {
    match error {
        AddressError::NoObject => Some("add --object ID"),
        AddressError::NoReplica { .. } => Some("choose one with --replica R"),
        AddressError::NoKey | AddressError::Cancelled => None,
    }
}

/// A name as DNS compares it: small letters, and no dot at the end.
fn one_form(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn prefix(rule: &Compiled) -> Ipv6Net {
    let placed = rule.placed();
    Ipv6Net::new_assert(Ipv6Addr::from_bits(placed.prefix()), placed.length())
}

fn invalid(message: String) -> Failure {
    Failure::new(Code::Invalid, message)
}

fn refused(name: &str, error: AnchorError) -> Failure {
    let hint = match error {
        AnchorError::Address(error) => hint(error),
        AnchorError::Work | AnchorError::Excluded { .. } => Some("use ssa-ctl proxy, or ssa-ctl connect"),
    };
    let error = anyhow::Error::new(error).context(format!("a cgroup's calls cannot be sent to {name}"));
    Failure { code: Code::Invalid, error, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use ssa_client::record::Record;

    use super::*;

    const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xc, 0, 0, 0, 0, 2);

    fn made(rule: &str, prefixes: &[&str], addresses: &[&str]) -> Result<Vec<Anchor>, Failure> {
        let prefixes: Vec<_> = prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect();
        let service = Service::new("web", &prefixes, Record::parse_value(&format!("v=1 rule={rule}")).unwrap());
        let selector = Selector::new(&service, &[]).unwrap();
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        anchors(&service, &selector, &addresses, Purpose::default(), |_| Ok(SOURCE))
    }

    fn shown(anchors: &[Anchor]) -> Vec<(String, String, Ipv6Addr)> {
        let address = |words: ssa_common::bits::Words| Ipv6Addr::from_bits(words.to_u128());
        let show = |Anchor { row, name, length }: &Anchor| {
            (name.clone(), format!("{}/{length}", address(row.template)), address(row.source))
        };
        anchors.iter().map(show).collect()
    }

    #[test]
    fn an_anchor_leads_into_its_prefix_or_into_the_first() {
        let prefixes = ["2001:db8:a::/64", "2001:db8:b::/48"];
        let made = made("hash(48):14 any:*", &prefixes, &["2001:db8:b::1", "2001:db8:a::1", "2001:db8:f::1"]).unwrap();
        let into = |prefix: &str| ("web".to_owned(), prefix.to_owned(), SOURCE);
        assert_eq!(shown(&made), [into("2001:db8:b::/48"), into("2001:db8:a::/64"), into("2001:db8:a::/64")]);
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let refused = |rule: &str| made(rule, &["2001:db8:a::/64"], &["2001:db8:a::1"]).unwrap_err();
        for (rule, word) in [("pow(64,zeros=8):64", "proof of work"), ("object(0):64", "object")] {
            let failure = refused(rule);
            assert!(failure.code == Code::Invalid && failure.hint.is_some(), "{failure:?}");
            assert!(format!("{:#}", failure.error).contains(word), "{failure:?}");
        }
    }

    #[test]
    fn a_service_takes_the_place_of_itself_and_of_no_other() {
        let one = |name: &str, anchors: &[&str]| {
            let mut made = made("any:*", &["2001:db8:a::/64"], anchors).unwrap();
            for anchor in &mut made {
                anchor.name = name.into();
            }
            made
        };
        let have = one("web", &["2001:db8:a::1", "2001:db8:a::2"]);
        let have = with(have, "mail", one("mail", &["2001:db8:a::3"])).unwrap();
        let names = |anchors: &[Anchor]| anchors.iter().map(|anchor| anchor.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&have), ["web", "web", "mail"]);
        let have = with(have, "web", one("web", &["2001:db8:a::2"])).unwrap();
        assert_eq!(names(&have), ["mail", "web"]);
        let refused = with(have.clone(), "dns", one("dns", &["2001:db8:a::3"])).unwrap_err();
        assert!(refused.error.to_string().contains("anchor of mail"), "{refused:?}");
        assert_eq!(names(&without(have.clone(), "mail")), ["web"]);
        // A name is the same in other letters, and with the dot at its end.
        assert_eq!(names(&without(have, "Mail.")), ["web"]);
        assert_eq!(names(&with(one("Web.", &["2001:db8:a::1"]), "wEb", Vec::new()).unwrap()), [""; 0]);
        let many: Vec<_> = (1..=65).map(|number| format!("2001:db8:a::{number:x}")).collect();
        let many = one("web", &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(with(Vec::new(), "web", many[..64].to_vec()).is_ok());
        assert_eq!(with(Vec::new(), "web", many).unwrap_err().code, Code::Invalid);
    }
}
