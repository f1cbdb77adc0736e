//! The kernel's counters and state in; what an operator reads of them out. Everything here opens maps for reading.

pub mod counters;
pub mod ends;
pub mod events;
pub mod rate;
pub mod reading;
pub mod refused;
pub mod samples;
pub mod slices;
pub mod state;
mod stratum;
