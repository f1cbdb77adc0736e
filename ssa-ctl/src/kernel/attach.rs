//! Interfaces in; links that hold the filter to them, pinned, out.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use anyhow::Context as _;

use super::{
    netlink::{Host, Interface},
    pins::{self, Pins},
    sys,
};
use crate::{
    config::Mode,
    failure::{Code, Failure},
};

/// `XDP_FLAGS_SKB_MODE`.
const GENERIC: u32 = 1 << 1;
/// `XDP_FLAGS_DRV_MODE`.
const NATIVE: u32 = 1 << 2;

/// What would be right where a driver takes no program.
pub const NO_NATIVE: &str = "set mode = \"generic\" under [host], or use another driver";

/// A link that is pinned.
pub struct Link {
    descriptor: OwnedFd,
    /// The kernel's number for it.
    pub id: u32,
    /// The program it runs.
    pub program: u32,
    /// The interface it is attached to; 0 where that is gone.
    pub interface: u32,
}

impl Link {
    /// Opens the pinned link of an interface, if there is one.
    pub fn open(pins: &Pins, interface: &str) -> anyhow::Result<Option<Self>> {
        let path = pins.link(interface);
        let descriptor = match sys::open_pin(&path, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.with_context(|| format!("cannot open the pin {}", path.display()))?,
        };
        let info = sys::link_info(&descriptor).with_context(|| format!("cannot ask about the link of {interface}"))?;
        Ok(Some(Self { descriptor, id: info.id, program: info.prog_id, interface: sys::interface_of(&info) }))
    }

    /// Puts `new` in the place of `old`.
    pub fn replace(&self, old: impl AsFd, new: impl AsFd) -> anyhow::Result<()> {
        sys::replace(&self.descriptor, old, new).context("cannot replace the program of a link")
    }
}

/// A link that is attached, and detaches unless it is pinned.
pub struct Unpinned {
    descriptor: OwnedFd,
    interface: String,
}

impl Unpinned {
    /// A link that was made for an interface.
    pub(super) const fn new(descriptor: OwnedFd, interface: String) -> Self {
        Self { descriptor, interface }
    }
}

/// Attaches a program to an interface.
///
/// # Errors
/// [`Code::Held`] where another program is there, with its number; native mode is never replaced by generic mode.
pub fn attach(program: impl AsFd, interface: &Interface, mode: Mode) -> Result<Unpinned, Failure> {
    let name = &interface.name;
    let flags = match mode {
        Mode::Native => NATIVE,
        Mode::Generic => GENERIC,
    };
    match sys::link(program, interface.index, flags) {
        Ok(descriptor) => Ok(Unpinned { descriptor, interface: name.clone() }),
        Err(error) if [Some(libc::EBUSY), Some(libc::EEXIST)].contains(&error.raw_os_error()) => Err(held(name)),
        Err(error) if [Some(libc::EOPNOTSUPP), Some(libc::EINVAL)].contains(&error.raw_os_error()) => {
            let failure = Failure::from(
                anyhow::Error::new(error)
                    .context(format!("{name} does not take an XDP program in {} mode", word(mode))),
            );
            Err(match mode {
                Mode::Native => failure.hint(NO_NATIVE),
                Mode::Generic => failure,
            })
        }
        Err(error) if [Some(libc::EPERM), Some(libc::EACCES)].contains(&error.raw_os_error()) => {
            let failure = Failure::from(anyhow::Error::new(error).context(format!("cannot attach to {name}")));
            Err(failure.code(Code::NotPermitted).hint("attaching takes CAP_NET_ADMIN"))
        }
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot attach to {name}")).into()),
    }
}

/// What is said of an interface that another program holds.
pub fn held(interface: &str) -> Failure {
    let program = Host::ask().ok().and_then(|host| host.interface(interface)?.program);
    let program = program.map_or_else(String::new, |(id, _)| format!(" {id}"));
    Failure::new(Code::Held, format!("{interface} has another XDP program already: program{program}"))
        .hint(format!("see what it is: bpftool prog show id{program}; it is left alone"))
}

/// The name of a mode.
pub const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Native => "native",
        Mode::Generic => "generic",
    }
}

/// Pins links, so that they outlive this process.
pub fn pin(pins: &Pins, links: Vec<Unpinned>) -> anyhow::Result<()> {
    pins::make(&pins.links())?;
    for Unpinned { descriptor, interface } in links {
        let path = pins.link(&interface);
        sys::pin(&descriptor, &path).with_context(|| format!("cannot pin the link of {interface}"))?;
        pins::close(&path, 0o600)?;
    }
    Ok(())
}

/// Detaches from an interface. A link whose last pin goes is only let go of later, in a queue of the kernel's: whoever
/// attaches at once, or looks, would still find it there.
pub fn detach(pins: &Pins, interface: &str) -> anyhow::Result<()> {
    if let Some(link) = Link::open(pins, interface)? {
        sys::detach(&link.descriptor).with_context(|| format!("cannot detach from {interface}"))?;
    }
    let path = pins.link(interface);
    std::fs::remove_file(&path).with_context(|| format!("cannot remove the pin {}", path.display()))
}

/// Moves the pins of links whose interfaces have other names now, from the first of each pair to the second. Names may
/// have been swapped: each is put aside first, under a name that no interface has.
pub fn rename(pins: &Pins, names: &[(&str, &str)]) -> anyhow::Result<()> {
    let aside = |name: &str| pins.link(&format!("{name} renamed"));
    for (from, _) in names {
        std::fs::rename(pins.link(from), aside(from))
            .with_context(|| format!("cannot put the link of {from} aside"))?;
    }
    for (from, to) in names {
        std::fs::rename(aside(from), pins.link(to))
            .with_context(|| format!("cannot rename the link of {from} to {to}"))?;
    }
    Ok(())
}
