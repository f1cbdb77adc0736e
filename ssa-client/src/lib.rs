//! The client's side of Structured Service Addressing: resolve a name, compute the address to use, connect to it.
#![forbid(unsafe_code)]

pub mod apl;
#[cfg(feature = "connect")]
pub mod connect;
pub mod pow;
pub mod record;
#[cfg(feature = "resolve")]
pub mod resolve;
mod selector;
mod service;
pub mod source;

pub use self::{
    selector::{SelectError, Selector},
    service::Service,
};
