//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

mod context;
mod cores;
pub mod figure;
mod filter;
mod napi;
mod peer;
mod tiny;
pub mod wire;

pub use self::context::{Context, Phase};
