//! The controller as a library: a command line in; plans, changes and reports out.

pub mod assign;
pub mod change;
pub mod cli;
pub mod client;
pub mod command;
pub mod config;
pub mod context;
pub mod detect;
pub mod dns;
pub mod failure;
pub mod file;
pub mod host;
pub mod kernel;
pub mod metrics;
pub mod observe;
pub mod output;
pub mod plan;
pub mod sources;
