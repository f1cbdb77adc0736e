//! Some instructions in; a loaded program out. The bench needs no more than a few of them, and so no compiler.

use std::{mem, thread, time::Duration};

use anyhow::{Context as _, Result};
use aya::{
    Ebpf,
    maps::{Array, MapData},
    programs::{
        SchedClassifier, Xdp, XdpMode,
        links::LinkOrder,
        tc::{NlOptions, TcAttachOptions, TcAttachType, qdisc_add_clsact},
    },
};

use super::{
    elf::{self, elf},
    instruction::leave,
};
use crate::net::Namespace;

/// What programs are called in their objects.
const NAME: &str = "tiny";

/// How often, and after which time, a program is attached again where another was before it.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// A program of some instructions. It goes when dropped, and leaves the interface that it was attached to.
pub struct Program(Ebpf);

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
    pub fn answering(action: i32) -> Result<Self> {
        Self::xdp(&leave(action))
    }

    /// A classifier that gives every packet this action (`TC_ACT_*` of `linux/pkt_cls.h`).
    pub(super) fn classifying(action: i32) -> Result<Self> {
        Self::classifier(&leave(action))
    }

    /// A classifier.
    pub(super) fn classifier(code: &[u64]) -> Result<Self> {
        Self::open("classifier", code)
    }

    /// Gives an XDP program, in native mode, what an interface receives.
    pub fn attach(&mut self, namespace: &Namespace, interface: &str) -> Result<()> {
        let program = self.as_xdp()?;
        let mut attach = || namespace.enter(|| program.attach(interface, XdpMode::Driver));
        let mut attached = attach()?;
        // Who forks beside us has a copy of the link that was dropped just now, until it runs a program of its own.
        for _ in 0..TRIES {
            if attached.is_ok() {
                break;
            }
            // sleep: between two tries.
            thread::sleep(PAUSE);
            attached = attach()?;
        }
        attached.map(drop).with_context(|| format!("{interface} of {} takes no program", namespace.name()))
    }

    pub(super) fn as_xdp(&mut self) -> Result<&mut Xdp> {
        Ok(self.0.program_mut(NAME).context("the object has lost its program")?.try_into()?)
    }

    /// Gives a classifier what an interface receives, behind XDP, for as long as there is the interface.
    pub(super) fn classify(&mut self, namespace: &Namespace, interface: &str) -> Result<()> {
        let program = self.load_classifier()?;
        namespace.enter(|| -> Result<()> {
            qdisc_add_clsact(interface)?;
            // By netlink: the qdisc counts what a program of its own drops.
            let options = TcAttachOptions::Netlink(NlOptions::default());
            let id = program.attach_with_options(interface, TcAttachType::Ingress, options)?;
            // Dropped, it would be detached in whatever namespace we are by then. It goes with its own.
            mem::forget(program.take_link(id)?);
            Ok(())
        })?
    }

    /// The same by a link, behind the programs that are there (Linux 6.6).
    pub(super) fn classify_last(&mut self, namespace: &Namespace, interface: &str) -> Result<()> {
        let program = self.load_classifier()?;
        let options = TcAttachOptions::TcxOrder(LinkOrder::last());
        let attach = || program.attach_with_options(interface, TcAttachType::Ingress, options);
        namespace.enter(attach)?.map(drop).with_context(|| format!("{interface} takes no classifier"))
    }

    fn load_classifier(&mut self) -> Result<&mut SchedClassifier> {
        let program: &mut SchedClassifier =
            self.0.program_mut(NAME).context("the object has lost its program")?.try_into()?;
        program.load().context("the kernel refuses a classifier of the bench")?;
        Ok(program)
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
