//! Some instructions in; a loaded program out. The bench needs no more than a few of them, and so no compiler.

use anyhow::{Context as _, Result};
use aya::{
    Ebpf,
    maps::{Array, MapData},
    programs::{SchedClassifier, Xdp},
};

use super::{
    elf::{self, elf},
    instruction::leave,
};

/// What programs are called in their objects.
const NAME: &str = "tiny";

/// A program of some instructions. It goes when dropped, and leaves the interface that it was attached to.
pub(crate) struct Program(Ebpf);

impl Program {
    /// An XDP program.
    pub(super) fn xdp(code: &[u64]) -> Result<Self> {
        let mut program = Self::open("xdp", code)?;
        program.as_xdp()?.load().context("the kernel refuses an XDP program of the bench")?;
        Ok(program)
    }

    /// An XDP program that takes frames of several buffers, as our filter does: a tail call goes to its like alone.
    pub(super) fn with_fragments(code: &[u64]) -> Result<Self> {
        let mut program = Self::open("xdp.frags", code)?;
        program.as_xdp()?.load().context("the kernel refuses an XDP program of the bench")?;
        Ok(program)
    }

    /// An XDP program that gives every frame this action (`XDP_*` of `linux/bpf.h`).
    pub(crate) fn answering(action: i32) -> Result<Self> {
        Self::xdp(&leave(action))
    }

    /// A classifier that gives every packet this action (`TC_ACT_*` of `linux/pkt_cls.h`).
    pub(super) fn classifying(action: i32) -> Result<Self> {
        let mut program = Self::open("classifier", &leave(action))?;
        program.as_classifier()?.load().context("the kernel refuses a classifier of the bench")?;
        Ok(program)
    }

    pub(crate) fn as_xdp(&mut self) -> Result<&mut Xdp> {
        Ok(self.0.program_mut(NAME).context("the object has lost its program")?.try_into()?)
    }

    pub(super) fn as_classifier(&mut self) -> Result<&mut SchedClassifier> {
        Ok(self.0.program_mut(NAME).context("the object has lost its program")?.try_into()?)
    }

    /// Takes what the program remembers, of three words, out of it.
    pub(super) fn take_state(&mut self) -> Result<Array<MapData, [u64; 3]>> {
        let map = self.0.take_map(elf::STATE).context("the program remembers nothing")?;
        Ok(map.try_into()?)
    }

    fn open(section: &str, code: &[u64]) -> Result<Self> {
        let object = elf(NAME, section, code)?;
        Ok(Self(Ebpf::load(&object).context("the object of a program of the bench cannot be read")?))
    }
}
