//! Ring 2, the loaded program: frames in, by `BPF_PROG_TEST_RUN`; actions, octets and counters out. Needs root.

mod agree;
mod bench;
mod bits;
mod blocks;
mod counters;
mod epochs;
mod events;
mod frames;
mod handover;
mod hashes;
mod kernel;
mod known;
mod layers;
mod load;
mod low;
mod packet;
#[path = "../law/random.rs"]
mod random;
mod site;
mod slices;
mod steer;
mod swap;
mod too_long;
mod triples;
mod tunnel;
mod ways;
