//! The bench: one run that measures what SPEED names, with peers beside it, and says how it stands to the goals.

mod against;
mod chart;
mod context;
mod control;
mod cores;
mod elf;
pub mod figure;
mod filter;
mod goodput;
mod instruction;
mod live;
mod machine;
mod memory;
mod micro;
mod napi;
mod output;
mod paired;
mod peer;
mod program;
mod redirect;
mod report;
mod section;
mod site;
pub mod spray;
mod table;
pub mod tally;
mod wire;
mod xdp_filter;

pub use self::{
    against::{Change, compare},
    chart::chart,
    context::{Context, Phase},
    machine::Machine,
    output::Output,
    program::Program,
    redirect::redirecting,
    report::Report,
    section::Section,
    table::{number, number_beside, summary, table},
};
