//! Ring 2, the loaded program: frames in, by `BPF_PROG_TEST_RUN`; actions, octets and counters out. Needs root.

mod bench;
mod bits;
mod counters;
mod epochs;
mod frames;
mod hashes;
mod kernel;
mod load;
mod packet;
#[path = "../law/random.rs"]
mod random;
mod swap;
mod triples;
