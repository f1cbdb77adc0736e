//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

mod context;
pub mod control;
pub mod figure;
pub mod memory;
mod site;

pub use self::context::{Context, Phase};
