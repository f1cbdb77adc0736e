//! A path and events in; a capture there, whole or as it comes, out.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, IsTerminal as _, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::pcapng::Capture;
use crate::{
    failure::{Code, Failure},
    observe::events::Event,
};

/// For its owner alone: frames are what people have sent.
const MODE: u32 = 0o600;

/// A capture that is being written.
pub(super) struct File {
    capture: Capture,
    to: To,
    force: bool,
    begun: bool,
}

enum To {
    Output,
    /// The file itself, as somebody reads it while it grows.
    Open(PathBuf, fs::File),
    /// All of it, and a file beside only when it is whole.
    Whole(PathBuf, Vec<u8>),
}

impl File {
    /// Begins one: where events come one after the other, in its place; else beside it.
    pub(super) fn open(path: &Path, follow: bool, force: bool) -> Result<Self, Failure> {
        let to = if path == Path::new("-") {
            if io::stdout().is_terminal() {
                let failure = Failure::new(Code::Invalid, "a capture is nothing for a terminal");
                return Err(failure.hint("name a file, or pipe it: ssa-ctl events --write - | tshark -r -"));
            }
            To::Output
        } else if path.is_dir() {
            let failure = Failure::new(Code::Invalid, format!("{} is a folder", path.display()));
            return Err(failure.hint("name a file in it, such as events.pcapng"));
        } else if path.symlink_metadata().is_ok() && !force {
            return Err(exists(path));
        } else if follow {
            let mut options = OpenOptions::new();
            options.write(true).mode(MODE);
            if force {
                options.create(true).truncate(true)
            } else {
                options.create_new(true)
            };
            To::Open(path.to_owned(), options.open(path).map_err(|error| refused(path, error))?)
        } else {
            To::Whole(path.to_owned(), Vec::new())
        };
        Ok(Self { capture: Capture::default(), to, force, begun: false })
    }

    /// Writes a batch, so that whoever reads what is there sees whole events.
    pub(super) fn take(&mut self, output: &mut dyn Write, events: &[Event]) -> Result<(), Failure> {
        let mut octets = if self.begun { Vec::new() } else { Capture::head() };
        self.begun = true;
        octets.extend(events.iter().flat_map(|event| self.capture.event(event)));
        match &mut self.to {
            To::Output => {
                output.write_all(&octets)?;
                output.flush()?;
            }
            To::Open(path, file) => file.write_all(&octets).map_err(|error| refused(path, error))?,
            To::Whole(_, all) => all.extend(octets),
        }
        Ok(())
    }

    /// Ends it. The path, where it has one.
    pub(super) fn end(self) -> Result<Option<PathBuf>, Failure> {
        match self.to {
            To::Output => Ok(None),
            To::Open(path, _) => Ok(Some(path)),
            To::Whole(path, octets) => {
                put(&path, &octets, self.force)?;
                Ok(Some(path))
            }
        }
    }
}

/// Writes a file beside it and renames that.
fn put(path: &Path, octets: &[u8], force: bool) -> Result<(), Failure> {
    let mut aside = OsString::from(path);
    aside.push(format!(".{}", std::process::id()));
    let aside = PathBuf::from(aside);
    let flags = if force { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&aside)?;
        file.write_all(octets)?;
        renameat_with(CWD, &aside, CWD, path, flags).map_err(io::Error::from)
    };
    written().map_err(|error| {
        // It may never have been there.
        let _ = fs::remove_file(&aside);
        if error.kind() == io::ErrorKind::AlreadyExists { exists(path) } else { refused(path, error) }
    })
}

fn exists(path: &Path) -> Failure {
    let failure = Failure::new(Code::Invalid, format!("there is a file {} already", path.display()));
    failure.hint("take another name, or replace it with --force")
}

fn refused(path: &Path, error: io::Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(Err::<(), _>(error).context(format!("cannot write {}", path.display())).unwrap_err());
    match kind {
        io::ErrorKind::PermissionDenied => failure.code(Code::NotPermitted),
        io::ErrorKind::NotFound => failure.hint("make its folder first"),
        _ => failure,
    }
}
