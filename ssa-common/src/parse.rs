//! Octets of a frame in; link, network and upper-layer headers out. Nothing is judged here.
//!
//! The parser asks for octets and never points at them, so it runs over a packet in the kernel and over a slice on the
//! host. Every loop has a named bound.

use crate::bits::Words;

/// A frame: N octets at an offset, or nothing where the frame ends before.
pub trait Frame {
    /// Reads `N` octets from `offset` octets into the frame.
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]>;
}

impl Frame for &[u8] {
    fn read<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        self.get(offset as usize..)?.first_chunk().copied()
    }
}

/// VLAN tags that are looked through.
pub const MAX_TAGS: u32 = 4;
/// Extension headers that are looked through.
pub const MAX_EXTENSIONS: u32 = 8;
/// Octets of extension headers that are looked through.
pub const MAX_EXTENSION_OCTETS: u32 = 2048;

/// IP protocol numbers the law names (IANA, Assigned Internet Protocol Numbers).
pub mod protocol {
    #![expect(missing_docs, reason = "the names say it")]
    pub const HOP_BY_HOP: u8 = 0;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const AUTHENTICATION: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const SCTP: u8 = 132;
    pub const MOBILITY: u8 = 135;
}

const IPV6: [u8; 2] = [0x86, 0xdd];
const VLAN_8021Q: [u8; 2] = [0x81, 0x00];
const VLAN_8021AD: [u8; 2] = [0x88, 0xa8];

/// What the link layer carries.
pub enum Link {
    /// IPv6, with the offset of its header.
    Ipv6(u32),
    /// Something else.
    Foreign,
    /// More tags than are looked through.
    TooDeep,
}

/// Ethernet and its VLAN tags.
#[inline(always)]
pub fn link(frame: &impl Frame) -> Link {
    let mut offset = 14;
    for _ in 0..=MAX_TAGS {
        match frame.read::<2>(offset - 2) {
            Some(IPV6) => return Link::Ipv6(offset),
            Some(VLAN_8021Q | VLAN_8021AD) => offset += 4,
            Some(_) | None => return Link::Foreign,
        }
    }
    Link::TooDeep
}

/// The fields of an IPv6 header that the law looks at.
#[derive(Clone, Copy)]
pub struct Header {
    /// Source address.
    pub source: Words,
    /// Destination address.
    pub destination: Words,
    /// Protocol number of the next header.
    pub next: u8,
    /// Hop limit.
    pub hop_limit: u8,
}

/// Octets of an IPv6 header.
pub const HEADER_OCTETS: u32 = 40;

impl Header {
    /// Reads the header at `offset`; none below 40 octets or with another version than 6.
    #[inline(always)]
    pub fn read(frame: &impl Frame, offset: u32) -> Option<Self> {
        let octets = frame.read::<40>(offset)?;
        let (first, rest) = octets.split_first_chunk::<8>()?;
        let (source, destination) = rest.split_first_chunk::<16>()?;
        if first[0] >> 4 != 6 {
            return None;
        }
        Some(Self {
            source: Words::from_octets(*source),
            destination: Words::from_octets(*destination.first_chunk()?),
            next: first[6],
            hop_limit: first[7],
        })
    }
}

/// What lies behind the extension headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upper {
    /// An upper-layer header.
    Found {
        /// Its protocol number.
        protocol: u8,
        /// Its offset in the frame. The frame may end before it.
        offset: u32,
        /// A fragment header came before: a first or an atomic fragment.
        fragment: bool,
    },
    /// A fragment other than the first: there is no header.
    Later,
    /// The bound was reached, or the frame ended.
    Unknown,
}

/// Walks the extension headers from `next` at `offset`.
#[inline(always)]
pub fn upper(frame: &impl Frame, mut next: u8, mut offset: u32) -> Upper {
    let end = offset + MAX_EXTENSION_OCTETS;
    let mut fragment = false;
    for _ in 0..=MAX_EXTENSIONS {
        let unit = match next {
            protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS | protocol::MOBILITY => 8,
            protocol::AUTHENTICATION => 4,
            protocol::FRAGMENT => 0,
            _ => return Upper::Found { protocol: next, offset, fragment },
        };
        let Some([following, length, high, low]) = frame.read::<4>(offset) else { return Upper::Unknown };
        offset += match unit {
            // RFC 8200 §4: 8-octet units, the first 8 octets not counted.
            8 => (u32::from(length) + 1) * 8,
            // RFC 4302 §2.2: 4-octet units, minus 2.
            4 => (u32::from(length) + 2) * 4,
            _ => {
                fragment = true;
                if u16::from_be_bytes([high, low]) >> 3 != 0 {
                    return Upper::Later;
                }
                8
            }
        };
        if offset > end {
            return Upper::Unknown;
        }
        next = following;
    }
    Upper::Unknown
}
