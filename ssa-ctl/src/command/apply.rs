//! `apply`: a config file in; the host brought to it, and what that took, out.

mod suspects;

use std::path::PathBuf;

use super::report;
use crate::{
    change::{self, Wanted},
    config::{self, Checked},
    context::Context,
    failure::{Failure, Outcome},
    kernel::netlink::Host,
    output,
};

/// Bring this host to a config
///
/// Prints the plan and does it: loads the program if it is not loaded, puts the config in force in one step, attaches to
/// the interfaces. No frame is judged by half a config. The same config again changes nothing.
///
/// Exit codes: 0 done or nothing to do; 2 the config is invalid; 3 with --dry-run, there is something to do; 5 a
/// capability is missing; 6 another XDP program holds an interface.
#[derive(clap::Args)]
pub struct Args {
    /// The config file
    file: PathBuf,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take a service that covers an address of this host
    #[arg(long)]
    force: bool,
}

/// Applies a config.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let checked = config::read(&args.file)?;
    let rings = checked.load_keys()?;
    if !checked.warnings.is_empty() && !context.json {
        let warnings = checked.render_warnings(output::is_styled(context));
        write!(context.err, "{warnings}")?;
    }
    let host = Host::ask()?;
    let interfaces = change::find_interfaces(&checked.config, &host).map_err(|(place, name)| {
        let there: Vec<_> = host.interfaces.iter().map(|interface| interface.name.as_str()).collect();
        checked.interface_fault(
            place,
            format!("there is no interface {name} in this network namespace"),
            format!("the interfaces are {}", there.join(", ")),
        )
    })?;
    suspects::check(&checked, &host)?;
    if !args.force {
        own_addresses(&checked, &host)?;
    }
    let wanted = Wanted { config: checked.config, rings, interfaces, host, rebalance: None };
    let done = change::bring(context, &wanted, args.dry_run)?;
    report::steps(context, &done, &[], args.dry_run)
}

/// A service that covers an address of an attached interface would put that host itself behind the rule.
fn own_addresses(checked: &Checked, host: &Host) -> Result<(), Failure> {
    for (service_place, service) in checked.config.services.iter().enumerate() {
        for (place, prefix) in service.prefixes.iter().enumerate() {
            if let Some((_, address)) = host.addresses.iter().find(|(_, address)| prefix.contains(address)) {
                return Err(checked
                    .prefix_fault(
                        service_place,
                        place,
                        format!("{prefix} covers {address}, an address of this host"),
                        "traffic to that address would have to follow the rule: use a prefix of its own, or --force",
                    )
                    .into());
            }
        }
    }
    Ok(())
}
