//! A namespace, an address and arguments in; `ssa-ctl dns serve` there, and what it says, out.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{ChildStderr, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use ssa_tests::net::{Namespace, Running};

use super::expected::ZONE;

/// A server of ours. It ends with its handle.
pub struct Serving {
    process: Running,
    said: Lines<BufReader<ChildStderr>>,
    /// What it said first.
    pub begin: String,
}

impl Serving {
    /// One that is authoritative for the zone.
    pub fn zone(namespace: &Namespace, pins: &Path, listen: &str, arguments: &[&str]) -> Self {
        Self::start(namespace, pins, listen, &[&["--zone", ZONE], arguments].concat())
    }

    /// One that rewrites what this server says.
    pub fn rewriting(namespace: &Namespace, listen: &str, server: &str, arguments: &[&str]) -> Self {
        Self::start(namespace, Path::new("unused"), listen, &[&["--rewrite", "--server", server], arguments].concat())
    }

    /// Starts one, and waits until it listens.
    fn start(namespace: &Namespace, pins: &Path, listen: &str, arguments: &[&str]) -> Self {
        let mut command = namespace.ssa_ctl(pins);
        command.args(["dns", "serve", "--listen", listen]).args(arguments);
        let mut process = Running::start(command.stdin(Stdio::null()).stderr(Stdio::piped())).unwrap();
        let said = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut serving = Self { process, said, begin: String::new() };
        serving.begin = serving.line();
        assert!(serving.begin.contains(&format!(" at {listen}")), "{}", serving.begin);
        serving
    }

    /// The next line that it says.
    pub fn line(&mut self) -> String {
        self.said.next().expect("it has ended").unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Ends it in order.
    pub fn end(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}
