//! A time in; frames, and what the filter must make of each, out: the same table for the law and for the loaded program.
//!
//! The frames are for the services of [`services`]. A runner brings these into force, its clock at the time it gives to
//! [`cases`], sends each frame and compares reason, treatment and octets.

mod access;
mod bits;
mod case;
mod control;
mod error;
mod extension;
mod fragment;
mod link;
mod network;
pub(crate) mod packet;
mod priority;
mod service;
mod source;

pub use self::{
    case::Case,
    service::{CLIENT, KEYS, RING, Service, services},
};

use case::Cases;

/// Every case. `time` is in Unix seconds and should stand a minute or more from the edge of an hour, which is the period
/// of one of the services.
pub fn cases(time: u64) -> Vec<Case> {
    let mut cases = Cases::new(time);
    link::add(&mut cases);
    network::add(&mut cases);
    extension::add(&mut cases);
    access::add(&mut cases);
    fragment::add(&mut cases);
    control::add(&mut cases);
    error::add(&mut cases);
    source::add(&mut cases);
    bits::add(&mut cases);
    priority::add(&mut cases);
    cases.into_vec()
}
