//! Objects with names, and blocks with numbers, in; each on the endpoints that its address leads to, out.
//!
//! An object's address follows from its id by the service's rule, so that a client calls an endpoint that holds it, and
//! nobody keeps a list of what is where. An endpoint takes an object only at an address of that object: what it holds is
//! what its slices are for. Slices are copied from one endpoint to another before they move.

#![forbid(unsafe_code)]

mod client;
mod disk;
mod http;
mod mover;
mod places;
mod server;
mod wanted;

pub use self::{
    client::{Client, Found, StoreError},
    disk::{Disk, DiskError, Written},
    mover::{copy, counts, forget, held, reopen},
    places::{PlaceError, Places},
    server::{Counts, Server},
    wanted::{BLOCK, Wanted},
};

/// The octets of an object, at most.
pub const LARGEST: usize = 16 << 20;
