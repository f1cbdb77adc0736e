//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

mod against;
mod chart;
mod context;
mod control;
pub mod figure;
mod machine;
mod memory;
mod micro;
mod report;
mod section;
mod site;
mod table;

pub use self::{
    against::{Change, compare},
    chart::chart,
    context::{Context, Phase},
    machine::Machine,
    report::Report,
    section::Section,
    table::{number, summary, table},
};
