//! The kernel's side as the controller sees it: pins, maps, programs, links, clock. All state lives there.

pub mod attach;
pub mod clock;
mod counters;
pub mod create;
pub mod document;
pub mod features;
pub mod instance;
pub mod limit;
pub mod lock;
pub mod lookup;
pub mod map;
pub mod marks;
pub mod neighbours;
pub mod netlink;
pub mod object;
pub mod permission;
pub mod pins;
pub mod queues;
pub mod routes;
pub mod sandbox;
pub mod slices;
pub mod sockets;
pub mod stopwatch;
mod sys;
pub mod version;
pub mod ways;
