//! A shape in; an instance in force below the pin root, with nothing attached yet, out.
//!
//! Everything is pinned aside and renamed: the filter's own pin comes last, and without it nothing is in force.

use std::{fs, os::fd::AsFd, path::PathBuf};

use anyhow::Context as _;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use ssa_common::{layout, rows::MetaRow};

use super::{
    attach::{self, Link},
    clock,
    instance::Instance,
    map::Map,
    marks,
    object::{self, MAPS, Object},
    pins::{self, Pins},
    sys,
};
use crate::{
    failure::{Code, Failure},
    plan::{shape::Shape, tables::Tables},
};

/// CPUs the counters need rows for.
pub fn cpus() -> anyhow::Result<u32> {
    let cpus = aya::util::nr_cpus().map_err(|(file, error)| anyhow::Error::new(error).context(file))?;
    Ok(u32::try_from(cpus)?)
}

/// A loaded object with its instance, before anything is pinned.
pub struct Made {
    /// The programs.
    pub object: Object,
    /// The maps.
    pub instance: Instance,
}

/// Loads an instance with empty maps.
pub fn make(shape: Shape) -> anyhow::Result<Made> {
    let (cpus, hertz) = (cpus()?, clock::hertz()?);
    let object = object::load(shape, cpus)?;
    let instance = Instance::of_object(&object, shape, cpus, hertz)?;
    Ok(Made { object, instance })
}

/// Makes an instance with a config, and pins it.
pub fn create(pins: &Pins, made: &mut Made, tables: &Tables, document: &str) -> anyhow::Result<()> {
    clear(pins)?;
    made.instance.put_in_force(tables, document, 1)?;
    let staging = pins.staging();
    stage(&staging, made)?;
    fs::rename(staging.maps(), pins.maps()).context("cannot rename the maps")?;
    fs::rename(staging.programs(), pins.programs()).context("cannot rename the programs")?;
    pins::remove(staging.root())
}

/// Pins another instance in the place of the one that is pinned. Its filter comes last: until then the old one is in
/// force, and a killed `apply` is made good by the next.
pub fn exchange(pins: &Pins, made: &mut Made) -> anyhow::Result<()> {
    let staging = pins.staging();
    pins::remove(staging.root())?;
    stage(&staging, made)?;
    // All maps at once: some of one instance and some of another make none.
    renameat_with(CWD, staging.maps(), CWD, pins.maps(), RenameFlags::EXCHANGE).context("cannot exchange the maps")?;
    fs::rename(staging.probe(), pins.probe()).context("cannot rename the clock probe")?;
    fs::rename(staging.filter(), pins.filter()).context("cannot rename the filter")?;
    pins::remove(staging.root())
}

/// Pins an instance aside.
fn stage(staging: &Pins, made: &mut Made) -> anyhow::Result<()> {
    for folder in [staging.root().to_owned(), staging.maps(), staging.programs()] {
        pins::make(&folder)?;
    }
    for name in MAPS {
        pin(&made.object.map(name)?, &staging.map(name))?;
    }
    pin(made.object.probe()?.fd()?.as_fd(), &staging.probe())?;
    pin(made.object.filter()?.fd()?.as_fd(), &staging.filter())
}

/// Pins other programs in the place of those that are pinned.
pub fn replace_programs(pins: &Pins, object: &mut Object) -> anyhow::Result<()> {
    let staging = pins.staging();
    pins::remove(staging.root())?;
    for folder in [staging.root().to_owned(), staging.programs()] {
        pins::make(&folder)?;
    }
    pin(object.probe()?.fd()?.as_fd(), &staging.probe())?;
    pin(object.filter()?.fd()?.as_fd(), &staging.filter())?;
    fs::rename(staging.probe(), pins.probe()).context("cannot rename the clock probe")?;
    fs::rename(staging.filter(), pins.filter()).context("cannot rename the filter")?;
    pins::remove(staging.root())
}

/// Refuses a folder that holds something, and nothing of an instance.
pub fn check_ours(pins: &Pins) -> Result<(), Failure> {
    let shown = pins.root().display();
    let folders = [pins.staging(), pins.lookup(), pins.marks()].map(|pins| pins.root().to_owned());
    let ours = [&[pins.map(layout::META), pins.filter(), pins.clients()][..], &folders].concat();
    let mut entries = fs::read_dir(pins.root()).with_context(|| format!("cannot list {shown}"))?;
    if ours.iter().any(|path| path.exists()) || entries.next().is_none() {
        return Ok(());
    }
    // What is left where nearly all was removed: our folders, empty.
    let folders = [pins.maps(), pins.programs(), pins.links()];
    let left = fs::read_dir(pins.root()).with_context(|| format!("cannot list {shown}"))?;
    for entry in left {
        let path = entry.context("cannot list the pin root")?.path();
        let empty = || fs::read_dir(&path).is_ok_and(|mut inside| inside.next().is_none());
        if !folders.contains(&path) || !empty() {
            return Err(Failure::new(Code::Failed, format!("{shown} holds {}, which is not ours", path.display()))
                .hint("choose a --pin-root of its own"));
        }
    }
    Ok(())
}

/// Whether the instance is another network namespace's. What says nothing of one is this one's.
pub fn is_foreign(pins: &Pins) -> anyhow::Result<bool> {
    let Ok(meta) = Map::<MetaRow>::open(&pins.map(layout::META), true) else { return Ok(false) };
    Ok(meta.get(0)?.netns != sys::netns_cookie().context("cannot ask for the network namespace")?)
}

/// The other instances of this network namespace whose pins lie in the same folder. What cannot be read is none.
pub fn beside(pins: &Pins) -> anyhow::Result<Vec<PathBuf>> {
    let here = sys::netns_cookie().context("cannot ask for the network namespace")?;
    let whole = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = whole(pins.root());
    let is_another = |root: &PathBuf| {
        let other = Pins::new(root);
        let meta = || Map::<MetaRow>::open(&other.map(layout::META), true)?.get(0);
        whole(root) != own && other.are_there().unwrap_or(false) && meta().is_ok_and(|meta| meta.netns == here)
    };
    let entries = pins.root().parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut others: Vec<_> = entries.map(|entry| entry.path()).filter(is_another).collect();
    others.sort();
    Ok(others)
}

/// The interface that an instance of another network namespace filters.
pub fn foreign_link(pins: &Pins) -> anyhow::Result<Option<String>> {
    if !is_foreign(pins)? {
        return Ok(None);
    }
    for name in pins.linked()? {
        if Link::open(pins, &name)?.is_some_and(|link| link.interface != 0) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Removes what a killed `apply` or `down` has left: no filter is in force then.
pub fn clear(pins: &Pins) -> anyhow::Result<()> {
    for interface in pins.linked()? {
        // What is no link of ours goes with its pin.
        let _ = attach::detach(pins, &interface);
    }
    marks::remove(pins)?;
    for folder in [pins.links(), pins.programs(), pins.maps(), pins.staging().root().to_owned()] {
        pins::remove(&folder)?;
    }
    Ok(())
}

/// Pins an object for its owner alone.
pub(super) fn pin(object: impl AsFd, path: &std::path::Path) -> anyhow::Result<()> {
    sys::pin(object, path).with_context(|| format!("cannot pin {}", path.display()))?;
    pins::close(path, 0o600)
}
