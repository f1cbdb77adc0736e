//! What few frames need, as global functions: arguments by value in, a number out.
//!
//! The verifier checks a global function once, by itself, whatever leads to it; inlined, the same code is checked again on
//! every path, and a million instructions are soon gone. It costs a call on paths that are rare or long. Each function
//! stands beside the words for it: how its arguments are put into numbers, and what the number means that comes back.

mod address;
mod layers;
mod onward;
mod rule;
mod suspect;

pub use self::{
    address::{find_later, is_above_share, source, ssa_blocked, ssa_blocked_among, ssa_blocked_by},
    layers::{connection, known, link, tunnel, upper},
    onward::{no_room, resolve, send, strip, too_big},
    rule::{part, ssa_mac, ssa_sha256},
    suspect::{event_if_due, suspect},
};
