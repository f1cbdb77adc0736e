//! Ring 4, the commands: arguments and files in; output, files and exit codes out. `bench`, `block_files`, `blocks`, `deploy`,
//! `detect`, `down`, `live`, `metrics`, `permission` and `slices` load the program and need root; the others need nothing.

mod address;
mod address_lists;
mod bench;
mod block_files;
mod blocks;
mod config;
mod config_cases;
mod connect;
mod deploy;
mod detect;
mod docs;
mod down;
mod endpoint_cases;
mod explain;
mod keys;
mod live;
mod metrics;
mod people;
mod permission;
mod place;
mod readme;
mod round_trip;
mod simulate;
mod slices;

// A site is the same in every ring.
#[allow(dead_code, reason = "this ring needs less of it")]
#[path = "../net/site.rs"]
mod site;
#[allow(dead_code, reason = "this ring needs less of it")]
#[path = "../net/traffic.rs"]
mod traffic;
