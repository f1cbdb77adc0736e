//! Addresses by which programs are to call a service in; those that can be anchors, and why the others cannot, out. Pure but for
//! the question which address calls come from.

use std::{io, net::Ipv6Addr};

use ssa_client::Service;

/// Why no service can have this anchor, if so: calls to it are somebody else's, or nobody's. `source` says which address
/// calls to an address come from.
pub fn wrong(address: Ipv6Addr, source: impl Fn(Ipv6Addr) -> io::Result<Ipv6Addr>) -> Option<&'static str> {
    let is_own = || source(address).is_ok_and(|source| source == address);
    Some(match address {
        _ if address.is_unspecified() => "is the unspecified address",
        _ if address.is_loopback() => "is a loopback address",
        _ if address.is_multicast() => "is a multicast address",
        _ if address.is_unicast_link_local() => "is a link-local address",
        _ if address.to_ipv4_mapped().is_some() => "is an address of IPv4",
        // A host calls itself from the address that it calls.
        _ if is_own() => "is an address of this host",
        _ => return None,
    })
}

/// Those of the addresses of a service's name that can be its anchors, and why each of the others is none. Where nobody has
/// named them, they have to lie in the service: who can say in DNS which addresses its name has must not take the calls
/// that are for others.
pub fn sorted(
    addresses: &[Ipv6Addr],
    service: &Service,
    source: impl Fn(Ipv6Addr) -> io::Result<Ipv6Addr>,
) -> (Vec<Ipv6Addr>, Vec<String>) {
    let (mut anchors, mut left) = (Vec::new(), Vec::new());
    for address in addresses {
        let is_inside = service.prefixes.iter().any(|prefix| prefix.contains(address));
        match wrong(*address, &source).or((!is_inside).then_some("lies in none of its prefixes")) {
            None => anchors.push(*address),
            Some(why) => left.push(format!("{address} is no anchor of {}: it {why}", service.name)),
        }
    }
    (anchors, left)
}

#[cfg(test)]
mod tests {
    use ssa_client::record::Record;

    use super::*;

    #[test]
    fn what_is_not_the_services_is_no_anchor() {
        // A host with one address.
        let source = |_| Ok("2001:db8:a::7".parse().unwrap());
        let service =
            Service::new("web", &["2001:db8:a::/64".parse().unwrap()], Record::parse_value("v=1 rule=any:*").unwrap());
        let addresses: Vec<Ipv6Addr> = [
            "2001:db8:a::1",
            "::",
            "::1",
            "ff02::1",
            "fe80::1",
            "::ffff:192.0.2.1",
            "2001:db8:a::7",
            "2001:db8:b::1",
            "2001:db8:a::2",
        ]
        .map(|address| address.parse().unwrap())
        .into();
        let (anchors, left) = sorted(&addresses, &service, source);
        assert_eq!(anchors, [addresses[0], addresses[8]]);
        let whys = ["unspecified", "loopback", "multicast", "link-local", "IPv4", "this host", "none of its prefixes"];
        assert_eq!(left.len(), whys.len());
        for (left, why) in left.iter().zip(whys) {
            assert!(left.contains("is no anchor of web: it ") && left.contains(why), "{left}");
        }
        // Who names it may have it elsewhere; and where there is no way, an address is no address of this host.
        assert_eq!(wrong(addresses[7], source), None);
        assert_eq!(wrong(addresses[6], |_| Err(io::ErrorKind::AddrNotAvailable.into())), None);
    }
}
