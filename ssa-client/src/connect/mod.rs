//! A selector and a wish in; connections out, each with an address computed for it (DESIGN §7).
//!
//! The source is chosen by the kernel and bound first, since the destination follows from it. Every connection computes
//! anew; a connection that is not there at the end of its epoch begins again, and datagrams move to the next address.

mod compute;
mod error;
#[cfg(feature = "issue")]
mod issued;
mod port;
mod tcp;
mod udp;

pub use self::{
    compute::{Way, Wish, ways},
    error::ConnectError,
    tcp::{PACE, tcp},
    udp::Datagrams,
};
