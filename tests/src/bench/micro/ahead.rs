//! What is to be done to a frame before a program runs in; a program that does it and goes on in that one, out.

use std::os::fd::{AsFd as _, AsRawFd as _};

use anyhow::{Context as _, Result};
use aya::{
    maps::{Map, MapData, ProgramArray},
    programs::ProgramFd,
};
use aya_obj::generated::bpf_map_type;

use crate::bench::{
    instruction::{Op, R, Size, call, leave, load, skip_if_greater, tail_call, with, with_number},
    program::Program,
};

const ABORTED: i32 = 0;
/// `bpf_xdp_adjust_head` of `linux/bpf.h`.
const ADJUST_HEAD: i32 = 44;
/// `bpf_xdp_adjust_meta`.
const ADJUST_META: i32 = 54;

/// Where the frame begins.
pub(super) const DATA: R = R(2);
const DATA_END: R = R(3);
const LIMIT: R = R(4);
const CONTEXT: R = R(6);

/// What the kernel is asked to move, and by how many octets: later, or earlier if below zero.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moved {
    /// Where the frame begins.
    Frame(i32),
    /// Where begins what stands in front of it.
    Front(i32),
}

/// What is done to each frame.
pub(super) struct Ahead {
    /// What is moved first; none: the kernel is not asked.
    pub(super) moved: Option<Moved>,
    /// Octets that the frame must have then.
    pub(super) octets: i32,
    /// What is done to those, from [`DATA`] on.
    pub(super) body: Vec<u64>,
}

impl Ahead {
    /// A program that does it and goes on in `program`, and what must be held as long as it runs.
    pub(super) fn of(&self, program: &ProgramFd) -> Result<(ProgramFd, ProgramArray<MapData>)> {
        let kind = bpf_map_type::BPF_MAP_TYPE_PROG_ARRAY as u32;
        let slot = aya_obj::Map::new_from_params(kind, 4, 4, 1, 0);
        let slot = MapData::create(slot, "slot", None).context("cannot make a map for a tail call")?;
        let mut ahead = Program::with_fragments(&self.instructions(slot.fd().as_fd().as_raw_fd()))?;
        let mut slot = ProgramArray::try_from(Map::ProgramArray(slot))?;
        slot.set(0, program, 0).context("no tail call to the program")?;
        Ok((ahead.as_xdp()?.fd()?.try_clone()?, slot))
    }

    fn instructions(&self, slot: i32) -> Vec<u64> {
        let mut all = vec![with(Op::Move, CONTEXT, R(1))];
        if let Some(moved) = self.moved {
            let (by, helper) = match moved {
                Moved::Frame(by) => (by, ADJUST_HEAD),
                Moved::Front(by) => (by, ADJUST_META),
            };
            all.extend([with_number(Op::Move, R(2), by), call(helper)]);
        }
        let rest = [&self.body[..], &tail_call(CONTEXT, slot)].concat();
        all.extend([
            load(Size::Word, DATA, CONTEXT, 0),
            load(Size::Word, DATA_END, CONTEXT, 4),
            with(Op::Move, LIMIT, DATA),
            with_number(Op::Add, LIMIT, self.octets),
            skip_if_greater(LIMIT, DATA_END, i16::try_from(rest.len()).expect("some dozens")),
        ]);
        all.extend(rest);
        all.extend(leave(ABORTED));
        all
    }
}
