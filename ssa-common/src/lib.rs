//! The law of Structured Service Addressing, once: frame octets and rows in, a verdict or an address out.
//!
//! Pure functions, `no_std`, no `unsafe`, no I/O. The XDP program, the client, `ssa-ctl explain` and the tests all call
//! what is written here. The BPF program builds it without features; `rule` adds rule text, compilation to rows and the
//! client's side, which need `alloc`.
#![no_std]
#![forbid(unsafe_code)]
#![allow(
    clippy::inline_always,
    reason = "the verifier pays for every call, and its programs are one function by design"
)]

#[cfg(feature = "rule")]
extern crate alloc;

pub mod anchor;
pub mod bits;
pub mod judge;
pub mod layout;
pub mod lookup;
pub mod parse;
#[cfg(feature = "rule")]
pub mod quote;
pub mod rows;
pub mod rule;
pub mod sha256;
pub mod siphash;
pub mod verdict;
