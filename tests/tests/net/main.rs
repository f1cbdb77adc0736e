//! Ring 3, namespaces: hosts, links and real traffic in; what arrives, and what a host is left with, out. Needs root.

mod attach;
mod clock;
mod foreign;
mod handed;
mod host;
mod inside;
mod kill;
mod meddling;
mod modes;
mod mtu;
mod neighbours;
mod race;
mod renamed;
mod site;
mod stream;
mod together;
mod traffic;
mod vlan;
