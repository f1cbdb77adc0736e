//! A label in; a switch with a namespace of its own, whose ports go to others, out.

use anyhow::Result;

use super::{Namespace, veth};

/// The bridge's name.
const NAME: &str = "br0";

/// A bridge that hosts share.
#[derive(Debug)]
pub struct Bridge {
    /// Where it is.
    pub namespace: Namespace,
}

impl Bridge {
    /// One without ports. It sends multicast to all.
    pub fn new(label: &str) -> Result<Self> {
        let namespace = Namespace::new(label)?;
        namespace.ip(&["link", "add", NAME, "type", "bridge", "mcast_snooping", "0"])?;
        namespace.ip(&["link", "set", NAME, "up"])?;
        Ok(Self { namespace })
    }

    /// A wire from a port of this name to an interface of a host.
    pub fn port(&self, name: &str, host: (&Namespace, &str)) -> Result<()> {
        veth((&self.namespace, name), host)?;
        self.namespace.ip(&["link", "set", "dev", name, "master", NAME]).map(drop)
    }
}
