//! A number in; a data centre out: two filters and four proxies on one LAN, and a router's way to them.

use std::{
    fs,
    net::Ipv6Addr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use ssa_common::verdict::{Reason, Treatment};
use ssa_ctl::{
    kernel::{instance::Instance, pins::Pins},
    observe::counters::{Counts, ServiceCounts},
};

use super::RULE;
use crate::{
    demo::{
        control::{Control, SERVICE},
        lan::{Lan, set},
        owners::{Owners, SLICE_BITS},
        site::{PORT, UPLINK},
    },
    net::{Namespace, PinRoot, route, serve},
    stop::Stop,
};

/// Data centres.
pub(super) const CENTRES: usize = 2;
/// Filters of each.
const FILTERS: [&str; 2] = ["f1", "f2"];
/// Proxies of each, by the number of the data centre.
const PROXIES: [[&str; 4]; CENTRES] = [["a1", "b1", "c1", "d1"], ["a2", "b2", "c2", "d2"]];

/// A host that runs the filter.
pub(super) struct Host {
    pub(super) name: &'static str,
    control: Control,
    /// What is in force there, to be read.
    instance: Option<Instance>,
}

/// A data centre. The order is that of taking it down.
pub(super) struct Centre {
    pub(super) filters: Vec<Host>,
    pub(super) proxies: Vec<Host>,
    pub(super) prefix: Ipv6Addr,
    /// The config of all its hosts.
    pub(super) config: PathBuf,
    _lan: Lan,
}

/// The prefix of a data centre, of /64.
pub(super) fn prefix(number: usize) -> Ipv6Addr {
    [Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe01, 0, 0, 0, 0), Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe02, 0, 0, 0, 0)]
        [number]
}

/// An address on the LAN of a data centre.
fn lan(number: usize, host: u16) -> Ipv6Addr {
    let base = [Ipv6Addr::new(0x2001, 0xdb8, 0xe1, 0, 0, 0, 0, 0), Ipv6Addr::new(0x2001, 0xdb8, 0xe2, 0, 0, 0, 0, 0)];
    Ipv6Addr::from_bits(base[number].to_bits() | u128::from(host))
}

/// The hosts' part of the addresses of filters and proxies.
const FILTER: u16 = 0xf1;
const PROXY: u16 = 0xa;
const ROUTER: u16 = 1;

impl Centre {
    /// Lays the wires. The router sends each frame for the prefix to one of the filters, chosen by its addresses.
    pub(super) fn build(ssa_ctl: &Path, router: &Namespace, number: usize, folder: &Path, stop: &Stop) -> Result<Self> {
        let mut wires = Lan::new(&format!("switch{number}"))?;
        wires.port("router", (router, &format!("dc{number}")), lan(number, ROUTER))?;
        let gateway = lan(number, ROUTER).to_string();
        let mut host = |name: &'static str, own| -> Result<Host> {
            stop.check()?;
            let namespace = wires.host(&format!("{number}-{name}"), name, own)?;
            route(&namespace, &["default", "via", &gateway])?;
            let control = Control::new(ssa_ctl.to_owned(), namespace, PinRoot::new());
            Ok(Host { name, control, instance: None })
        };
        let filters = (FILTER..).zip(FILTERS).map(|(at, name)| host(name, lan(number, at)));
        let filters = filters.collect::<Result<Vec<_>>>()?;
        let proxies = (PROXY..).zip(PROXIES[number]).map(|(at, name)| host(name, lan(number, at)));
        let proxies = proxies.collect::<Result<Vec<_>>>()?;

        let (to, [one, other]) = (format!("{}/64", prefix(number)), [0, 1].map(|more| lan(number, FILTER + more)));
        route(router, &[&to, "nexthop", "via", &one.to_string(), "nexthop", "via", &other.to_string()])?;
        let config = folder.join(format!("dc{number}.toml"));
        fs::write(&config, text(number)).context("the config cannot be written")?;
        Ok(Self { filters, proxies, prefix: prefix(number), config, _lan: wires })
    }

    /// Brings the same config into force on all its hosts; proxies take their addresses.
    pub(super) fn start(&mut self, stop: &Stop) -> Result<()> {
        for host in &self.proxies {
            stop.check()?;
            serve(host.control.host(), PORT, host.name)?;
            host.control.apply(&self.config)?;
            host.control.say(&["endpoint", "host", "on"])?;
        }
        for host in &self.filters {
            stop.check()?;
            set(host.control.host(), "conf/all/forwarding")?;
            host.control.apply(&self.config)?;
        }
        for host in self.proxies.iter_mut().chain(&mut self.filters) {
            host.open()?;
        }
        Ok(())
    }

    /// Who has which slice.
    pub(super) fn owners(&self) -> Result<Owners> {
        Owners::read(&self.filters[0].control)
    }

    /// Asks `ssa-ctl`, as an operator of this data centre does.
    pub(super) fn control(&self) -> &Control {
        &self.filters[0].control
    }

    /// Frames that the filters have received, have sent on, and have dropped as the rule says.
    pub(super) fn filtered(&self) -> Result<[u64; 3]> {
        let mut sum = [0; 3];
        for host in &self.filters {
            let counts = host.counted()?;
            let forward = counts.treatment(Treatment::Forward).packets;
            let found = [counts.received.packets, forward, counts.reason(Reason::FieldMismatch).packets];
            sum.iter_mut().zip(found).for_each(|(sum, count)| *sum += count);
        }
        Ok(sum)
    }

    /// Frames that each proxy has received.
    pub(super) fn arrived(&self) -> Result<Vec<u64>> {
        self.proxies.iter().map(Host::received).collect()
    }

    /// Frames of each slice that the filters have sent on.
    pub(super) fn by_slice(&self) -> Result<Vec<u64>> {
        let mut sum = vec![0; 1 << SLICE_BITS];
        for host in &self.filters {
            sum.iter_mut().zip(host.by_slice()?).for_each(|(sum, frames)| *sum += frames);
        }
        Ok(sum)
    }

    /// Takes the filter away from all hosts; those that something is left of.
    pub(super) fn take_down(&mut self) -> Result<Vec<&'static str>> {
        let mut left = Vec::new();
        for host in self.filters.iter_mut().chain(&mut self.proxies) {
            host.instance = None;
            if !host.control.down()? {
                left.push(host.name);
            }
        }
        Ok(left)
    }
}

impl Host {
    fn open(&mut self) -> Result<()> {
        let pins = Pins::new(self.control.pins());
        let opened = self.control.host().enter(|| Instance::open(&pins, true))?;
        self.instance = Some(opened.map_err(|failure| failure.error).context("the counters cannot be opened")?);
        Ok(())
    }

    fn instance(&self) -> Result<&Instance> {
        self.instance.as_ref().with_context(|| format!("nothing is in force on {}", self.name))
    }

    fn counted(&self) -> Result<ServiceCounts> {
        let services = Counts::read(self.instance()?)?.services;
        let found = services.into_iter().find(|(name, _)| name == SERVICE);
        Ok(found.with_context(|| format!("{} does not know the service", self.name))?.1)
    }

    /// Frames for the service.
    pub(super) fn received(&self) -> Result<u64> {
        Ok(self.counted()?.received.packets)
    }

    fn by_slice(&self) -> Result<Vec<u64>> {
        let instance = self.instance()?;
        let running = instance.running()?;
        let place = running.tables.slices.places.get(SERVICE).context("the service has no slices")?;
        instance.slice_frames(*place).context("slices are not counted")
    }
}

/// The config of all hosts of a data centre.
fn text(number: usize) -> String {
    let endpoint = |(at, name)| format!("[[endpoint]]\nname = \"{name}\"\naddress = \"{}\"\n\n", lan(number, at));
    let endpoints: String = (PROXY..).zip(PROXIES[number]).map(endpoint).collect();
    format!(
        "version = 1\n\n[host]\ninterfaces = [\"{UPLINK}\"]\n\n{endpoints}[[service]]\nname = \"{SERVICE}\"\n\
         prefixes = [\"{}/64\"]\nrule = \"{RULE}\"\nslice_bits = {SLICE_BITS}\nslice_counters = true\nsteer = \"l2\"\n\
         allow = [\"tcp/{PORT}\", \"udp/{PORT}\", \"icmpv6\"]\n",
        prefix(number)
    )
}
