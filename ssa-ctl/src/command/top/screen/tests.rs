//! A pseudo-terminal in; what a screen writes to it, and its modes afterwards, out.

use std::{fs::File, io::Read as _, panic::AssertUnwindSafe};

use ratatui::style::Style;
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::LocalModes,
};

use super::*;

/// Both ends.
fn pseudo_terminal() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let slave = rustix::fs::open(&name, flags, Mode::empty()).unwrap();
    (master.into(), slave.into())
}

fn is_raw(terminal: &File) -> bool {
    !tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ICANON)
}

/// What the other end has got so far.
fn read(master: &mut File) -> Vec<u8> {
    let mut octets = vec![0; 65_536];
    let length = master.read(&mut octets).unwrap();
    octets.truncate(length);
    octets
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn ends_with(octets: &[u8], end: &[u8]) -> bool {
    octets.windows(end.len()).next_back() == Some(end)
}

#[test]
fn a_screen_gives_the_terminal_back() {
    let (mut master, slave) = pseudo_terminal();
    let again = slave.try_clone().unwrap();
    runtime().block_on(async {
        let mut screen = Screen::take(slave).unwrap();
        assert!(is_raw(&again));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, "first", Style::new());
        screen.show(buffer.clone()).unwrap();
        assert!(!screen.is_idle());
        screen.write().await.unwrap();
        let said = read(&mut master);
        assert!(said.starts_with(ENTER) && String::from_utf8_lossy(&said).contains("first"));
        // Nothing has changed, so nothing is written.
        screen.show(buffer).unwrap();
        assert!(screen.is_idle());
    });
    assert!(ends_with(&read(&mut master), LEAVE));
    assert!(!is_raw(&again));
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let (mut master, slave) = pseudo_terminal();
    let again = slave.try_clone().unwrap();
    runtime().block_on(async {
        let screen = Screen::take(slave).unwrap();
        let modes = Arc::clone(&screen.modes);
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            // The hook alone has run when this is dropped.
            let _check = Check(&modes);
            panic!("as it should");
        }));
        assert!(panicked.is_err());
        assert!(!is_raw(&again));
    });
    assert!(ends_with(&read(&mut master), LEAVE));
}

struct Check<'a>(&'a Modes);

impl Drop for Check<'_> {
    fn drop(&mut self) {
        assert!(self.0.restored.load(Ordering::SeqCst), "the hook has not restored it");
    }
}

#[test]
fn a_terminal_that_takes_nothing_holds_nobody() {
    let (mut master, slave) = pseudo_terminal();
    let again = slave.try_clone().unwrap();
    runtime().block_on(async {
        let mut screen = Screen::take(slave).unwrap();
        let letters = |letter: char| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 400, 400));
            for line in 0..400 {
                buffer.set_string(0, line, letter.to_string().repeat(400), Style::new());
            }
            buffer
        };
        screen.show(letters('a')).unwrap();
        let pending = screen.pending.len();
        let waited = tokio::time::timeout(Duration::from_millis(50), screen.write()).await;
        assert!(waited.is_err() && !screen.is_idle() && screen.written > 0);
        assert_eq!(screen.pending.len(), pending);
    });
    assert!(!is_raw(&again));
    drop(again);
    let mut said = Vec::new();
    // Nobody holds the other end, which the last read says with an error.
    let _ = master.read_to_end(&mut said);
    assert!(ends_with(&said, LEAVE), "{} octets", said.len());
}
