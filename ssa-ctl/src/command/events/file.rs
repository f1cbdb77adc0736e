//! A path and events in; a capture there, whole or as it comes, out.

use std::{
    fs,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use super::pcapng::Capture;
use crate::{
    failure::{Code, Failure},
    file::{Manner, refused},
    observe::events::Event,
};

/// For its owner alone: frames are what people have sent.
const MODE: u32 = 0o600;

/// A capture that is being written.
pub(super) struct File {
    capture: Capture,
    to: To,
    begun: bool,
}

enum To {
    Output,
    /// The file itself, as somebody reads it while it grows.
    Open(PathBuf, fs::File),
    /// All of it, and a file beside only when it is whole.
    Whole(PathBuf, Manner, Vec<u8>),
}

impl File {
    /// Begins one. Where events come one after the other its file is there at once, and else when it is whole.
    pub(super) fn open(path: &Path, follow: bool, force: bool) -> Result<Self, Failure> {
        let manner = Manner { mode: MODE, replace: force };
        let to = if path == Path::new("-") {
            if io::stdout().is_terminal() {
                let failure = Failure::new(Code::Invalid, "a capture is nothing for a terminal");
                return Err(failure.hint("name a file, or pipe it: ssa-ctl events --write - | tshark -r -"));
            }
            To::Output
        } else if follow {
            To::Open(path.to_owned(), manner.write(path, &[])?)
        } else {
            manner.check(path)?;
            To::Whole(path.to_owned(), manner, Vec::new())
        };
        Ok(Self { capture: Capture::default(), to, begun: false })
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
            To::Whole(_, _, all) => all.extend(octets),
        }
        Ok(())
    }

    /// Ends it. The path, where it has one.
    pub(super) fn end(self) -> Result<Option<PathBuf>, Failure> {
        match self.to {
            To::Output => Ok(None),
            To::Open(path, _) => Ok(Some(path)),
            To::Whole(path, manner, octets) => {
                manner.write(&path, &octets)?;
                Ok(Some(path))
            }
        }
    }
}
