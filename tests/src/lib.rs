//! What the rings of tests share: cases as data. A ring's runner brings them into force and compares.

pub mod bench;
mod binary;
pub mod c;
pub mod demo;
pub mod exposition;
pub mod frames;
pub mod net;
pub mod run;
pub mod stop;
pub mod terminal;

pub use binary::{ssa_ctl, ssa_ctl_path, ssa_store_path, udp_echo_path};
