//! The client's side as a C library: what C passes in; the same that Rust programs have of `ssa-client`, out.
//!
//! `include/ssa_client.h` says what each function does. A test holds the two against each other.

mod border;
mod connect;
mod failure;
#[cfg(test)]
mod header;
#[cfg(feature = "resolve")]
mod resolve;
mod selector;
mod service;
