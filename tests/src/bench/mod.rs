//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

mod assembly;
mod context;
mod cores;
pub mod figure;
mod filter;
pub mod goodput;
mod napi;
mod paired;
mod peer;
mod program;
pub mod wire;

pub use self::context::{Context, Phase};
