//! The command line in; what the command did, and its exit code, out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ssa_ctl::cli::main(std::env::args_os())
}
