//! Layers in, octets out: frames to the service with slices.

/// A client of the service.
pub const CLIENT: u128 = 0x2001_0db8_0077_0001_0203_0405_0607_0809;
/// Where frames come from, and this host, as Ethernet knows them.
pub const STATIONS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
/// TCP flags.
pub const SYN: u8 = 2;
pub const ACK: u8 = 0x10;

/// A conforming address of a slice.
pub const fn destination(slice: u32) -> u128 {
    0x2001_0db8_0001 << 80 | (slice as u128) << 76 | 0x5a5a << 48 | 0x1234
}

/// An IPv6 packet.
#[derive(Clone)]
pub struct Packet {
    /// Control words of VLAN tags.
    pub tags: Vec<u16>,
    pub class: u8,
    pub label: u32,
    pub hop_limit: u8,
    pub source: u128,
    pub destination: u128,
    pub next: u8,
    pub payload: Vec<u8>,
}

impl Packet {
    /// The SYN of a connection to an address of a slice.
    pub fn to(slice: u32) -> Self {
        let (next, payload) = tcp(SYN, 0);
        let tags = vec![];
        Self {
            tags,
            class: 0,
            label: 0x1_2345,
            hop_limit: 61,
            source: CLIENT,
            destination: destination(slice),
            next,
            payload,
        }
    }

    pub fn carrying(self, (next, payload): (u8, Vec<u8>)) -> Self {
        Self { next, payload, ..self }
    }

    pub fn tagged(self, count: usize) -> Self {
        Self { tags: (0..count).map(|_| 0x6064).collect(), ..self }
    }

    pub fn hops(self, hop_limit: u8) -> Self {
        Self { hop_limit, ..self }
    }

    pub fn class(self, class: u8) -> Self {
        Self { class, ..self }
    }

    /// The packet one hop on.
    pub fn on(&self) -> Self {
        Self { hop_limit: self.hop_limit - 1, ..self.clone() }
    }

    pub fn packet(&self) -> Vec<u8> {
        let first = 6 << 28 | u32::from(self.class) << 20 | self.label;
        let mut octets = first.to_be_bytes().to_vec();
        octets.extend(u16::try_from(self.payload.len()).unwrap().to_be_bytes());
        octets.extend([self.next, self.hop_limit]);
        octets.extend(self.source.to_be_bytes());
        octets.extend(self.destination.to_be_bytes());
        octets.extend(&self.payload);
        octets
    }

    pub fn frame(&self) -> Vec<u8> {
        let mut octets = STATIONS.to_vec();
        for control in &self.tags {
            octets.extend([0x81, 0]);
            octets.extend(control.to_be_bytes());
        }
        octets.extend([0x86, 0xdd]);
        octets.extend(self.packet());
        octets
    }
}

/// A TCP segment to port 443 with `more` octets behind its header.
pub fn tcp(flags: u8, more: usize) -> (u8, Vec<u8>) {
    let mut octets = ports(40_000, 443);
    octets.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    octets.resize(20 + more, 0x5a);
    (6, octets)
}

/// A UDP datagram.
pub fn udp() -> (u8, Vec<u8>) {
    let mut octets = ports(40_000, 443);
    octets.extend([0, 12, 0, 0, b'd', b'a', b't', b'a']);
    (17, octets)
}

/// An ICMPv6 message.
pub fn icmp(kind: u8, field: u32, rest: &[u8]) -> (u8, Vec<u8>) {
    let mut octets = vec![kind, 0, 0, 0];
    octets.extend(field.to_be_bytes());
    octets.extend(rest);
    (58, octets)
}

/// An ICMPv6 Packet Too Big about what the service has sent to the client from an address of a slice.
pub fn too_big(slice: u32) -> (u8, Vec<u8>) {
    let mut segment = tcp(ACK, 0).1;
    segment[..4].copy_from_slice(&ports(443, 40_000));
    let answer = Packet { source: destination(slice), destination: CLIENT, ..Packet::to(slice) };
    icmp(2, 1400, &answer.carrying((6, segment)).packet())
}

/// A neighbour solicitation for an address.
pub fn solicitation(slice: u32) -> (u8, Vec<u8>) {
    icmp(135, 0, &destination(slice).to_be_bytes())
}

/// What a later fragment carries.
pub fn later_fragment() -> (u8, Vec<u8>) {
    (44, vec![6, 0, 1, 0x40, 0xfe, 0xed, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8])
}

/// A hop-by-hop header of padding before a TCP segment.
pub fn behind_options() -> (u8, Vec<u8>) {
    (0, [&[6, 0, 1, 4, 0, 0, 0, 0], &tcp(SYN, 0).1[..]].concat())
}

fn ports(source: u16, destination: u16) -> Vec<u8> {
    [source.to_be_bytes(), destination.to_be_bytes()].concat()
}
