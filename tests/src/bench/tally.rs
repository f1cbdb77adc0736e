//! A prefix and interfaces in; how many frames for it were sent, and how many arrived where with which hop limit, out.

use std::{
    net::Ipv6Addr,
    os::fd::{AsFd as _, AsRawFd as _, RawFd},
};

use anyhow::{Context as _, Result, ensure};
use aya::maps::{Array, Map, MapData};
use aya_obj::generated::bpf_map_type;

use super::{
    instruction::{Op, R, Size, add_to_memory, begin, leave, length, load, memory, number, skip_if, with, with_number},
    program::Program,
};
use crate::net::Namespace;

/// `TC_ACT_OK` and `TC_ACT_SHOT` of `linux/pkt_cls.h`.
const GO_ON: i32 = 0;
const DROP: i32 = 2;
/// Where `struct __sk_buff` of `linux/bpf.h` has `data`, and `data_end` behind it.
const BEGIN: i16 = 76;
/// Where a frame has its EtherType, its hop limit and its destination; and the octets that a prefix of /64 takes there.
const KIND: i16 = 12;
const HOP_LIMIT: i16 = 14 + 7;
const DESTINATION: i16 = 14 + 24;
const NETWORK: i16 = 8;
/// EtherType of IPv6.
const IPV6: u16 = 0x86dd;
/// Interfaces that can be watched.
const PLACES: usize = 3;
/// Hop limits there are.
const HOPS: usize = 256;
/// What is counted: frames that arrived, frames that were sent, and then by interface and hop limit.
type Words = [u64; 2 + PLACES * HOPS];

/// Octets from the beginning of what is counted.
pub(super) const ARRIVED: i32 = 0;
pub(super) const SENT: i32 = 8;
const BY_HOP_LIMIT: i32 = 16;

/// What becomes of a frame that has been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The stack gets it.
    GoesOn,
    /// Nobody gets it.
    Ends,
}

/// Counts frames where stacks begin: what XDP does to them is done by then, and a merged one counts once.
pub struct Tally {
    memory: Array<MapData, Words>,
    /// Of that.
    descriptor: RawFd,
    prefix: Ipv6Addr,
    programs: Vec<Program>,
}

impl Tally {
    /// For a /64 prefix.
    pub fn new(prefix: Ipv6Addr) -> Result<Self> {
        let (kind, size) = (bpf_map_type::BPF_MAP_TYPE_ARRAY as u32, u32::try_from(size_of::<Words>())?);
        let memory = aya_obj::Map::new_from_params(kind, 4, size, 1, 0);
        let memory = MapData::create(memory, "tally", None).context("the kernel makes no array to count in")?;
        let descriptor = memory.fd().as_fd().as_raw_fd();
        Ok(Self { memory: Map::Array(memory).try_into()?, descriptor, prefix, programs: Vec::new() })
    }

    /// Counts at one more interface.
    pub fn watch(&mut self, namespace: &Namespace, interface: &str, then: Then) -> Result<()> {
        let mut program = self.next(then).with_context(|| format!("{interface} cannot be watched"))?;
        program.classify(namespace, interface)?;
        self.programs.push(program);
        Ok(())
    }

    /// The same by a link, behind the programs that are there; until this is dropped.
    pub fn watch_last(&mut self, namespace: &Namespace, interface: &str) -> Result<()> {
        let mut program = self.next(Then::GoesOn).with_context(|| format!("{interface} cannot be watched"))?;
        program.classify_last(namespace, interface)?;
        self.programs.push(program);
        Ok(())
    }

    fn next(&self, then: Then) -> Result<Program> {
        let place = self.programs.len();
        ensure!(place < PLACES, "{PLACES} interfaces are watched, and there is room for no more");
        Program::classifier(&self.code(BY_HOP_LIMIT + i32::try_from(place * HOPS * 8)?, then))
    }

    /// The prefix.
    pub(super) fn prefix(&self) -> Ipv6Addr {
        self.prefix
    }

    /// Frames that were sent.
    pub fn sent(&self) -> u64 {
        self.words()[1]
    }

    /// Frames that arrived.
    pub fn arrived(&self) -> u64 {
        self.words()[0]
    }

    /// Hop limits and frames that came with them, at each interface in turn.
    pub fn hop_limits(&self) -> Vec<Vec<(u8, u64)>> {
        let words = self.words();
        let counted =
            |frames: &[u64]| (0..=u8::MAX).zip(frames.iter().copied()).filter(|&(_, count)| count > 0).collect();
        words[2..].chunks(HOPS).take(self.programs.len()).map(counted).collect()
    }

    /// The map that senders count in too.
    pub(super) fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    fn words(&self) -> Words {
        self.memory.get(&0, 0).expect("an array has its first element")
    }

    fn code(&self, offset: i32, then: Then) -> Vec<u64> {
        const CONTEXT: R = R(1);
        const DATA: R = R(2);
        const END: R = R(3);
        const VALUE: R = R(4);
        const OTHER: R = R(5);
        const COUNT: R = R(0);
        let [network, _]: [u64; 2] = bytemuck::cast(self.prefix.octets());
        let [by_hop_limit, arrived] = [offset, ARRIVED].map(|offset| memory(COUNT, self.descriptor(), offset));
        let [goes_on, ends] = [GO_ON, DROP].map(leave);
        let counted = match then {
            Then::GoesOn => goes_on,
            Then::Ends => ends,
        };
        let count = [
            &[load(Size::Byte, VALUE, DATA, HOP_LIMIT), with_number(Op::ShiftLeft, VALUE, 3)],
            by_hop_limit.as_slice(),
            &[with(Op::Add, COUNT, VALUE), with_number(Op::Move, OTHER, 1), add_to_memory(COUNT, OTHER)],
            &arrived,
            &[add_to_memory(COUNT, OTHER)],
            &counted,
        ]
        .concat();
        let for_the_prefix = [
            &[load(Size::Half, VALUE, DATA, KIND), skip_if(VALUE, IPV6.to_be().into(), 2)],
            goes_on.as_slice(),
            &[load(Size::Double, VALUE, DATA, DESTINATION)],
            &number(OTHER, network),
            &[with(Op::Xor, VALUE, OTHER), skip_if(VALUE, 0, 2)],
            &goes_on,
            &count,
        ]
        .concat();
        let registers = [DATA, END, VALUE];
        let long_enough = begin(CONTEXT, BEGIN, registers, DESTINATION + NETWORK, length(&for_the_prefix));
        [long_enough.as_slice(), &for_the_prefix, &goes_on].concat()
    }
}
