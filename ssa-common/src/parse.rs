//! Octets of a frame in; link, network and upper-layer headers out. Nothing is judged here.
//!
//! The parser asks for octets and never points at them, so it runs over a packet in the kernel and over a slice on the
//! host. Every loop has a named bound.

use bytemuck::{AnyBitPattern, NoUninit};

use crate::bits::Words;

/// A frame: some octets at an offset, or nothing where the frame ends before.
pub trait Frame {
    /// Reads a `T` that begins `offset` octets into the frame, its octets as they are on the wire.
    ///
    /// Words and not octets are asked for, since what goes through the stack must be aligned there: the verifier refuses
    /// anything else, and the compiler knows only by the type.
    fn read<T: AnyBitPattern + NoUninit>(&self, offset: u32) -> Option<T>;

    /// Reads `N` words of 64 bits: the values of their octets in network order.
    fn read_words<const N: usize>(&self, offset: u32) -> Option<[u64; N]>;

    /// The 40 octets from `offset` on, and the EtherType before them. One look at the bounds for all that is read there.
    fn front(&self, offset: u32) -> Option<impl Front>;

    /// Reads 16 bits.
    #[inline(always)]
    fn read_u16(&self, offset: u32) -> Option<u16> {
        self.read(offset).map(u16::from_be)
    }

    /// Reads 32 bits.
    #[inline(always)]
    fn read_u32(&self, offset: u32) -> Option<u32> {
        self.read(offset).map(u32::from_be)
    }
}

/// Room for an IPv6 header, and an EtherType before it.
///
/// Each field is a load of its own, where it is needed: one wide load for several would have to be kept.
pub trait Front {
    /// What the EtherType says.
    fn ethertype(&self) -> u16;
    /// One of the 40 octets.
    fn octet(&self, index: usize) -> u8;
    /// 16 bits, from this octet on.
    fn half(&self, index: usize) -> u16;
    /// 64 bits, from this octet on.
    fn word(&self, index: usize) -> u64;
    /// The same, as it is loaded: see [`Words::loaded`].
    fn loaded(&self, index: usize) -> u64;
}

impl Front for (u16, &[u8; HEADER_OCTETS as usize]) {
    fn ethertype(&self) -> u16 {
        self.0
    }

    fn octet(&self, index: usize) -> u8 {
        self.1[index]
    }

    fn half(&self, index: usize) -> u16 {
        self.1[index..].first_chunk().map_or(0, |octets| u16::from_be_bytes(*octets))
    }

    fn word(&self, index: usize) -> u64 {
        self.1[index..].first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets))
    }

    fn loaded(&self, index: usize) -> u64 {
        self.word(index).to_be()
    }
}

impl Frame for &[u8] {
    fn read<T: AnyBitPattern + NoUninit>(&self, offset: u32) -> Option<T> {
        let rest = self.get(offset as usize..)?;
        rest.get(..size_of::<T>()).map(bytemuck::pod_read_unaligned)
    }

    fn read_words<const N: usize>(&self, offset: u32) -> Option<[u64; N]> {
        let (words, _) = self.get(offset as usize..)?.as_chunks::<8>();
        words.first_chunk::<N>().map(|words| words.map(u64::from_be_bytes))
    }

    fn front(&self, offset: u32) -> Option<impl Front> {
        Some((self.read_u16(offset - 2)?, self.get(offset as usize..)?.first_chunk()?))
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
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const AUTHENTICATION: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const SCTP: u8 = 132;
    pub const MOBILITY: u8 = 135;
}

/// Octets of an Ethernet header without tags.
pub const ETHERNET: u32 = 14;
/// The EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// The EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
const VLAN_8021Q: u16 = 0x8100;
const VLAN_8021AD: u16 = 0x88a8;
/// Octets of a VLAN tag.
pub const TAG: u32 = 4;

/// Whether an EtherType is a VLAN tag's.
#[inline(always)]
pub const fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, VLAN_8021Q | VLAN_8021AD)
}

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
pub fn link(frame: &(impl Frame + ?Sized)) -> Link {
    match frame.read_u16(ETHERNET - 2) {
        Some(IPV6) => Link::Ipv6(ETHERNET),
        Some(tag) if is_tag(tag) => tagged(frame, ETHERNET + TAG),
        Some(_) | None => Link::Foreign,
    }
}

/// What comes behind a first VLAN tag that ends at `offset`.
#[inline(always)]
fn tagged(frame: &(impl Frame + ?Sized), mut offset: u32) -> Link {
    for _ in 0..MAX_TAGS {
        match frame.read_u16(offset - 2) {
            Some(IPV6) => return Link::Ipv6(offset),
            Some(tag) if is_tag(tag) => offset += TAG,
            Some(_) | None => return Link::Foreign,
        }
    }
    Link::TooDeep
}

/// Where the fields of an IPv6 header stand in it, RFC 8200 §3, and the one of IPv4 that is looked at, RFC 791 §3.1.
pub mod field {
    #![expect(missing_docs, reason = "the names say it")]
    pub const VERSION: usize = 0;
    pub const PAYLOAD_LENGTH: usize = 4;
    pub const NEXT_HEADER: usize = 6;
    pub const HOP_LIMIT: usize = 7;
    pub const SOURCE: usize = 8;
    pub const DESTINATION: usize = 24;
    pub const V4_TOTAL_LENGTH: usize = 2;
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
    /// Octets behind the header, as it claims.
    pub payload: u16,
}

/// Octets of an IPv6 header.
pub const HEADER_OCTETS: u32 = 40;

impl Header {
    /// Reads the header at `offset`; none below 40 octets or with another version than 6.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "fields are cut out of the word")]
    pub fn read(frame: &(impl Frame + ?Sized), offset: u32) -> Option<Self> {
        let [first, a, b, c, d] = frame.read_words(offset)?;
        let (source, destination) = (Words { hi: a, lo: b }, Words { hi: c, lo: d });
        let (next, hop_limit, payload) = ((first >> 8) as u8, first as u8, (first >> 16) as u16);
        (first >> 60 == 6).then_some(Self { source, destination, next, hop_limit, payload })
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
pub fn upper(frame: &(impl Frame + ?Sized), mut next: u8, mut offset: u32) -> Upper {
    let end = offset + MAX_EXTENSION_OCTETS;
    let mut fragment = false;
    for seen in 0..=MAX_EXTENSIONS {
        let unit = match next {
            protocol::HOP_BY_HOP | protocol::ROUTING | protocol::DESTINATION_OPTIONS | protocol::MOBILITY => 8,
            protocol::AUTHENTICATION => 4,
            protocol::FRAGMENT => 0,
            _ => return Upper::Found { protocol: next, offset, fragment },
        };
        // One header too many is not looked into: it could be a later fragment, which would be judged by its addresses.
        if seen == MAX_EXTENSIONS {
            break;
        }
        let Some(word) = frame.read_u32(offset) else { return Upper::Unknown };
        let length = word >> 16 & 0xff;
        offset += match unit {
            // RFC 8200 §4: 8-octet units, the first 8 octets not counted.
            8 => (length + 1) * 8,
            // RFC 4302 §2.2: 4-octet units, minus 2.
            4 => (length + 2) * 4,
            _ => {
                fragment = true;
                if word & 0xfff8 != 0 {
                    return Upper::Later;
                }
                8
            }
        };
        if offset > end {
            return Upper::Unknown;
        }
        next = (word >> 24) as u8;
    }
    Upper::Unknown
}
