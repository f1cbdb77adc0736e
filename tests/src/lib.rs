//! What the rings of tests share.

mod binary;

pub use binary::{ssa_ctl, ssa_ctl_path};
