//! Ring 2, the loaded program: frames in, by `BPF_PROG_TEST_RUN`; actions, octets and counters out. Needs root.

mod frames;
mod kernel;
