//! The writers' lock: a `flock` on the pin root, which dies with its process.

use std::{
    fs::File,
    io::Write,
    os::{fd::AsFd, unix::fs::MetadataExt as _},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
};

use super::pins::Pins;
use crate::failure::{Code, Failure};

/// How long a writer waits for another. An `apply` takes well under a second.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it waits before it says so.
const SILENCE: Duration = Duration::from_secs(1);
/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// The lock, held until it is dropped.
pub struct Lock {
    _root: File,
}

/// Takes the lock of the instance below `pins`; says on `err`, once, if that takes more than a second.
///
/// # Errors
/// Where there is no such folder, or another writer holds the lock for a minute.
pub fn take(pins: &Pins, err: &mut dyn Write) -> Result<Lock, Failure> {
    let begin = Instant::now();
    let mut told = false;
    loop {
        let shown = pins.root().display();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root: File = match rustix::fs::open(pins.root(), flags, Mode::empty()) {
            Ok(root) => root.into(),
            Err(Errno::NOENT) => {
                return Err(Failure::new(Code::NotLoaded, format!("nothing is loaded at {shown}"))
                    .hint("load a config: ssa-ctl apply FILE"));
            }
            Err(errno) => {
                return Err(anyhow::Error::new(std::io::Error::from(errno))
                    .context(format!("cannot open {shown}"))
                    .into());
            }
        };
        match flock(root.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            // A `down` may have removed the folder while we waited for it.
            Ok(()) if is_still_there(pins, &root)? => return Ok(Lock { _root: root }),
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) if begin.elapsed() > PATIENCE => {
                let message = format!("another ssa-ctl has held the lock of {shown} for a minute");
                return Err(Failure::new(Code::Failed, message)
                    .hint("see whether it is stopped: fuser names it; the lock ends with its process"));
            }
            Err(Errno::WOULDBLOCK) => {
                if !told && begin.elapsed() > SILENCE {
                    told = true;
                    // Whoever does not see it waits all the same.
                    let _ = writeln!(err, "waiting for another ssa-ctl to finish");
                }
                std::thread::sleep(INTERVAL);
            }
            Err(errno) => {
                return Err(anyhow::Error::new(std::io::Error::from(errno))
                    .context(format!("cannot lock {shown}"))
                    .into());
            }
        }
    }
}

fn is_still_there(pins: &Pins, root: &File) -> anyhow::Result<bool> {
    let ours = root.metadata().context("cannot examine the pin root")?;
    Ok(std::fs::metadata(pins.root()).is_ok_and(|now| (now.dev(), now.ino()) == (ours.dev(), ours.ino())))
}
