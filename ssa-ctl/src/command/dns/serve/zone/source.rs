//! A file, or the pins of an instance, in; its config, and whether it is another than before, out.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{
    change::InForce,
    config::{self, Config},
    context::Context,
    failure::Failure,
    kernel::{instance::Instance, pins::Pins},
};

/// Tries to read what is in force while others change it.
const TRIES: u32 = 10;

/// Where the config comes from.
pub(super) struct Source {
    from: From,
    /// What told it from others when it was looked at last.
    mark: Option<Mark>,
}

enum From {
    File(PathBuf),
    Instance(PathBuf),
}

/// What tells a config from others without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// The file's number, its length, and when it was changed, in seconds and nanoseconds.
    File([i64; 4]),
    /// The generation in force.
    Generation(u64),
}

impl Source {
    /// This file, or what is in force.
    pub(super) fn new(context: &Context<'_>, file: Option<PathBuf>) -> Self {
        let from = file.map_or_else(|| From::Instance(context.pin_root.clone()), From::File);
        Self { from, mark: None }
    }

    /// Reads it.
    pub(super) fn read(&mut self) -> Result<Config, Failure> {
        // Before it is read: what changes meanwhile is looked at again.
        self.mark = self.from.mark().ok();
        match &self.from {
            From::File(path) => Ok(config::read(path)?.config),
            From::Instance(pin_root) => InForce::steadily(pin_root, TRIES, |in_force| Ok(in_force.config.clone())),
        }
    }

    /// Reads it if it is another. One that is wrong is an error once, and so is one that is gone.
    pub(super) fn changed(&mut self) -> Result<Option<Config>, Failure> {
        let mark = match self.from.mark() {
            Ok(mark) => mark,
            Err(failure) if self.mark.take().is_some() => return Err(failure),
            Err(_) => return Ok(None),
        };
        if self.mark == Some(mark) { Ok(None) } else { self.read().map(Some) }
    }
}

impl From {
    fn mark(&self) -> Result<Mark, Failure> {
        match self {
            Self::File(path) => file(path),
            Self::Instance(pin_root) => Ok(Mark::Generation(Instance::open(&Pins::new(pin_root), true)?.generation()?)),
        }
    }
}

fn file(path: &Path) -> Result<Mark, Failure> {
    let meta = fs::metadata(path).map_err(|error| {
        Failure::from(anyhow::Error::new(error).context(format!("{} cannot be read", path.display())))
    })?;
    let signed = |number: u64| number.cast_signed();
    Ok(Mark::File([signed(meta.ino()), signed(meta.len()), meta.ctime(), meta.ctime_nsec()]))
}
