//! Nothing in; two data centres, strangers, a botnet and a name server around one router, each in a namespace of its own,
//! out.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::Ipv6Addr,
    path::{Path, PathBuf},
    process::{ChildStderr, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use super::{
    RULE,
    centre::{CENTRES, Centre, prefix},
};
use crate::{
    demo::{
        control::SERVICE,
        lan::set,
        site::{PORT, UPLINK},
    },
    net::{Namespace, Running, address, interface, route, scratch, veth},
    stop::Stop,
};

/// Clients that nobody knows, each in a network of its own.
pub(super) const STRANGERS: usize = 12;
/// Where the name server answers, and the zone that it is asked for.
pub(super) const NAME_SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x53);
const ZONE: &str = "example.com";
const TO_BOTNET: &str = "botnet";

/// A host outside.
pub(super) struct Outside {
    pub(super) namespace: Namespace,
    pub(super) address: Ipv6Addr,
}

/// All that was built. The order is that of taking it down: first the filters, last the namespaces.
pub(super) struct Site {
    pub(super) centres: Vec<Centre>,
    pub(super) strangers: Vec<Outside>,
    pub(super) botnet: Outside,
    router: Namespace,
    _names: Names,
    _folder: TempDir,
}

/// A name server, and what it might still say.
struct Names {
    _process: Running,
    _said: BufReader<ChildStderr>,
}

/// The name that strangers look up.
pub(super) fn name() -> String {
    format!("{SERVICE}.{ZONE}")
}

impl Site {
    pub(super) fn build(ssa_ctl: &Path, stop: &Stop) -> Result<Self> {
        let folder = scratch().context("no folder for the configs")?;
        let router = Namespace::new("router")?;
        set(&router, "conf/all/forwarding")?;
        // The rest of the world takes answers to spoofed sources, and says nothing.
        route(&router, &["blackhole", "default"])?;
        address(&router, "lo", &format!("{NAME_SERVER}/128"))?;
        let mut strangers = Vec::new();
        for number in (0..).take(STRANGERS) {
            stop.check()?;
            let own = Ipv6Addr::new(0x2001, 0xdb8, 0x1000 + number, 0, 0, 0, 0, 0x10);
            strangers.push(outside(&router, &format!("stranger{number}"), own)?);
        }
        let botnet = outside(&router, TO_BOTNET, Ipv6Addr::new(0x2001, 0xdb8, 0x2000, 0, 0, 0, 0, 0x10))?;
        let centres = (0..CENTRES).map(|number| Centre::build(ssa_ctl, &router, number, folder.path(), stop));
        let mut centres = centres.collect::<Result<Vec<_>>>()?;
        for centre in &mut centres {
            centre.start(stop)?;
        }
        let names = Names::start(ssa_ctl, &router, &folder)?;
        Ok(Self { centres, strangers, botnet, router, _names: names, _folder: folder })
    }

    /// The hardware address that the botnet sends to.
    pub(super) fn router_mac(&self) -> Result<[u8; 6]> {
        interface(&self.router, TO_BOTNET).map(|interface| interface.mac)
    }
}

impl Names {
    /// Publishes the service with the prefixes of all data centres.
    fn start(ssa_ctl: &Path, host: &Namespace, folder: &TempDir) -> Result<Self> {
        let prefixes: Vec<_> = (0..CENTRES).map(|number| format!("{}/64", prefix(number))).collect();
        let text = format!(
            "version = 1\n[host]\ninterfaces = [\"{UPLINK}\"]\n[[service]]\nname = \"{SERVICE}\"\n\
             prefixes = {prefixes:?}\nrule = \"{RULE}\"\n"
        );
        let config: PathBuf = folder.path().join("published.toml");
        fs::write(&config, text).context("the config cannot be written")?;
        let mut command = host.command(ssa_ctl);
        command.args(["dns", "serve", "--zone", ZONE, "--listen", &format!("[{NAME_SERVER}]:53")]);
        command.args(["--port", &PORT.to_string(), "--config"]).arg(&config).env_remove("SSA_LOG");
        let mut process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()))?;
        let mut said = BufReader::new(process.stderr.take().context("no standard error")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        ensure!(line.starts_with("serving "), "the name server does not serve: {line}");
        Ok(Self { _process: process, _said: said })
    }
}

/// A host with an uplink to the router, in a /64 of its own.
fn outside(router: &Namespace, label: &str, own: Ipv6Addr) -> Result<Outside> {
    let namespace = Namespace::new(label)?;
    let gateway = Ipv6Addr::from_bits(own.to_bits() & !0xffff | 1);
    veth((&namespace, UPLINK), (router, label))?;
    address(&namespace, UPLINK, &format!("{own}/64"))?;
    address(router, label, &format!("{gateway}/64"))?;
    route(&namespace, &["default", "via", &gateway.to_string()])?;
    // A segment that XDP sends on never meets the stack that would complete its checksum.
    namespace.run("ethtool", ["-K", UPLINK, "tx", "off"])?;
    Ok(Outside { namespace, address: own })
}
