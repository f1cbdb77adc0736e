//! `ssa-ctl metrics --listen` or `ssa-ctl issue --listen` on a host in; what it says on standard error, what it answers, and how it ends, out.

use std::{
    io::{BufRead as _, BufReader, Lines, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{ChildStderr, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use ssa_tests::{
    exposition::Exposition,
    net::{Namespace, Running},
};

use crate::site::Site;

/// Whoever waits longer for an answer hangs.
const LONGEST: Duration = Duration::from_mins(1);

/// A listener that runs.
pub struct Listener {
    process: Running,
    err: Lines<BufReader<ChildStderr>>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it said before it said that.
    pub warnings: Vec<String>,
}

/// What came back of a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Listener {
    /// Starts one, and waits until it listens.
    pub fn start(site: &Site, address: &str) -> Self {
        Self::of(site.host.ssa_ctl(&site.pins).args(["metrics", "--listen", address]))
    }

    /// Likewise, by a command that is put together already.
    pub fn of(command: &mut Command) -> Self {
        let mut process = Running::start(command.stdin(Stdio::null()).stderr(Stdio::piped())).unwrap();
        let mut err = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut warnings = vec![];
        loop {
            let line = err.next().unwrap_or_else(|| panic!("it ended: {warnings:?}")).unwrap();
            if let Some((_, rest)) = line.strip_prefix("listening at ").and_then(|url| url.split_once("://")) {
                let address = rest.split('/').next().unwrap().parse().unwrap();
                return Self { process, err, address, warnings };
            }
            warnings.push(line);
        }
    }

    /// Sends it a signal, and waits for its end; how it ended, and what else it said.
    pub fn stop(mut self, signal: Signal) -> (ExitStatus, Vec<String>) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
        let status = self.process.wait().unwrap();
        (status, self.err.map(Result::unwrap).collect())
    }

    /// What it says next.
    pub fn says(&mut self) -> String {
        self.err.next().expect("it goes on").unwrap()
    }

    /// A connection to it.
    pub fn connect(&self, host: &Namespace) -> TcpStream {
        let stream = host.enter(|| TcpStream::connect(self.address)).unwrap().unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream
    }

    /// Sends a request as it stands, and reads all that comes.
    pub fn ask(&self, host: &Namespace, request: &str) -> Answer {
        answer(self.connect(host), request)
    }

    /// A scrape as Prometheus does it.
    pub fn scrape(&self, host: &Namespace) -> Answer {
        self.ask(host, &request("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n"))
    }

    /// A scrape that must be answered; its metrics.
    pub fn metrics(&self, host: &Namespace) -> Exposition {
        let answer = self.scrape(host);
        assert_eq!(answer.status, 200, "{answer:?}");
        Exposition::read(&answer.body, true).unwrap()
    }
}

/// Sends a request as it stands, and reads all that comes.
pub fn answer(mut stream: TcpStream, request: &str) -> Answer {
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {said:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// A request, with more lines in its header.
pub fn request(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n")
}
