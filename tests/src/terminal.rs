//! A program in; what a person reads on its screen, types, and is left with, out: a pseudo-terminal of any size and patience.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result};
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use vt100::Parser;

use crate::net::{Running, wait_until};

/// Longest wait for anything that a screen should show.
const LONGEST: Duration = Duration::from_secs(20);
/// How long the reader sleeps where there is nothing to read.
const PAUSE: Duration = Duration::from_millis(2);

/// A terminal with one program, which ends with it.
pub struct Terminal {
    program: Running,
    master: File,
    slave: File,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

/// What the reader and its owner both know.
struct Shared {
    screen: Mutex<Parser>,
    octets: AtomicUsize,
    reading: AtomicBool,
    stop: AtomicBool,
}

impl Terminal {
    /// Starts a command, which must make its standard input the terminal of its session: `setsid --ctty`.
    pub fn start(command: &mut Command, width: u16, height: u16) -> Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).context("there is no pseudo-terminal to be had")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = File::from(rustix::fs::open(&name, flags, Mode::empty())?);
        let master = File::from(master);
        tcsetwinsize(&master, size(width, height))?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let end = || slave.try_clone().map(Stdio::from);
        let program = Running::start(command.env("TERM", "xterm").stdin(end()?).stdout(end()?).stderr(end()?))?;
        let shared = Arc::new(Shared {
            screen: Mutex::new(Parser::new(height, width, 0)),
            octets: 0.into(),
            reading: true.into(),
            stop: false.into(),
        });
        let (from, of) = (master.try_clone()?, Arc::clone(&shared));
        let reader = Some(thread::spawn(move || of.read(from)));
        Ok(Self { program, master, slave, shared, reader })
    }

    /// Types keys.
    pub fn keys(&mut self, keys: &str) -> Result<()> {
        Ok(self.master.write_all(keys.as_bytes())?)
    }

    /// Gives the terminal another size.
    pub fn resize(&self, width: u16, height: u16) -> Result<()> {
        self.shared.screen.lock().expect("the reader lives").screen_mut().set_size(height, width);
        Ok(tcsetwinsize(&self.master, size(width, height))?)
    }

    /// The lines of the screen.
    pub fn lines(&self) -> Vec<String> {
        let parser = self.shared.screen.lock().expect("the reader lives");
        let (_, width) = parser.screen().size();
        parser.screen().rows(0, width).map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until the screen is as it should be; gives its lines.
    ///
    /// # Errors
    /// Where it does not come to that: with what it shows.
    pub fn wait_for(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        let came = wait_until(what, LONGEST, || {
            lines = self.lines();
            is_so(&lines)
        });
        came.map(|()| lines.clone()).with_context(|| format!("the screen shows:\n{}", lines.join("\n")))
    }

    /// Whether anything the program writes is read from now on.
    pub fn read(&self, reads: bool) {
        self.shared.reading.store(reads, Ordering::SeqCst);
    }

    /// How much was read so far.
    pub fn octets(&self) -> usize {
        self.shared.octets.load(Ordering::SeqCst)
    }

    /// The program's process id.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Waits for the program to end.
    pub fn end(&mut self) -> Result<ExitStatus> {
        let mut status = None;
        wait_until("the end of the program", LONGEST, || {
            status = self.program.try_wait().ok().flatten();
            status.is_some()
        })?;
        status.context("it has ended")
    }

    /// Waits until the terminal is a person's again: lines are edited, the cursor is there, and so is the screen of before.
    pub fn wait_for_the_person(&self) -> Result<()> {
        wait_until("the terminal as it was", LONGEST, || {
            let parser = self.shared.screen.lock().expect("the reader lives");
            let screen = parser.screen();
            !screen.alternate_screen() && !screen.hide_cursor() && self.edits_lines()
        })
    }

    /// Whether the terminal hands on whole lines, as at a prompt.
    pub fn edits_lines(&self) -> bool {
        tcgetattr(&self.slave).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO))
    }

    /// Whether anything on the screen has a colour.
    pub fn is_coloured(&self) -> bool {
        let parser = self.shared.screen.lock().expect("the reader lives");
        let (height, width) = parser.screen().size();
        let cells = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let mut cells = cells.filter_map(|(row, column)| parser.screen().cell(row, column));
        cells.any(|cell| cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default)
    }
}

impl Shared {
    fn read(&self, mut master: File) {
        let mut octets = [0; 4096];
        while !self.stop.load(Ordering::SeqCst) {
            let length = if self.reading.load(Ordering::SeqCst) { master.read(&mut octets).unwrap_or(0) } else { 0 };
            if length == 0 {
                // sleep: there is nothing to read, or nobody is to read it.
                thread::sleep(PAUSE);
                continue;
            }
            self.octets.fetch_add(length, Ordering::SeqCst);
            self.screen.lock().expect("its owner lives").process(&octets[..length]);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            // Whatever it met, the test has seen.
            let _ = reader.join();
        }
    }
}

const fn size(width: u16, height: u16) -> Winsize {
    Winsize { ws_col: width, ws_row: height, ws_xpixel: 0, ws_ypixel: 0 }
}
