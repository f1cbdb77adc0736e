//! A kind of name server and a zone's text in; the server, running in a namespace of its own, out.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use ssa_tests::net::{Namespace, wait_until};
use tempfile::TempDir;

use super::expected::{ZONE, ask};

/// Whoever takes longer to begin does not.
const LONGEST: Duration = Duration::from_secs(30);

/// A name server of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bind,
    Nsd,
    Knot,
    PowerDns,
}

/// One that runs, at `[::1]:53` of its namespace.
pub struct NameServer {
    process: Child,
    pub namespace: Namespace,
    pub folder: TempDir,
}

impl Kind {
    /// The files that it needs, and its program with arguments. `DIR` stands for its folder.
    fn setup(self, signed: bool) -> (Vec<(&'static str, String)>, Vec<&'static str>) {
        match self {
            Self::Bind => {
                let config = r#"options { directory "DIR"; listen-on { none; }; listen-on-v6 { ::1; }; recursion no;
                    pid-file "DIR/pid"; session-keyfile "DIR/session.key"; dnssec-validation no; notify no; };
                    controls { };
                    zone "example.com" { type primary; file "DIR/zone"; allow-update { ::1; }; };"#;
                (vec![("conf", config.into())], vec!["named", "-g", "-n", "1", "-c", "DIR/conf"])
            }
            Self::Nsd => {
                let config = "server:\n  ip-address: ::1\n  username: \"\"\n  zonesdir: \"DIR\"\n  pidfile: \"DIR/pid\"\n  \
                    xfrdfile: \"DIR/xfrd\"\n  zonelistfile: \"DIR/list\"\n  database: \"\"\n  xfrdir: \"DIR\"\n\
                    remote-control:\n  control-enable: no\nzone:\n  name: example.com\n  zonefile: zone\n";
                (vec![("conf", config.into())], vec!["nsd", "-d", "-c", "DIR/conf"])
            }
            Self::Knot => {
                let signing = if signed { "on" } else { "off" };
                let config = format!(
                    "server:\n    rundir: DIR\n    listen: ::1@53\ndatabase:\n    storage: DIR\nzone:\n  \
                     - domain: example.com\n    storage: DIR\n    file: zone\n    dnssec-signing: {signing}\n    \
                     zonefile-sync: -1\n    zonefile-load: difference-no-serial\n    journal-content: all\n"
                );
                (vec![("conf", config)], vec!["knotd", "-c", "DIR/conf"])
            }
            Self::PowerDns => {
                let config = "launch=bind\nbind-config=DIR/zones\nlocal-address=::1\nlocal-port=53\nsocket-dir=DIR\n\
                    daemon=no\nguardian=no\ndisable-syslog=yes\nwrite-pid=no\nsecurity-poll-suffix=\nconsistent-backends=no\n";
                let zones = r#"options { directory "DIR"; }; zone "example.com" { type master; file "DIR/zone"; };"#;
                let files = vec![("pdns.conf", config.into()), ("zones", zones.into())];
                (files, vec!["pdns_server", "--config-dir=DIR"])
            }
        }
    }
}

impl NameServer {
    /// Starts one with this zone, and waits until it answers.
    pub fn start(kind: Kind, zone: &str) -> Self {
        Self::of(kind, zone, false)
    }

    /// Knot, which signs the zone.
    pub fn signed(zone: &str) -> Self {
        Self::of(Kind::Knot, zone, true)
    }

    fn of(kind: Kind, zone: &str, signed: bool) -> Self {
        let (namespace, folder) = (Namespace::new("dns").unwrap(), TempDir::new().unwrap());
        let path = folder.path().to_str().unwrap();
        let (files, words) = kind.setup(signed);
        fs::write(folder.path().join("zone"), zone).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text.replace("DIR", path)).unwrap();
        }
        let words: Vec<_> = words.iter().map(|word| word.replace("DIR", path)).collect();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = namespace.command(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        // What it starts ends with it.
        let process = command.process_group(0).spawn().unwrap();
        let server = Self { process, namespace, folder };
        let answers = wait_until("an answer", LONGEST, || server.answers());
        answers.unwrap_or_else(|error| panic!("{kind:?}: {error:#}\n{}", server.log()));
        server
    }

    fn answers(&self) -> bool {
        let output = ask(&self.namespace, "dig", ZONE, "SOA").args(["+short", "+retry=0", "+time=1"]).output().unwrap();
        output.status.success() && output.stdout.starts_with(b"ns.example.com.")
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command beside it.
    pub fn command(&self, program: &str) -> Command {
        self.namespace.command(program)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}
