//! Layers in, octets out: Ethernet, VLAN tags, IPv6, extension headers and what they carry. Anything may be wrong.

use etherparse::PacketBuilder;

/// EtherType of IPv6.
pub(crate) const IPV6: u16 = 0x86dd;
/// EtherType of IPv4.
pub(crate) const IPV4: u16 = 0x0800;
/// Tag protocol of 802.1Q.
pub(crate) const C_TAG: u16 = 0x8100;
/// Tag protocol of 802.1ad.
pub(crate) const S_TAG: u16 = 0x88a8;

/// An IPv6 packet in an Ethernet frame.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// Tag protocol, and priority with VLAN id, outermost first.
    pub(crate) tags: Vec<(u16, u16)>,
    pub(crate) version: u8,
    pub(crate) traffic_class: u8,
    pub(crate) flow_label: u32,
    /// The payload length to claim; none: the true one.
    pub(crate) length: Option<u16>,
    pub(crate) next: u8,
    pub(crate) hop_limit: u8,
    pub(crate) source: u128,
    pub(crate) destination: u128,
    pub(crate) payload: Vec<u8>,
}

impl Packet {
    /// A TCP segment to port 443.
    pub(crate) fn new(source: u128, destination: u128) -> Self {
        let packet = Self {
            tags: vec![],
            version: 6,
            traffic_class: 0,
            flow_label: 0x1_2345,
            length: None,
            next: 0,
            hop_limit: 64,
            source,
            destination,
            payload: vec![],
        };
        packet.carrying(tcp(443))
    }

    /// With another upper layer.
    pub(crate) fn carrying(self, (next, payload): Upper) -> Self {
        Self { next, payload, ..self }
    }

    /// With extension headers before what it carries.
    pub(crate) fn behind(self, headers: &[Extension]) -> Self {
        let mut next = self.next;
        let mut payload = self.payload.clone();
        for header in headers.iter().rev() {
            let mut octets = header.octets.clone();
            octets[0] = next;
            octets.extend(payload);
            (next, payload) = (header.kind, octets);
        }
        Self { next, payload, ..self }
    }

    /// With VLAN tags.
    pub(crate) fn tagged(self, tags: &[(u16, u16)]) -> Self {
        Self { tags: tags.to_vec(), ..self }
    }

    /// With another hop limit.
    pub(crate) fn hops(self, hop_limit: u8) -> Self {
        Self { hop_limit, ..self }
    }

    /// The IPv6 packet alone.
    pub(crate) fn packet(&self) -> Vec<u8> {
        let first = u32::from(self.version) << 28 | u32::from(self.traffic_class) << 20 | self.flow_label;
        let length = self.length.unwrap_or_else(|| u16::try_from(self.payload.len()).unwrap_or(0));
        let mut octets = first.to_be_bytes().to_vec();
        octets.extend(length.to_be_bytes());
        octets.extend([self.next, self.hop_limit]);
        octets.extend(self.source.to_be_bytes());
        octets.extend(self.destination.to_be_bytes());
        octets.extend(&self.payload);
        octets
    }

    /// The frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        ethernet(&self.tags, IPV6, &self.packet())
    }

    /// The frame, ending after `octets` octets of IPv6.
    pub(crate) fn cut(&self, octets: usize) -> Vec<u8> {
        let mut frame = self.frame();
        frame.truncate(network_offset(&frame) + octets);
        frame
    }
}

/// A frame of any kind.
pub(crate) fn ethernet(tags: &[(u16, u16)], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1];
    for (protocol, control) in tags {
        octets.extend(protocol.to_be_bytes());
        octets.extend(control.to_be_bytes());
    }
    octets.extend(kind.to_be_bytes());
    octets.extend(payload);
    octets
}

/// Where the network header of a frame begins.
pub(crate) fn network_offset(frame: &[u8]) -> usize {
    let tags = frame[12..].chunks(4).take_while(|tag| tag.starts_with(&[0x81, 0]) || tag.starts_with(&[0x88, 0xa8]));
    14 + 4 * tags.count()
}

/// Protocol number and octets of an upper layer.
pub(crate) type Upper = (u8, Vec<u8>);

/// The SYN of a TCP connection to `port`.
pub(crate) fn tcp(port: u16) -> Upper {
    let mut octets = 40_000u16.to_be_bytes().to_vec();
    octets.extend(port.to_be_bytes());
    octets.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    (6, octets)
}

/// A UDP datagram to `port`.
pub(crate) fn udp(port: u16) -> Upper {
    let mut octets = 40_000u16.to_be_bytes().to_vec();
    octets.extend(port.to_be_bytes());
    octets.extend([0, 12, 0, 0, b'd', b'a', b't', b'a']);
    (17, octets)
}

/// An ICMPv6 message: type, code, the four octets behind the checksum, the rest.
pub(crate) fn icmp(kind: u8, code: u8, field: u32, rest: &[u8]) -> Upper {
    let mut octets = vec![kind, code, 0, 0];
    octets.extend(field.to_be_bytes());
    octets.extend(rest);
    (58, octets)
}

/// A neighbour solicitation for an address, or any message that is as long.
pub(crate) fn discovery(kind: u8, code: u8, target: u128) -> Upper {
    icmp(kind, code, 0, &target.to_be_bytes())
}

/// An extension header, its first octet to be filled in.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    pub(crate) kind: u8,
    pub(crate) octets: Vec<u8>,
}

impl Extension {
    /// One of those that count in eights: `octets` octets, 8 to 2,048, filled with `PadN`.
    pub(crate) fn eights(kind: u8, octets: usize) -> Self {
        let mut header = vec![0; octets];
        header[1] = u8::try_from(octets / 8 - 1).expect("2,048 octets at most");
        // PadN of at most 255 octets each.
        let mut at = 2;
        while at < octets {
            let length = (octets - at - 2).min(255);
            let length = if octets - at - 2 - length == 1 { length - 1 } else { length };
            header[at..at + 2].copy_from_slice(&[1, u8::try_from(length).expect("at most 255")]);
            at += 2 + length;
        }
        Self { kind, octets: header }
    }

    pub(crate) fn hop_by_hop() -> Self {
        Self::eights(0, 8)
    }

    pub(crate) fn destination_options() -> Self {
        Self::eights(60, 8)
    }

    /// A routing header with nothing left to visit.
    pub(crate) fn routing(kind: u8) -> Self {
        let mut octets = vec![0, 2, kind, 0, 0, 0, 0, 0];
        octets.extend(super::CLIENT.to_be_bytes());
        Self { kind: 43, octets }
    }

    /// An authentication header of `octets` octets, 12 or more.
    pub(crate) fn authentication(octets: usize) -> Self {
        let mut header = vec![0xa5; octets];
        header[1] = u8::try_from(octets / 4 - 2).expect("1,028 octets at most");
        header[2..4].fill(0);
        Self { kind: 51, octets: header }
    }

    /// A fragment header: the offset in units of 8 octets.
    pub(crate) fn fragment(offset: u16, more: bool) -> Self {
        let mut octets = vec![0, 0];
        octets.extend((offset << 3 | u16::from(more)).to_be_bytes());
        octets.extend(0xfeed_beef_u32.to_be_bytes());
        Self { kind: 44, octets }
    }
}

/// A UDP datagram over IPv4 with a payload of so many octets, as it is without an Ethernet header.
pub(crate) fn datagram_v4(octets: usize) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(5000, 443);
    builder.write(&mut packet, &vec![0x5a; octets]).expect("a vector takes all");
    packet
}
