//! Whole screens in; what changed in them written to the terminal, as fast as it takes it; its modes as they were, at the end.
//!
//! What a slow terminal has not taken is waited for by nobody: the next screen is made when it has. The terminal is opened anew,
//! so that whoever shares it is not made to write without waiting too.

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    panic,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use ratatui::{
    backend::{Backend as _, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::AsFd,
    fs::{Mode, OFlags},
    termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetwinsize, tcsetattr},
};

/// The alternate screen, without a cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";
/// Ends whatever sequence was cut off; then plain letters, a cursor, and the screen that was there before.
const LEAVE: &[u8] = b"\x18\x1b[0m\x1b[?25h\x1b[?1049l";
/// Where the terminal may be opened anew.
const STDOUT: &str = "/proc/self/fd/1";
/// Columns and lines that are drawn, at most.
const LARGEST: (u16, u16) = (600, 200);
/// After how long a terminal that was full is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// How long a terminal that takes nothing is waited for at the end.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };

/// A terminal in our hands until it is dropped.
pub(super) struct Screen {
    modes: Arc<Modes>,
    shown: Buffer,
    pending: Vec<u8>,
    written: usize,
}

/// The terminal, and how it was.
struct Modes {
    terminal: File,
    before: Termios,
    restored: AtomicBool,
}

impl Screen {
    /// Takes standard output, which is a terminal.
    pub(super) fn open() -> anyhow::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(STDOUT, flags, Mode::empty()).context("cannot open the terminal anew")?;
        Self::take(terminal.into())
    }

    fn take(terminal: File) -> anyhow::Result<Self> {
        let before = tcgetattr(&terminal).context("cannot ask for the terminal's modes")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &raw).context("cannot set the terminal's modes")?;
        let modes = Arc::new(Modes { terminal, before, restored: AtomicBool::new(false) });
        let (hook, on_panic) = (panic::take_hook(), Arc::downgrade(&modes));
        panic::set_hook(Box::new(move |info| {
            // First, so that what the panic says is seen.
            if let Some(modes) = on_panic.upgrade() {
                modes.restore();
            }
            hook(info);
        }));
        Ok(Self { modes, shown: Buffer::empty(Rect::ZERO), pending: ENTER.to_vec(), written: 0 })
    }

    /// Its size now, as far as anybody could read it: a terminal says what it likes, and cells take memory.
    pub(super) fn area(&self) -> Rect {
        let size = tcgetwinsize(&self.modes.terminal).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
        let (width, height) = size.map_or((80, 24), |size| (size.ws_col, size.ws_row));
        Rect::new(0, 0, width.min(LARGEST.0), height.min(LARGEST.1))
    }

    /// Whether it has taken all that was shown.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Shows another screen. The one before must have been taken.
    pub(super) fn show(&mut self, next: Buffer) -> io::Result<()> {
        let mut backend = CrosstermBackend::new(&mut self.pending);
        if self.shown.area != next.area {
            backend.clear()?;
            self.shown = Buffer::empty(next.area);
        }
        let changed = self.shown.diff(&next);
        if !changed.is_empty() {
            backend.draw(changed.into_iter())?;
        }
        self.shown = next;
        Ok(())
    }

    /// Waits until the terminal has taken all. Whoever does not wait to the end goes on where it was.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        while self.written < self.pending.len() {
            match (&self.modes.terminal).write(&self.pending[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => tokio::time::sleep(RETRY).await,
                Err(error) => return Err(error),
            }
        }
        self.pending.clear();
        self.written = 0;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.modes.restore();
    }
}

impl Modes {
    /// Leaves the terminal as it was: once.
    fn restore(&self) {
        if self.restored.swap(true, Ordering::SeqCst) {
            return;
        }
        // A terminal that is gone needs nothing more.
        let rest = self.write(LEAVE);
        if !rest.is_empty() {
            // It takes nothing: what it has not read goes, so that this is the first that it reads.
            let _ = tcflush(&self.terminal, QueueSelector::OFlush);
            self.write(LEAVE);
        }
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }

    /// Writes as long as the terminal takes something; what is left.
    fn write<'a>(&self, mut octets: &'a [u8]) -> &'a [u8] {
        while !octets.is_empty() {
            let mut ready = [PollFd::from_borrowed_fd(self.terminal.as_fd(), PollFlags::OUT)];
            match poll(&mut ready, Some(&PATIENCE)) {
                Err(rustix::io::Errno::INTR) => continue,
                Ok(1..) => {}
                Ok(0) | Err(_) => return octets,
            }
            match (&self.terminal).write(octets) {
                Ok(written) if written > 0 => octets = &octets[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return octets,
            }
        }
        octets
    }
}

#[cfg(test)]
mod tests;
