//! Nothing in; a client, a filter and eight endpoints with stores on one LAN, each in a namespace of its own, out.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use ipnet::Ipv6Net;
use ssa_client::{Service, record::Record};
use tempfile::TempDir;

use super::server::Running;
use crate::{
    demo::{
        control::{Control, SERVICE},
        lan::{Lan, set},
        owners::SLICE_BITS,
        site::{PORT, PREFIX, UPLINK},
    },
    net::{Namespace, PinRoot, route, scratch},
    stop::Stop,
};

/// The endpoints.
pub(super) const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Where an object is: slice bits are those of the replica and of the object's id.
pub(super) const RULE: &str = "replica(2):1 object(117):11 any:*";
/// The slice bits that the object has.
pub(super) const OBJECT_BITS: u8 = SLICE_BITS - 1;
const CLIENT: Ipv6Addr = lan(0x1);
const FILTER: Ipv6Addr = lan(0xf0);

/// An address on the LAN.
pub(super) const fn lan(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0xe, 0, 0, 0, 0, host)
}

/// A host that slices belong to.
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    pub(super) control: Control,
    /// Where it is asked for whole slices.
    pub(super) own: SocketAddr,
    _store: Running,
}

/// All that was built. The order is that of taking it down: first the filters, last the namespaces.
pub(super) struct Site {
    pub(super) filter: Control,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) client: Namespace,
    pub(super) folder: TempDir,
    _lan: Lan,
}

impl Site {
    pub(super) fn build(ssa_ctl: &Path, stop: &Stop) -> Result<Self> {
        let folder = scratch().context("no folder for config and objects")?;
        let service = service()?;
        let mut switch = Lan::new("switch")?;
        let mut attach = |name: &str, own| {
            stop.check()?;
            switch.host(name, name, own)
        };
        let control = |namespace| Control::new(PathBuf::from(ssa_ctl), namespace, PinRoot::new());
        let client = attach("client", CLIENT)?;
        route(&client, &[&format!("{PREFIX}/64"), "via", &FILTER.to_string()])?;
        // A segment that XDP sends on never meets the stack that would complete its checksum.
        client.run("ethtool", ["-K", UPLINK, "tx", "off"])?;
        let filter = attach("filter", FILTER)?;
        set(&filter, "conf/all/forwarding")?;
        let mut endpoints = Vec::new();
        for (place, name) in NAMES.into_iter().enumerate() {
            let own = endpoint_address(place);
            let namespace = attach(name, own)?;
            let store = Running::start(&namespace, &folder.path().join(name), &service)?;
            endpoints.push(Endpoint { name, control: control(namespace), own: (own, PORT).into(), _store: store });
        }
        Ok(Self { filter: control(filter), endpoints, client, folder, _lan: switch })
    }

    /// The endpoint of this name.
    pub(super) fn endpoint(&self, name: &str) -> Result<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name).with_context(|| format!("no endpoint {name}"))
    }

    /// The config of all hosts.
    pub(super) fn config(&self) -> Result<PathBuf> {
        let mut text = format!("version = 1\n\n[host]\ninterfaces = [\"{UPLINK}\"]\n\n");
        for (place, name) in NAMES.iter().enumerate() {
            let own = endpoint_address(place);
            write!(text, "[[endpoint]]\nname = \"{name}\"\naddress = \"{own}\"\n\n")?;
        }
        write!(
            text,
            "[[service]]\nname = \"{SERVICE}\"\nprefixes = [\"{PREFIX}/64\"]\nrule = \"{RULE}\"\nslice_bits = \
             {SLICE_BITS}\nsteer = \"l2\"\nallow = [\"tcp/{PORT}\", \"icmpv6\"]\n"
        )?;
        let path = self.folder.path().join("content.toml");
        fs::write(&path, text).context("the config cannot be written")?;
        Ok(path)
    }
}

/// The service as clients know it, from DNS or elsewhere.
pub(super) fn service() -> Result<Service> {
    let rule = RULE.parse().context("the rule cannot be read")?;
    Ok(Service::new(SERVICE, &[Ipv6Net::new(PREFIX, 64)?], Record::new(rule)))
}

fn endpoint_address(place: usize) -> Ipv6Addr {
    lan(0x10 + u16::try_from(place).unwrap_or(0))
}
