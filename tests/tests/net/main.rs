//! Ring 3, namespaces: hosts, links and real traffic in; what arrives, and what a host is left with, out. Needs root.

mod attach;
mod clock;
mod fleet;
mod foreign;
mod handed;
mod handover;
mod host;
mod inside;
mod kill;
mod load_sharing;
mod meddling;
mod modes;
mod moves;
mod mtu;
mod neighbours;
mod race;
mod renamed;
mod servers;
mod site;
mod slices;
mod stay;
mod steer;
mod stream;
mod together;
mod traffic;
mod vlan;
