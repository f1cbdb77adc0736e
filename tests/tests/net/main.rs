//! Ring 3, namespaces: hosts, links and real traffic in; what arrives, and what a host is left with, out. Needs root.

mod attach;
mod foreign;
mod meddling;
mod mtu;
mod neighbours;
mod renamed;
mod site;
mod stream;
mod traffic;
mod vlan;
