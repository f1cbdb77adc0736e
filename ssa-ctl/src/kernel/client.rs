//! Anchors in; the programs that send calls of a cgroup to computed addresses, attached and pinned, out.
//!
//! They stand beside the filter, with an object, maps and pins of their own for each cgroup. A change makes all of it anew but
//! the addresses that were given: the new programs are attached behind the old ones, which leave nothing for them to do, and
//! the old ones are detached. So no call is missed, and no row is written that a program reads.

use std::{
    fs, io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::PathBuf,
    time::SystemTime,
};

use anyhow::{Context as _, bail};
use aya::{
    Ebpf, EbpfLoader, include_bytes_aligned,
    maps::{Map as AnyMap, MapData},
    programs::CgroupSockAddr,
};
use aya_obj::generated::bpf_attach_type::{
    self, BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_INET6_GETPEERNAME, BPF_CGROUP_UDP6_RECVMSG, BPF_CGROUP_UDP6_SENDMSG,
};
use bytemuck::Zeroable as _;
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    time::{ClockId, clock_gettime},
};
use ssa_common::{
    bits::Words,
    layout::{ANCHORS, CALLED, CLIENT, CLIENT_META, CLIENT_VERSION, GIVEN},
    rows::{AnchorRow, CalledRow, ClientMetaRow, ClientRow},
    siphash,
};

use super::{
    attach,
    cgroup::Cgroup,
    create,
    map::Map,
    object,
    pins::{self, Pins},
    sys,
};
use crate::{
    context::unix,
    failure::{Code, Failure},
};

/// The BPF object, built with this binary.
static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/ssa_client"));

/// The programs in the order in which they are attached: whoever is given an address is to be told of its anchor. Their
/// names in the object and as pins, those of their links, and where they are attached.
const PROGRAMS: [(&str, &str, bpf_attach_type); 4] = [
    ("ssa_recvmsg6", "recvmsg6", BPF_CGROUP_UDP6_RECVMSG),
    ("ssa_peername6", "getpeername6", BPF_CGROUP_INET6_GETPEERNAME),
    ("ssa_sendmsg6", "sendmsg6", BPF_CGROUP_UDP6_SENDMSG),
    ("ssa_connect6", "connect6", BPF_CGROUP_INET6_CONNECT),
];

/// An anchor with its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// What the program reads.
    pub row: AnchorRow,
    /// The service's name.
    pub name: String,
    /// The length of the prefix that the row's addresses are of.
    pub length: u8,
}

/// What is attached to a cgroup.
pub struct Attached {
    /// The cgroup's number.
    pub cgroup: u64,
    /// Where the cgroup was.
    pub path: PathBuf,
    /// The anchors.
    pub anchors: Vec<Anchor>,
    /// Unix seconds at which that was written.
    pub written: u64,
    /// Whether all programs are still attached to the cgroup.
    pub attached: bool,
    /// Whether the programs are those of this binary.
    pub current: bool,
}

/// What is attached to all cgroups, in the order of their paths.
///
/// # Errors
/// Where pins are not whole, or of another layout version.
pub fn all(pins: &Pins) -> Result<Vec<Attached>, Failure> {
    let mut all = cgroups(pins)?.into_iter().map(|cgroup| open(pins, cgroup)).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(all)
}

/// The numbers of the cgroups that something is attached to.
pub fn cgroups(pins: &Pins) -> anyhow::Result<Vec<u64>> {
    let folder = pins.clients();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot list {}", folder.display()))?,
    };
    let mut cgroups = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        cgroups.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    Ok(cgroups)
}

/// Reads what is attached to a cgroup.
pub fn open(pins: &Pins, cgroup: u64) -> Result<Attached, Failure> {
    let pins = pins.client(cgroup);
    let again = "make it anew: ssa-ctl client detach, and attach again";
    let meta = Map::<ClientMetaRow>::open(&pins.map(CLIENT_META), true).and_then(|map| map.get(0));
    let meta = meta.map_err(|error| Failure::from(error).hint(again))?;
    if meta.version != CLIENT_VERSION {
        let shown = pins.root().display();
        let message =
            format!("{shown} has the layout version {}, and this ssa-ctl knows {CLIENT_VERSION}", meta.version);
        return Err(Failure::new(Code::Failed, message).hint(again));
    }
    read(&pins, &meta).map_err(|error| Failure::from(error).hint(again))
}

fn read(pins: &Pins, meta: &ClientMetaRow) -> anyhow::Result<Attached> {
    let rows = Map::<AnchorRow>::open(&pins.map(ANCHORS), true)?;
    let called = Map::<CalledRow>::open(&pins.map(CALLED), true)?;
    let count = meta.rows.min(rows.entries());
    let anchors = rows.read(0, count)?.into_iter().zip(called.read(0, count)?);
    let anchors = anchors.map(|(row, called)| Anchor {
        row,
        name: String::from_utf8_lossy(filled(&called.name)).into_owned(),
        length: u8::try_from(called.length).unwrap_or(128),
    });
    let mut attached = true;
    for (_, name, _) in PROGRAMS {
        let path = pins.link(name);
        let link = sys::open_pin(&path, false).with_context(|| format!("cannot open the pin {}", path.display()))?;
        let info = sys::link_info(&link).with_context(|| format!("cannot ask about the link {name}"))?;
        attached &= sys::cgroup_of(&info) == meta.cgroup;
    }
    Ok(Attached {
        cgroup: meta.cgroup,
        path: std::ffi::OsStr::from_bytes(filled(&meta.path)).into(),
        anchors: anchors.collect(),
        written: meta.written,
        attached,
        current: meta.build == object::digest(OBJECT),
    })
}

/// Sends the calls of a cgroup to these anchors to computed addresses, and no others.
///
/// # Errors
/// [`Code::Held`] where another program has the cgroup, or one above it, for itself. Then all is as it was.
pub fn put(pins: &Pins, cgroup: &Cgroup, anchors: &[Anchor], now: SystemTime) -> Result<(), Failure> {
    clear_staging(pins)?;
    let put = stage(pins, cgroup, anchors, now).and_then(|()| {
        let (new, old) = (pins.staging().client(cgroup.id), pins.client(cgroup.id));
        let flags = if old.root().exists() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, new.root(), CWD, old.root(), flags).context("cannot rename the pins of the programs")?;
        Ok(())
    });
    clear_staging(pins)?;
    remove_if_empty(&pins.clients())?;
    put
}

/// Attaches new programs behind those that are there, and pins them aside.
fn stage(pins: &Pins, cgroup: &Cgroup, anchors: &[Anchor], now: SystemTime) -> Result<(), Failure> {
    let staging = pins.staging();
    let new = staging.client(cgroup.id);
    let mut object = load(&pins.client(cgroup.id))?;
    fill(&object, cgroup, anchors, now)?;
    for folder in [staging.root().to_owned(), staging.clients(), pins.clients(), new.root().to_owned()] {
        pins::make(&folder)?;
    }
    for folder in [new.maps(), new.programs(), new.links()] {
        pins::make(&folder)?;
    }
    for name in [CLIENT_META, CALLED, ANCHORS, CLIENT, GIVEN] {
        create::pin(map(&object, name)?, &new.map(name))?;
    }
    for (name, link, kind) in PROGRAMS {
        let program = object.program_mut(name).with_context(|| format!("the object has no program {name}"))?;
        let program: &mut CgroupSockAddr = program.try_into().map_err(anyhow::Error::new)?;
        program.load().with_context(|| format!("cannot load the program {name}"))?;
        let program = program.fd().map_err(anyhow::Error::new)?;
        create::pin(program, &new.programs().join(name))?;
        let attached = sys::link_cgroup(program, cgroup, kind).map_err(|error| refused(error, cgroup, link))?;
        create::pin(attached, &new.link(link))?;
    }
    Ok(())
}

/// Loads the object, over the addresses that were given before.
fn load(old: &Pins) -> anyhow::Result<Ebpf> {
    let given = old.map(GIVEN);
    let meta = Map::<ClientMetaRow>::open(&old.map(CLIENT_META), true).and_then(|map| map.get(0));
    let mut loader = EbpfLoader::new();
    if meta.is_ok_and(|meta| meta.version == CLIENT_VERSION) && given.exists() {
        loader.map_pin_path(GIVEN, given);
    }
    loader.load(OBJECT).context("cannot make the maps of the client's programs")
}

fn fill(object: &Ebpf, cgroup: &Cgroup, anchors: &[Anchor], now: SystemTime) -> anyhow::Result<()> {
    let mut meta = ClientMetaRow {
        version: CLIENT_VERSION,
        rows: u32::try_from(anchors.len())?,
        build: object::digest(OBJECT),
        cgroup: cgroup.id,
        written: unix(now),
        ..ClientMetaRow::zeroed()
    };
    put_text(&mut meta.path, cgroup.path.as_os_str().as_bytes());
    let called = anchors.iter().map(|Anchor { name, length, .. }| {
        let mut row = CalledRow { length: u64::from(*length), ..CalledRow::zeroed() };
        put_text(&mut row.name, name.as_bytes());
        row
    });
    let rows: Vec<_> = anchors.iter().map(|anchor| anchor.row).collect();
    let secret = siphash::start(Words { hi: rand::random(), lo: rand::random() });
    Map::new(map(object, CLIENT_META)?, CLIENT_META)?.write(0, &[meta])?;
    Map::new(map(object, CALLED)?, CALLED)?.write(0, &called.collect::<Vec<_>>())?;
    Map::new(map(object, ANCHORS)?, ANCHORS)?.write(0, &rows)?;
    Map::new(map(object, CLIENT)?, CLIENT)?.write(0, &[ClientRow { offset: offset(now)?, secret }])
}

/// Nanoseconds from those since boot to those of Unix time, of which it is `now`.
pub fn offset(now: SystemTime) -> anyhow::Result<u64> {
    let boot = clock_gettime(ClockId::Boottime);
    let boot = i128::from(boot.tv_sec) * 1_000_000_000 + i128::from(boot.tv_nsec);
    let unix = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    Ok(u64::try_from(i128::try_from(unix)? - boot).unwrap_or(0))
}

fn refused(error: io::Error, cgroup: &Cgroup, link: &str) -> Failure {
    let hint = "a program has this cgroup, or one above it, for itself: see bpftool cgroup tree; it is left alone";
    let held = error.raw_os_error() == Some(libc::EPERM);
    let error = anyhow::Error::new(error).context(format!("cannot attach {link} to {}", cgroup.path.display()));
    if held { Failure::from(error).code(Code::Held).hint(hint) } else { error.into() }
}

/// Removes what is attached to a cgroup; calls to its anchors go to the anchors.
pub fn remove(pins: &Pins, cgroup: u64) -> anyhow::Result<()> {
    clear_staging(pins)?;
    clear(&pins.client(cgroup))?;
    remove_if_empty(&pins.clients())
}

/// Removes what was replaced, or what a killed command has left.
fn clear_staging(pins: &Pins) -> anyhow::Result<()> {
    let staging = pins.staging();
    for cgroup in cgroups(&staging)? {
        clear(&staging.client(cgroup))?;
    }
    pins::remove(staging.root())
}

/// Detaches at once, which the kernel else does later, and removes the pins. The last that was attached goes first.
fn clear(client: &Pins) -> anyhow::Result<()> {
    for (_, link, _) in PROGRAMS.iter().rev() {
        // What is no link of ours goes with its pin.
        let _ = attach::detach(client, link);
    }
    pins::remove(client.root())
}

fn remove_if_empty(folder: &std::path::Path) -> anyhow::Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::ENOTEMPTY) => Ok(()),
        removed => removed.with_context(|| format!("cannot remove {}", folder.display())),
    }
}

fn map(object: &Ebpf, name: &str) -> anyhow::Result<OwnedFd> {
    let map = object.map(name).with_context(|| format!("the object has no map {name}"))?;
    let (AnyMap::Array(data) | AnyMap::LruHashMap(data)) = map else { bail!("the map {name} is of another kind") };
    let data: &MapData = data;
    Ok(data.fd().as_fd().try_clone_to_owned()?)
}

fn put_text(to: &mut [u8], text: &[u8]) {
    for (to, from) in to.iter_mut().zip(text) {
        *to = *from;
    }
}

fn filled(octets: &[u8]) -> &[u8] {
    octets.split(|octet| *octet == 0).next().unwrap_or_default()
}
