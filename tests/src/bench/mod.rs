//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

pub mod figure;
