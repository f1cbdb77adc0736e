//! Arguments in; the command they name run, and its exit code out.

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
    time::SystemTime,
};

use clap::{Parser, Subcommand, error::ErrorKind};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    command::{
        address, apply, bench, block, check, client, connect, detect, dns, doctor, down, endpoint, endpoints, enforce,
        events, explain, export, issue, key, metrics, proxy, schema, services, simulate, slice, slices, stats, status,
        top,
    },
    context::Context,
    failure::{Code, Failure, Outcome},
    kernel::limit,
    output::{self, Output},
};

/// Controls an IPv6 filter that checks destination addresses against a rule, in XDP
///
/// A config describes services: IPv6 prefixes, and the rule that the rest of an address must follow. `check` reads it,
/// `apply` brings the host to it, `explain` says what the filter makes of an address pair and why.
///
/// Exit codes: 0 done; 1 failed; 2 usage or invalid config; 3 a difference; 4 not loaded; 5 not permitted; 6 the hook
/// is held by another program.
#[derive(Parser)]
#[command(name = "ssa-ctl", version, max_term_width = 100, propagate_version = false, subcommand_required = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
struct Global {
    /// Print one JSON object instead of text; an error is {"error":{"code","message","hint"}}
    #[arg(long, global = true)]
    json: bool,
    /// Where the programs, maps and links are pinned: a folder in a BPF file system
    #[arg(long, global = true, value_name = "DIR", default_value = "/sys/fs/bpf/ssa")]
    pin_root: PathBuf,
    /// Say on standard error what is done; twice: in detail. `SSA_LOG` has filters, as `RUST_LOG` elsewhere
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Apply(apply::Args),
    Export(export::Args),
    Schema(schema::Args),
    Status(status::Args),
    Services(services::Args),
    Slices(slices::Args),
    Endpoints(endpoints::Args),
    Stats(stats::Args),
    Metrics(metrics::Args),
    Top(top::Args),
    Events(events::Args),
    Explain(explain::Args),
    Address(address::Args),
    Issue(issue::Args),
    Connect(connect::Args),
    Proxy(proxy::Args),
    Client(client::Args),
    Dns(dns::Args),
    Simulate(simulate::Args),
    Endpoint(endpoint::Args),
    Key(key::Args),
    Enforce(enforce::Args),
    Slice(slice::Args),
    Block(block::Args),
    Detect(detect::Args),
    Doctor(doctor::Args),
    Bench(bench::Args),
    Down(down::Args),
}

fn run(command: &Command, context: &mut Context<'_>) -> Outcome {
    match command {
        Command::Check(args) => check::run(context, args),
        Command::Apply(args) => apply::run(context, args),
        Command::Export(args) => export::run(context, args),
        Command::Schema(args) => schema::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Services(args) => services::run(context, args),
        Command::Slices(args) => slices::run(context, args),
        Command::Endpoints(args) => endpoints::run(context, args),
        Command::Stats(args) => stats::run(context, args),
        Command::Metrics(args) => metrics::run(context, args),
        Command::Top(args) => top::run(context, args),
        Command::Events(args) => events::run(context, args),
        Command::Explain(args) => explain::run(context, args),
        Command::Address(args) => address::run(context, args),
        Command::Issue(args) => issue::run(context, args),
        Command::Connect(args) => connect::run(context, args),
        Command::Proxy(args) => proxy::run(context, args),
        Command::Client(args) => client::run(context, args),
        Command::Dns(args) => dns::run(context, args),
        Command::Simulate(args) => simulate::run(context, args),
        Command::Endpoint(args) => endpoint::run(context, args),
        Command::Key(args) => key::run(context, args),
        Command::Enforce(args) => enforce::run(context, args),
        Command::Slice(args) => slice::run(context, args),
        Command::Block(args) => block::run(context, args),
        Command::Detect(args) => detect::run(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Bench(args) => bench::run(context, args),
        Command::Down(args) => down::run(context, args),
    }
}

/// The program: arguments in, exit code out.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = Cli::try_parse_from(&arguments);
    let json = cli.as_ref().map_or_else(|_| wants_json(&arguments), |cli| cli.global.json);
    let (mut out, mut err) = (Output(io::stdout().lock()), io::stderr());
    let terminal = err.is_terminal();
    let mut context =
        Context { out: &mut out, err: &mut err, json, terminal, pin_root: PathBuf::new(), now: SystemTime::now() };
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) if json && error.use_stderr() => return output::finish(&mut context, Err(usage(&error))),
        Err(error) => {
            drop(out);
            return print_usage(&error);
        }
    };
    context.pin_root = std::path::absolute(&cli.global.pin_root).unwrap_or(cli.global.pin_root);
    log(cli.global.verbose, output::is_styled(&context));
    limit::lift();
    let outcome = run(&cli.command, &mut context);
    output::finish(&mut context, outcome)
}

/// Help and versions go to standard output, usage errors to standard error.
fn print_usage(error: &clap::Error) -> ExitCode {
    // Whoever does not read the help has it no more than we.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(Code::Invalid as u8) } else { ExitCode::SUCCESS }
}

/// Whether the arguments ask for JSON, when they could not be understood.
fn wants_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// A usage error: its first paragraph, and the rest as what would be right.
fn usage(error: &clap::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        return Failure::new(Code::Invalid, "a command is missing").hint("--help shows which there are");
    }
    let text = error.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = message.trim_start_matches("error: ").trim().to_owned();
    let rest = rest.lines().map(|line| line.trim().trim_start_matches("tip: "));
    let rest: Vec<_> = rest.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    let failure = Failure::new(Code::Invalid, message);
    if rest.is_empty() { failure } else { failure.hint(rest.join("; ")) }
}

/// Log lines go to standard error, by `-v` or by `SSA_LOG`.
fn log(verbose: u8, styled: bool) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let mut filter = EnvFilter::builder().with_default_directive(level.into()).with_env_var("SSA_LOG").from_env_lossy();
    if verbose < 2 && std::env::var_os("SSA_LOG").is_none() {
        // What the DNS library warns of, with whole messages, our errors say in words.
        filter = ["hickory_net=off", "hickory_resolver=off"]
            .into_iter()
            .filter_map(|directive| directive.parse().ok())
            .fold(filter, EnvFilter::add_directive);
    }
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(styled)
        // Where nobody reads the log any more, to say so would end the program.
        .log_internal_errors(false)
        .without_time();
    // Only a test that logs already can be in the way.
    let _ = subscriber.try_init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in
                command.get_arguments().filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
            {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }

    #[test]
    fn json_is_asked_for_before_the_end_of_options() {
        let asks = |arguments: &[&str]| wants_json(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(asks(&["ssa-ctl", "--nonsense", "--json"]));
        assert!(!asks(&["ssa-ctl", "--", "--json"]));
    }
}
