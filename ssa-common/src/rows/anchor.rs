//! The rows of a client host's own programs: which address a call to an anchor is to have instead.

use bytemuck::{Pod, Zeroable};

use super::RuleRow;
use crate::{
    bits::Words,
    layout::{CALLED_NAME, CGROUP_PATH, EXCLUDED},
};

/// A service by the address under which programs know it, and what its addresses are computed from.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct AnchorRow {
    /// The address that programs call; zeros behind the last row.
    pub anchor: Words,
    /// The address of this host that a call comes from whose socket has none; zeros where the rule does not ask for it.
    pub source: Words,
    /// The prefix, and the bits that are the same for every call: those of an object, a replica, the key's number.
    pub template: Words,
    /// The bits that are random.
    pub random: Words,
    /// Parts of the prefix in which no address is used.
    pub excluded: [ExcludedRow; EXCLUDED],
    /// The rule, by Unix seconds. Its ring has the newest key alone.
    pub rule: RuleRow,
}

/// A part of a service's prefix that is taken out of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ExcludedRow {
    /// Its prefix, host bits zero.
    pub prefix: Words,
    /// The prefix's bits; zeros behind the last.
    pub mask: Words,
}

/// What the programs of a client host know besides the anchors.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ClientRow {
    /// Nanoseconds to add to those since boot, for those of Unix time.
    pub offset: u64,
    /// The secret by which a datagram socket has its random bits, [`start`](crate::siphash::start)ed.
    pub secret: [u64; 4],
}

/// A socket, and an address that it was given in the place of an anchor.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct GivenKey {
    /// The socket's cookie, which no other ever has.
    pub socket: u64,
    /// The address.
    pub address: Words,
}

/// What the maps of a client host's programs are; for the controller alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ClientMetaRow {
    /// [`CLIENT_VERSION`](crate::layout::CLIENT_VERSION).
    pub version: u32,
    /// Rows in use.
    pub rows: u32,
    /// A digest of the object that the programs are from.
    pub build: u64,
    /// The number of the cgroup.
    pub cgroup: u64,
    /// Unix seconds at which the rows were written.
    pub written: u64,
    /// Where the cgroup is, with zeros behind.
    pub path: [u8; CGROUP_PATH],
}

/// What is called by an anchor; for the controller alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct CalledRow {
    /// The service's name, with zeros behind.
    pub name: [u8; CALLED_NAME],
    /// The prefix's length in bits.
    pub length: u64,
}
