//! Nothing in; a client and a host behind a filter, linked, and what `ssa-ctl` says there, out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use ssa_common::layout;
use ssa_ctl::kernel::object::MAPS;
use ssa_tests::net::{Namespace, PinRoot, address, output_of, route, veth};
use tempfile::TempDir;

/// The host's interface.
pub const INTERFACE: &str = "aa0";
/// The client's.
pub const PEER: &str = "bb0";
/// The client's address.
pub const CLIENT: &str = "2001:db8:c:1::2";
/// The host's address on the link.
pub const HOST: &str = "2001:db8:c:1::1";
/// The service's prefix.
pub const PREFIX: &str = "2001:db8:a:1::/64";
/// The rule that most cases use: the last 64 bits are the client's first.
pub const RULE: &str = "src(0):64";
/// What the client computes by it.
pub const GOOD: &str = "2001:db8:a:1:2001:db8:c:1";
/// One bit off.
pub const WRONG: &str = "2001:db8:a:1:2001:db8:c:0";

/// The maps that frames move.
const MOVED: [&str; 3] = [layout::COUNTERS, layout::EVENTS, layout::EVENT_GATES];

/// A client and a host, linked; pins and a folder for config files.
pub struct Site {
    pub host: Namespace,
    pub client: Namespace,
    pub pins: PinRoot,
    pub folder: TempDir,
}

/// How a run of `ssa-ctl` ended, and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// An XDP program on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    pub program: u64,
    pub native: bool,
}

impl Site {
    /// A site whose host takes every address of the service.
    pub fn new(label: &str) -> Self {
        let (host, client) = (Namespace::new(label).unwrap(), Namespace::new(&format!("{label}-c")).unwrap());
        let site = Self { host, client, pins: PinRoot::new(), folder: TempDir::new().unwrap() };
        site.link();
        route(&site.host, &["local", PREFIX, "dev", "lo"]).unwrap();
        site
    }

    /// Links client and host, at first or where the link is gone.
    pub fn link(&self) {
        veth((&self.host, INTERFACE), (&self.client, PEER)).unwrap();
        address(&self.host, INTERFACE, &format!("{HOST}/64")).unwrap();
        address(&self.client, PEER, &format!("{CLIENT}/64")).unwrap();
        route(&self.client, &[PREFIX, "via", HOST]).unwrap();
    }

    /// A file in the site's folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `ssa-ctl` on the host.
    pub fn ctl<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Said {
        Said::of(self.host.ssa_ctl(&self.pins).arg("--json").args(arguments))
    }

    /// `ssa-ctl apply` of this config.
    pub fn apply(&self, config: &str) -> Said {
        let path = self.file("config.toml", config);
        self.ctl(["apply", path.to_str().unwrap()])
    }

    /// `ssa-ctl status`.
    pub fn status(&self) -> Value {
        self.ctl(["status"]).done()
    }

    /// What `status` says of an interface.
    pub fn interface(&self, name: &str) -> Value {
        let status = self.status();
        let interfaces = status["interfaces"].as_array().unwrap();
        let found = interfaces.iter().find(|interface| interface["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {status}")).clone()
    }

    /// A count of the service, as `stats` has it: `["reasons", "conform"]`.
    pub fn packets(&self, path: &[&str]) -> u64 {
        let stats = self.ctl(["stats"]).done();
        let count = path.iter().fold(&stats["services"]["web"], |value, key| &value[key]);
        count["packets"].as_u64().unwrap_or_else(|| panic!("no {path:?} in {stats}"))
    }

    /// All maps but those that frames move: counters, by the link's own multicast too, and events.
    pub fn maps(&self) -> BTreeMap<String, Value> {
        let mut maps = BTreeMap::new();
        for entry in fs::read_dir(self.pins.path().join("maps")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !MOVED.contains(&name.as_str()) {
                maps.insert(name, bpftool(&["map", "dump", "pinned", path.to_str().unwrap()]));
            }
        }
        assert_eq!(maps.len(), MAPS.len() - MOVED.len());
        maps
    }
}

impl Said {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it printed; it must have done what it was asked to.
    pub fn done(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.json()
    }

    /// The error; it must have ended with this code.
    pub fn failed(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.json()["error"].clone()
    }

    /// The object it printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The message of the error; it must have ended with this code.
    pub fn message(&self, code: i32) -> String {
        self.failed(code)["message"].as_str().unwrap().to_owned()
    }
}

/// A config with one strict service.
pub fn config(interfaces: &[&str], mode: &str, rule: &str) -> String {
    format!(
        "version = 1\n[host]\ninterfaces = {interfaces:?}\nmode = \"{mode}\"\n\
         [[service]]\nname = \"web\"\nprefixes = [\"{PREFIX}\"]\nrule = \"{rule}\"\n"
    )
}

/// The usual one.
pub fn strict() -> String {
    config(&[INTERFACE], "native", RULE)
}

/// What `bpftool` says.
pub fn bpftool(arguments: &[&str]) -> Value {
    let said = output_of(Command::new("bpftool").arg("--json").args(arguments)).unwrap();
    if said.is_empty() { Value::Null } else { serde_json::from_str(&said).unwrap() }
}

/// The XDP program on an interface, as netlink has it.
pub fn attached(namespace: &Namespace, interface: &str) -> Option<Attached> {
    let said = namespace.ip(&["-json", "link", "show", "dev", interface]).unwrap();
    let links: Value = serde_json::from_str(&said).unwrap();
    let xdp = &links[0]["xdp"];
    // `XDP_ATTACHED_DRV` of `linux/if_link.h`.
    Some(Attached { program: xdp["prog"]["id"].as_u64()?, native: xdp["mode"] == 1 })
}

/// What lies below a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
