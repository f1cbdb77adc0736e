//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

mod context;
pub mod figure;

pub use self::context::{Context, Phase};
