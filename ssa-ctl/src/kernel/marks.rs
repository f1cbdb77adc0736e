//! Interfaces in; the program that marks what the filter describes, attached where their packets come in, out.
//!
//! It stands beside the filter, with an object and pins of its own, and has no maps. Without it what is described stays
//! unmarked, and nothing else is different.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::Context as _;
use aya::{
    Ebpf, include_bytes_aligned,
    programs::{ProgramInfo, SchedClassifier},
};

use super::{
    attach::{self, Link, Unpinned},
    create,
    netlink::Interface,
    pins::{self, Pins},
    sys, version,
};
use crate::{failure::Failure, plan::low::Marked};

/// The BPF object, built with this binary.
pub(super) static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/ssa_mark"));

/// The program's name, in the object and as a pin.
pub const MARK: &str = "ssa_mark";

/// The interfaces whose packets are marked.
pub fn all(pins: &Pins) -> anyhow::Result<Vec<Marked>> {
    let pins = pins.marks();
    let names = pins.linked()?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let pinned = ProgramInfo::from_pin(pins.programs().join(MARK)).map_or(0, |program| program.id());
    let of = |name: String| {
        let link = Link::open(&pins, &name)?;
        let interface = link.as_ref().map_or(0, |link| link.interface);
        Ok(Marked { interface, current: link.is_some_and(|link| link.program == pinned), name })
    };
    names.into_iter().map(of).collect()
}

/// Pins this binary's program, and puts it in the place of another one of ours wherever that is attached.
pub fn renew(pins: &Pins) -> anyhow::Result<OwnedFd> {
    let (marks, staging) = (pins.marks(), pins.staging());
    let program = load()?;
    let old = sys::open_pin(&marks.programs().join(MARK), false);
    pins::remove(staging.root())?;
    for folder in [staging.root().to_owned(), staging.programs(), marks.root().to_owned(), marks.programs()] {
        pins::make(&folder)?;
    }
    // Links first: a killed command leaves links that do not run what is pinned, which the next one sees.
    for name in marks.linked()? {
        if let (Some(link), Ok(old)) = (Link::open(&marks, &name)?, &old)
            && link.interface != 0
        {
            // What runs neither is somebody else's work, and is attached anew.
            let _ = link.replace(old, &program);
        }
    }
    create::pin(&program, &staging.programs().join(MARK))?;
    std::fs::rename(staging.programs().join(MARK), marks.programs().join(MARK))
        .context("cannot rename the program that marks")?;
    pins::remove(staging.root())?;
    Ok(program)
}

/// The program that is pinned, or this binary's where none is.
pub fn program(pins: &Pins) -> anyhow::Result<OwnedFd> {
    sys::open_pin(&pins.marks().programs().join(MARK), false).or_else(|_| renew(pins))
}

/// Attaches the program to an interface, before all others that packets go through there.
pub fn attach(program: impl AsFd, interface: &Interface) -> Result<Unpinned, Failure> {
    match sys::link_ingress(program, interface.index) {
        Ok(descriptor) => Ok(Unpinned::new(descriptor, interface.name.clone())),
        Err(error) => {
            let release = version::release();
            let lacks = version::is_before(&release, version::INGRESS_LINKS);
            let failure =
                Failure::from(anyhow::Error::new(error).context(format!("cannot mark packets of {}", interface.name)));
            Err(if lacks {
                failure.hint(format!(
                    "Linux {release} has no links for programs at ingress: 6.6 or newer is needed, or take \"mark\" out of \
                     low_priority"
                ))
            } else {
                failure
            })
        }
    }
}

/// Removes the pins of the program, where no packets are marked any more.
pub fn remove(pins: &Pins) -> anyhow::Result<()> {
    for name in pins.marks().linked()? {
        // What is no link of ours goes with its pin.
        let _ = attach::detach(&pins.marks(), &name);
    }
    pins::remove(pins.marks().root())
}

fn load() -> anyhow::Result<OwnedFd> {
    let mut object = Ebpf::load(OBJECT).context("cannot read the object of the program that marks")?;
    let program = object.program_mut(MARK).with_context(|| format!("the object has no program {MARK}"))?;
    let program: &mut SchedClassifier = program.try_into()?;
    program.load().with_context(|| format!("cannot load the program {MARK}"))?;
    Ok(program.fd()?.as_fd().try_clone_to_owned()?)
}
