//! Rows and sockets in; a socket lookup program that hands calls to them, attached to this network namespace, out.
//!
//! It stands beside the filter, with an object, maps and pins of its own. A change makes all of it anew: the new program is
//! attached behind the old one, and whichever chooses a socket last decides. So no call is lost, and no row is written that
//! a program reads.

use std::{
    fs::File,
    os::fd::{AsFd, OwnedFd},
};

use anyhow::{Context as _, bail};
use aya::{
    Ebpf, include_bytes_aligned,
    maps::{Map as AnyMap, MapData},
    programs::{ProgramInfo, SkLookup},
};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use ssa_common::{
    layout::{LOOKUP_META, LOOKUP_VERSION, LOOKUPS, SOCKETS},
    rows::{LookupMetaRow, LookupRow},
};

use super::{
    attach::{self, Link},
    create,
    map::Map,
    object,
    pins::{self, Pins},
    sys,
};
use crate::failure::{Code, Failure};

/// The BPF object, built with this binary.
static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/ssa_lookup"));

/// The program's name, in the object and as a pin.
pub const LOOKUP: &str = "ssa_lookup";
/// The link's name as a pin.
const LINK: &str = "netns";

/// What hands calls to sockets.
pub struct Lookup {
    /// The rows.
    pub rows: Vec<LookupRow>,
    /// The cookies of the sockets that are there, by their place.
    pub sockets: Vec<Option<u64>>,
    /// The kernel's number for the program.
    pub program: u32,
    /// The kernel's number for the link.
    pub link: u32,
    /// Whether the link still holds the program to the network namespace.
    pub attached: bool,
    /// Whether the program is that of this binary.
    pub current: bool,
}

/// Whether there is anything to remove.
pub fn is_there(pins: &Pins) -> bool {
    pins.lookup().root().exists() || is_left(pins)
}

/// Whether a killed command has left something.
pub fn is_left(pins: &Pins) -> bool {
    pins.staging().lookup().root().exists()
}

/// Reads what hands calls to sockets below these pins; none where nothing does.
///
/// # Errors
/// Where the pins are not whole, or of another layout version.
pub fn open(pins: &Pins) -> Result<Option<Lookup>, Failure> {
    let pins = pins.lookup();
    if !pins.root().try_exists().with_context(|| format!("cannot examine {}", pins.root().display()))? {
        return Ok(None);
    }
    let again = "make it anew: ssa-ctl endpoint host off, and on again";
    let meta = Map::<LookupMetaRow>::open(&pins.map(LOOKUP_META), true).and_then(|map| map.get(0));
    let meta = meta.map_err(|error| Failure::from(error).hint(again))?;
    if meta.version != LOOKUP_VERSION {
        let shown = pins.root().display();
        let message =
            format!("{shown} has the layout version {}, and this ssa-ctl knows {LOOKUP_VERSION}", meta.version);
        return Err(Failure::new(Code::Failed, message).hint(again));
    }
    let lookup = read(&pins, &meta).map_err(|error| Failure::from(error).hint(again))?;
    Ok(Some(lookup))
}

fn read(pins: &Pins, meta: &LookupMetaRow) -> anyhow::Result<Lookup> {
    let rows: Map<LookupRow> = Map::open(&pins.map(LOOKUPS), true)?;
    let rows = rows.read(0, meta.rows.min(rows.entries()))?;
    let path = pins.map(SOCKETS);
    let sockets = sys::open_pin(&path, true).with_context(|| format!("cannot open the pin {}", path.display()))?;
    let places = rows.iter().map(|row| row.socket + 1).max().unwrap_or(0);
    let sockets = (0..places).map(|place| sys::socket_at(&sockets, place)).collect::<Result<_, _>>();
    let path = pins.programs().join(LOOKUP);
    let program = ProgramInfo::from_pin(&path).with_context(|| format!("cannot open the pin {}", path.display()))?.id();
    let link = Link::open(pins, LINK)?.with_context(|| format!("the pin {} is gone", pins.link(LINK).display()))?;
    Ok(Lookup {
        rows,
        sockets: sockets.context("cannot read the map of sockets")?,
        program,
        link: link.id,
        // What the link is attached to is a network namespace.
        attached: link.interface != 0 && link.program == program,
        current: meta.build == object::digest(OBJECT),
    })
}

/// Hands calls to these sockets, by these rows, and by no others. A place without a socket hands nothing.
pub fn put(pins: &Pins, rows: &[LookupRow], sockets: &[Option<OwnedFd>]) -> anyhow::Result<()> {
    clear_staging(pins)?;
    let mut object = Ebpf::load(OBJECT).context("cannot make the maps of the lookup program")?;
    let meta =
        LookupMetaRow { version: LOOKUP_VERSION, rows: u32::try_from(rows.len())?, build: object::digest(OBJECT) };
    Map::new(map(&object, LOOKUP_META)?, LOOKUP_META)?.write(0, &[meta])?;
    Map::new(map(&object, LOOKUPS)?, LOOKUPS)?.write(0, rows)?;
    let places = map(&object, SOCKETS)?;
    for (place, socket) in (0..).zip(sockets) {
        if let Some(socket) = socket {
            sys::put_socket(&places, place, socket).context("cannot put a socket into the map of sockets")?;
        }
    }
    let program = object.program_mut(LOOKUP).with_context(|| format!("the object has no program {LOOKUP}"))?;
    let program: &mut SkLookup = program.try_into()?;
    program.load().with_context(|| format!("cannot load the program {LOOKUP}"))?;
    let program = program.fd()?.as_fd().try_clone_to_owned()?;

    let (staging, new) = (pins.staging(), pins.staging().lookup());
    for folder in [staging.root().to_owned(), new.root().to_owned(), new.maps(), new.programs(), new.links()] {
        pins::make(&folder)?;
    }
    for name in [LOOKUP_META, LOOKUPS, SOCKETS] {
        create::pin(map(&object, name)?, &new.map(name))?;
    }
    create::pin(&program, &new.programs().join(LOOKUP))?;
    let namespace = File::open("/proc/thread-self/ns/net").context("cannot open the network namespace")?;
    let link = sys::link_lookup(&program, &namespace).context("cannot attach to the network namespace")?;
    create::pin(&link, &new.link(LINK))?;

    let (from, to) = (new.root().to_owned(), pins.lookup().root().to_owned());
    let flags = if to.exists() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
    renameat_with(CWD, from, CWD, to, flags).context("cannot rename the pins of the lookup program")?;
    clear_staging(pins)
}

/// Removes all of it; calls go where the kernel finds a socket by itself.
pub fn remove(pins: &Pins) -> anyhow::Result<()> {
    clear_staging(pins)?;
    clear(&pins.lookup())
}

/// Removes what was replaced, or what a killed command has left.
fn clear_staging(pins: &Pins) -> anyhow::Result<()> {
    clear(&pins.staging().lookup())?;
    pins::remove(pins.staging().root())
}

/// Detaches at once, which the kernel else does later, and removes the pins.
fn clear(lookup: &Pins) -> anyhow::Result<()> {
    if lookup.root().exists() {
        // What is no link of ours goes with its pin.
        let _ = attach::detach(lookup, LINK);
    }
    pins::remove(lookup.root())
}

fn map(object: &Ebpf, name: &str) -> anyhow::Result<OwnedFd> {
    let map = object.map(name).with_context(|| format!("the object has no map {name}"))?;
    let (AnyMap::Array(data) | AnyMap::SockMap(data)) = map else { bail!("the map {name} is of another kind") };
    let data: &MapData = data;
    Ok(data.fd().as_fd().try_clone_to_owned()?)
}
