//! The first octets of a frame in; between which addresses, by which protocol and which ports it went, out.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use ssa_common::parse::{self, Frame as _, HEADER_OCTETS, Header, Link, Upper, protocol};

/// Bits of a source prefix: what a site has, and what `enforce` takes whole.
const SITE_BITS: u8 = 48;

/// The ends of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Who sent it, as it says.
    pub source: Ipv6Addr,
    /// Whom it is for.
    pub destination: Ipv6Addr,
    /// The IP protocol behind extension headers, where the octets reach so far.
    pub protocol: Option<u8>,
    /// Source and destination port, where it has any.
    pub ports: Option<(u16, u16)>,
}

impl Ends {
    /// Those of the packet in a frame that begins with these octets. None: they hold no whole IPv6 header.
    pub fn of(head: &[u8]) -> Option<Self> {
        let Link::Ipv6(network) = parse::link(&head) else { return None };
        let header = Header::read(&head, network)?;
        let upper = parse::upper(&head, header.next, network + HEADER_OCTETS);
        let (protocol, ports) = match upper {
            Upper::Found { protocol, offset, .. } => (Some(protocol), ports(head, protocol, offset)),
            Upper::Later | Upper::Unknown => (None, None),
        };
        let address = |words: ssa_common::bits::Words| Ipv6Addr::from_bits(words.to_u128());
        Some(Self { source: address(header.source), destination: address(header.destination), protocol, ports })
    }

    /// The prefix of the site that it came from.
    pub fn site(&self) -> Ipv6Net {
        Ipv6Net::new_assert(self.source, SITE_BITS).trunc()
    }
}

fn ports(head: &[u8], number: u8, offset: u32) -> Option<(u16, u16)> {
    let has_ports = matches!(number, protocol::TCP | protocol::UDP | protocol::SCTP);
    has_ports.then(|| head.read_u16(offset).zip(head.read_u16(offset + 2))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet and an IPv6 header, and what is behind them.
    fn frame(tags: &[[u8; 4]], next: u8, rest: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend(tags.concat());
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, next, 64]);
        for last in [1, 2] {
            frame.extend(Ipv6Addr::new(0x2001, 0xdb8, 0x1234, 5, 0, 0, 0, last).octets());
        }
        frame.extend(rest);
        frame
    }

    #[test]
    fn addresses_and_ports_are_found_behind_tags_and_extensions() {
        let source: Ipv6Addr = "2001:db8:1234:5::1".parse().unwrap();
        let plain = Ends::of(&frame(&[], 17, &[0x9c, 0x40, 1, 0xbb])).unwrap();
        assert_eq!((plain.source, plain.protocol, plain.ports), (source, Some(17), Some((40_000, 443))));
        assert_eq!(plain.site().to_string(), "2001:db8:1234::/48");
        let tag = [0x81, 0, 0, 5];
        let options = [6, 0, 1, 4, 0, 0, 0, 0, 0, 80, 0, 81];
        let deep = Ends::of(&frame(&[tag, tag], 60, &options)).unwrap();
        assert_eq!((deep.protocol, deep.ports), (Some(6), Some((80, 81))));
    }

    #[test]
    fn what_is_not_there_is_not_said() {
        let cut = Ends::of(&frame(&[], 17, &[0x9c])).unwrap();
        assert_eq!((cut.protocol, cut.ports), (Some(17), None));
        // A later fragment, an ICMPv6 message, and a frame that ends in its header.
        let later = Ends::of(&frame(&[], 44, &[17, 0, 0, 8, 0, 0, 0, 1])).unwrap();
        assert_eq!((later.protocol, later.ports), (None, None));
        assert_eq!(Ends::of(&frame(&[], 58, &[128, 0, 0, 0])).unwrap().ports, None);
        assert_eq!(Ends::of(&frame(&[], 17, &[])[..53]), None);
        assert_eq!(Ends::of(&[0; 60]), None);
        assert_eq!(Ends::of(&[]), None);
    }
}
