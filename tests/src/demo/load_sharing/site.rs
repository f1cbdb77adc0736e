//! Nothing in; clients, a filter and four endpoint hosts on one LAN, each in a namespace of its own, out.

use std::{
    fs,
    net::Ipv6Addr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::server::Server;
use crate::{
    demo::{
        control::{Control, SERVICE},
        lan::{Lan, set},
        owners::SLICE_BITS,
        site::{PREFIX, UPLINK},
    },
    net::{Namespace, PinRoot, route, scratch},
    stop::Stop,
};

/// The endpoints. The last one joins while the others work.
pub(super) const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// The network that clients call from: each connection from another of its addresses.
pub(super) const CLIENTS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xc, 0, 0, 0, 0, 0);
/// The clients' router on the LAN.
const ROUTER: Ipv6Addr = lan(0x1);
const FILTER: Ipv6Addr = lan(0xf);

/// An address on the LAN.
const fn lan(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0xe, 0, 0, 0, 0, host)
}

/// The address of an endpoint, by its place among the names.
pub(super) fn endpoint_address(place: usize) -> Ipv6Addr {
    let hosts: [u16; NAMES.len()] = [0xa, 0xb, 0xc, 0xd];
    lan(hosts[place])
}

/// A host that slices belong to.
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    pub(super) control: Control,
    pub(super) server: Server,
}

/// All that was built. The order is that of taking it down: first the filters, last the namespaces.
pub(super) struct Site {
    pub(super) filter: Control,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) clients: Namespace,
    pub(super) folder: TempDir,
    _lan: Lan,
}

impl Site {
    pub(super) fn build(ssa_ctl: &Path, stop: &Stop) -> Result<Self> {
        let folder = scratch().context("no folder for the config")?;
        let mut lan = Lan::new("switch")?;
        let mut attach = |name: &str, own| {
            stop.check()?;
            lan.host(name, name, own)
        };
        let prefix = format!("{PREFIX}/64");
        let network = format!("{CLIENTS}/64");

        let clients = attach("clients", ROUTER)?;
        // AnyIP takes the whole network; this lets clients call from it.
        route(&clients, &["local", &network, "dev", "lo"])?;
        set(&clients, "ip_nonlocal_bind")?;
        route(&clients, &[&prefix, "via", &FILTER.to_string()])?;
        // A segment that XDP sends on never meets the stack that would complete its checksum.
        clients.run("ethtool", ["-K", UPLINK, "tx", "off"])?;

        let filter = attach("filter", FILTER)?;
        set(&filter, "conf/all/forwarding")?;
        let control = |namespace| Control::new(PathBuf::from(ssa_ctl), namespace, PinRoot::new());
        let mut endpoints = Vec::new();
        for (place, name) in NAMES.into_iter().enumerate() {
            let namespace = attach(name, endpoint_address(place))?;
            // Answers go to the clients directly.
            route(&namespace, &[&network, "via", &ROUTER.to_string()])?;
            let server = Server::start(&namespace, name)?;
            endpoints.push(Endpoint { name, control: control(namespace), server });
        }
        Ok(Self { filter: control(filter), endpoints, clients, folder, _lan: lan })
    }

    /// The config of all hosts, with the endpoints that there are at first.
    pub(super) fn config(&self) -> Result<PathBuf> {
        let endpoint = |(place, name): (usize, &&str)| {
            format!("[[endpoint]]\nname = \"{name}\"\naddress = \"{}\"\n\n", endpoint_address(place))
        };
        let endpoints: String = NAMES.iter().enumerate().take(NAMES.len() - 1).map(endpoint).collect();
        let text = format!(
            "version = 1\n\n[host]\ninterfaces = [\"{UPLINK}\"]\n\n{endpoints}[[service]]\nname = \"{SERVICE}\"\n\
             prefixes = [\"{PREFIX}/64\"]\nrule = \"any:*\"\nslice_bits = {SLICE_BITS}\nsteer = \"l2\"\n\
             allow = [\"tcp/443\", \"icmpv6\"]\n"
        );
        let path = self.folder.path().join("web.toml");
        fs::write(&path, text).context("the config cannot be written")?;
        Ok(path)
    }
}
