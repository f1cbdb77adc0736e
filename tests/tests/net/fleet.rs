//! Nothing in; a client, a filter and three endpoints behind it, each with its own `ssa-ctl`, out.
//!
//! Filter and endpoints share a bridge. What endpoints answer goes to the client directly, and not through the filter.

use std::{fmt::Write as _, fs, net::Ipv6Addr, path::PathBuf, time::SystemTime};

use serde_json::Value;
use ssa_ctl::{
    change::{self, Order},
    config::Bounds,
    context::Context,
};
use ssa_tests::{
    bench::{Program, redirecting},
    net::{Bridge, Namespace, PinRoot, address, interface, route, veth},
};
use tempfile::TempDir;

use crate::site::{CLIENT, HOST, PREFIX, Said};

/// The client's interface.
pub const CLIENT_END: &str = "cc0";
/// The filter's interface towards the client.
pub const FILTER_END: &str = "fc0";
/// The filter's interface towards the endpoints.
pub const FILTER_LAN: &str = "fe0";
/// The endpoints' interface towards the filter.
pub const ENDPOINT_LAN: &str = "up0";
/// The switch's port to the filter.
const FILTER_PORT: &str = "sw-filter";
/// Of `linux/bpf.h`.
const XDP_PASS: i32 = 2;
/// The names of the endpoints that own slices.
pub const NAMES: [&str; 3] = ["a", "b", "c"];
/// Slice bits, where nothing else is said.
pub const BITS: u8 = 4;

/// A host that runs the filter: with a name among the endpoints, and an address.
pub struct Host {
    pub name: &'static str,
    pub namespace: Namespace,
    pub pins: PinRoot,
    interface: &'static str,
    folder: PathBuf,
}

/// All of them.
pub struct Fleet {
    pub client: Namespace,
    pub filter: Host,
    pub endpoints: [Host; 3],
    switch: Bridge,
    /// What frames of the filter meet at the switch.
    at_switch: Program,
    _programs: Program,
    _folder: TempDir,
}

/// An address of the LAN of filter and endpoints.
pub fn lan(name: &str) -> String {
    format!("2001:db8:e::{}", if name == "filter" { "f" } else { name })
}

/// The switch's port to a host.
fn port(name: &str) -> String {
    format!("sw-{name}")
}

/// An address of the service, in a slice of [`BITS`] bits.
pub fn called(slice: u32, last: u16) -> Ipv6Addr {
    let network: Ipv6Addr = PREFIX.split('/').next().unwrap().parse().unwrap();
    Ipv6Addr::from_bits(network.to_bits() | u128::from(slice) << (64 - u32::from(BITS)) | u128::from(last))
}

/// The service, steered so; `more` is more of its keys.
pub fn service(steer: &str, more: &str) -> String {
    format!(
        "[[service]]\nname = \"web\"\nprefixes = [\"{PREFIX}\"]\nrule = \"any:*\"\nslice_bits = {BITS}\n\
         endpoints = {NAMES:?}\nsteer = \"{steer}\"\nslice_counters = true\n{more}\n"
    )
}

impl Fleet {
    /// Lays the wires.
    pub fn new(label: &str) -> Self {
        let named = |part: &str| Namespace::new(&format!("{label}-{part}")).unwrap();
        let folder = TempDir::new().unwrap();
        let host = |name, interface| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            Host { name, namespace: named(name), pins: PinRoot::new(), interface, folder: path }
        };
        let switch = Bridge::new(&format!("{label}-switch")).unwrap();
        let (client, filter) = (named("client"), host("filter", FILTER_END));
        let endpoints = NAMES.map(|name| host(name, ENDPOINT_LAN));

        veth((&filter.namespace, FILTER_END), (&client, CLIENT_END)).unwrap();
        address(&filter.namespace, FILTER_END, &format!("{HOST}/64")).unwrap();
        address(&client, CLIENT_END, &format!("{CLIENT}/64")).unwrap();
        route(&client, &[PREFIX, "via", HOST]).unwrap();
        // What is sent on without the kernel's stack must have whole checksums.
        client.run("ethtool", ["-K", CLIENT_END, "tx", "off"]).unwrap();

        let lans = std::iter::once((&filter, FILTER_LAN)).chain(endpoints.iter().map(|host| (host, ENDPOINT_LAN)));
        for (host, name) in lans {
            switch.port(&port(host.name), (&host.namespace, name)).unwrap();
            address(&host.namespace, name, &format!("{}/64", lan(host.name))).unwrap();
        }
        for (number, host) in endpoints.iter().enumerate() {
            let (end, net) = (format!("ce{number}"), format!("2001:db8:d:{number}"));
            veth((&host.namespace, "dn0"), (&client, &end)).unwrap();
            address(&host.namespace, "dn0", &format!("{net}::2/64")).unwrap();
            address(&client, &end, &format!("{net}::1/64")).unwrap();
            route(&host.namespace, &["default", "via", &format!("{net}::1")]).unwrap();
        }
        // A veth takes what XDP on its other end sends back only where it has a program itself.
        let [mut at_switch, mut programs] = [(); 2].map(|()| Program::answering(XDP_PASS).unwrap());
        at_switch.attach(&switch.namespace, FILTER_PORT).unwrap();
        programs.attach(&client, CLIENT_END).unwrap();
        for name in NAMES {
            programs.attach(&switch.namespace, &port(name)).unwrap();
        }
        Self { client, filter, endpoints, switch, at_switch, _programs: programs, _folder: folder }
    }

    /// Lets the switch send what the filter sends to endpoints straight there, without its bridge, which takes most of the
    /// time of a frame.
    pub fn straighten(&mut self) {
        let behind = |host: &Host| interface(&host.namespace, ENDPOINT_LAN).unwrap();
        let out = |host: &Host| interface(&self.switch.namespace, &port(host.name)).unwrap().index;
        let ports = self.endpoints.each_ref().map(|host| (out(host), behind(host)));
        self.at_switch = redirecting(&ports).unwrap();
        self.at_switch.attach(&self.switch.namespace, FILTER_PORT).unwrap();
    }

    /// The filter and the endpoints.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        std::iter::once(&self.filter).chain(&self.endpoints)
    }

    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> &Host {
        self.endpoints.iter().find(|host| host.name == name).unwrap()
    }

    /// The config of all hosts in force on all of them, with these services; endpoints take their addresses.
    pub fn apply(&self, services: &str) {
        for host in self.hosts() {
            host.apply(&config(host.interface, services)).done();
        }
        for host in &self.endpoints {
            host.ctl(["endpoint", "host", "on"]).done();
        }
    }

    /// Whether the filter's kernel forwards.
    pub fn set_forwarding(&self, on: bool) {
        let setting = format!("net.ipv6.conf.all.forwarding={}", u8::from(on));
        self.filter.namespace.run("sysctl", ["-qw", &setting]).unwrap();
    }

    /// The longest packets that the LAN takes.
    pub fn set_lan_mtu(&self, octets: u16) {
        let octets = octets.to_string();
        let set = |namespace: &Namespace, name: &str| {
            namespace.ip(&["link", "set", "dev", name, "mtu", &octets]).unwrap();
        };
        set(&self.filter.namespace, FILTER_LAN);
        for host in self.hosts() {
            set(&self.switch.namespace, &port(host.name));
        }
        self.endpoints.iter().for_each(|host| set(&host.namespace, ENDPOINT_LAN));
    }

    /// Routes for the slices, as the filter sees their owners.
    pub fn route_slices(&self) {
        for (slice, owner) in (0..).zip(&self.owners()) {
            self.route_slice(slice, owner);
        }
    }

    /// The filter's route for a slice.
    pub fn route_slice(&self, slice: u32, owner: &str) {
        let prefix = format!("{}/{}", called(slice, 0), 64 + BITS);
        self.filter.namespace.ip(&["-6", "route", "replace", &prefix, "via", &lan(owner)]).unwrap();
    }

    /// The owner of each slice, as the filter sees it.
    pub fn owners(&self) -> Vec<String> {
        self.filter.owners()
    }
}

/// A config with all hosts as endpoints, which finds out by the addresses which of them it is on.
pub fn config(interface: &str, services: &str) -> String {
    let mut text = format!("version = 1\n[host]\ninterfaces = [\"{interface}\"]\n");
    for name in ["filter"].iter().chain(&NAMES) {
        writeln!(text, "[[endpoint]]\nname = \"{name}\"\naddress = \"{}\"", lan(name)).unwrap();
    }
    text + services
}

impl Host {
    /// `ssa-ctl --json` there.
    pub fn ctl<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Said {
        Said::of(self.namespace.ssa_ctl(&self.pins).arg("--json").args(arguments))
    }

    /// A file there: its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// `ssa-ctl apply` of this config.
    pub fn apply(&self, config: &str) -> Said {
        self.ctl(["apply", &self.file("config.toml", config)])
    }

    /// `ssa-ctl slice move` there, of slices of `web`, in this process: many of them take their time otherwise.
    pub fn move_slices(&self, (first, last): (u32, u32), endpoint: &str) {
        let work = || {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let pin_root = self.pins.path().to_owned();
            let mut context =
                Context { out: &mut out, err: &mut err, json: true, terminal: false, pin_root, now: SystemTime::now() };
            let order = Order { service: "web", slices: &[Bounds { first, last }], endpoint, handover: None };
            change::move_slices(&mut context, &order, false).map(drop)
        };
        self.namespace.enter(work).unwrap().unwrap_or_else(|failure| panic!("{}: {failure:?}", self.name));
    }

    /// The owner of each slice of the service `web`.
    pub fn owners(&self) -> Vec<String> {
        let said = self.ctl(["slices", "web", "--each"]).done();
        let runs = said["services"]["web"]["runs"].as_array().unwrap();
        runs.iter().map(|run| run["endpoint"].as_str().unwrap().to_owned()).collect()
    }

    /// What the service `web` has counted.
    pub fn counted(&self) -> Value {
        self.ctl(["stats"]).done()["services"]["web"].clone()
    }

    /// Packets of one count of that: `["reasons", "conform"]`.
    pub fn packets(&self, path: &[&str]) -> u64 {
        let counted = self.counted();
        let count = path.iter().fold(&counted, |value, key| &value[key]);
        count["packets"].as_u64().unwrap_or_else(|| panic!("no {path:?} in {counted}"))
    }

    /// Frames of each slice, as this host counts them.
    pub fn frames(&self) -> Vec<u64> {
        let said = self.ctl(["slices", "web", "--each"]).done();
        let runs = said["services"]["web"]["runs"].as_array().unwrap();
        runs.iter().map(|run| run["frames"].as_u64().unwrap()).collect()
    }

    /// The hardware address of an interface.
    pub fn mac(&self, name: &str) -> [u8; 6] {
        interface(&self.namespace, name).unwrap().mac
    }
}
