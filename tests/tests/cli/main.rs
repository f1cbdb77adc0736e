//! Ring 4, the commands: arguments and files in; output, files and exit codes out. What needs no loaded program is here.

mod address;
mod config;
mod config_cases;
mod docs;
mod explain;
mod keys;
mod people;
mod readme;
mod round_trip;
