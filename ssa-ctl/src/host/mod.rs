//! The endpoint host: services in; routes by which this host takes all their addresses, and calls handed to sockets, out.

mod bring;
pub mod hand;
pub mod plan;
pub mod shown;

pub use self::bring::{Brought, Wanted, off, on, routes_of_ours, routes_off};
