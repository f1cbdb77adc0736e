//! `stats`: the counters out, once or every second.

use std::time::Duration;

use ssa_common::verdict::{Reason, Treatment};

use super::end::End;
use crate::{
    config,
    context::Context,
    failure::{Exit, Failure, Outcome},
    kernel::{instance::Instance, pins::Pins},
    observe::counters::{Count, Counts, HELD_BACK, ServiceCounts},
};

/// Show what was counted, by service, reason and treatment
///
/// Each frame moves one counter of its service: received is the sum over reasons, and the sum over treatments.
#[derive(clap::Args)]
pub struct Args {
    /// Show it again every second, with rates, until interrupted
    #[arg(long)]
    watch: bool,
    /// With --watch: stop after this many times
    #[arg(long, value_name = "N", requires = "watch")]
    count: Option<u64>,
    /// Only this service
    service: Option<String>,
}

/// How often `--watch` looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Shows the counters.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let pins = Pins::new(&context.pin_root);
    if !args.watch {
        let counts = read(&pins, args)?;
        show(context, &counts, None)?;
        return Ok(Exit::Done);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch(context, &pins, args))?;
    Ok(Exit::Done)
}

fn read(pins: &Pins, args: &Args) -> Result<Counts, Failure> {
    let mut counts = Counts::read(&Instance::open(pins, true)?)?;
    if let Some(wanted) = &args.service {
        config::known(wanted, counts.services.iter().map(|(name, _)| name.as_str())).map_err(Failure::refused)?;
        counts.services.retain(|(name, _)| name == wanted);
    }
    Ok(counts)
}

async fn watch(context: &mut Context<'_>, pins: &Pins, args: &Args) -> Result<(), Failure> {
    let (mut timer, mut end) = (tokio::time::interval(INTERVAL), End::new()?);
    let mut before: Option<Counts> = None;
    for round in 0u64.. {
        if args.count.is_some_and(|count| round >= count) {
            break;
        }
        tokio::select! {
            biased;
            () = end.wanted() => break,
            _ = timer.tick() => {}
        }
        let counts = read(pins, args)?;
        if context.json {
            // One object a line, for programs that read as it comes.
            serde_json::to_writer(&mut *context.out, &counts.json())?;
            writeln!(context.out)?;
        } else {
            if context.terminal {
                write!(context.out, "\x1b[H\x1b[2J")?;
            }
            show(context, &counts, before.as_ref())?;
        }
        context.out.flush()?;
        before = Some(counts);
    }
    Ok(())
}

fn show(context: &mut Context<'_>, counts: &Counts, before: Option<&Counts>) -> std::io::Result<()> {
    if context.json {
        return context.object(&counts.json());
    }
    let mut rows = Vec::new();
    for (name, service) in &counts.services {
        let old = before.and_then(|before| before.services.iter().find(|(old, _)| old == name));
        rows.extend(of_service(name, service, old.map(|(_, counts)| counts)));
    }
    let outside = [
        ("other", counts.other, before.map(|before| before.other)),
        ("malformed", counts.malformed, before.map(|before| before.malformed)),
    ];
    rows.extend(outside.map(|(name, count, old)| row("-", name, count, old)));
    context.table(["SERVICE", "COUNTED", "PACKETS", "BYTES", "PACKETS/S"], rows)
}

/// The rows of one service: received, then what is not zero.
fn of_service(name: &str, counts: &ServiceCounts, old: Option<&ServiceCounts>) -> Vec<[String; 5]> {
    let mut rows = vec![row(name, "received", counts.received, old.map(|old| old.received))];
    let mut add = |what: &str, count: Count, old: Option<Count>| {
        if count.packets > 0 {
            rows.push(row("", what, count, old));
        }
    };
    for &reason in Reason::OF_SERVICE {
        add(&format!("  {}", reason.name()), counts.reason(reason), old.map(|old| old.reason(reason)));
        // What is good and does not simply go on is seen nowhere else.
        for (_, treatment) in HELD_BACK.into_iter().filter(|(of, _)| *of == reason) {
            let cell = |counts: &ServiceCounts| counts.cell(reason, treatment);
            add(&format!("    of these {}", treatment.name()), cell(counts), old.map(cell));
        }
    }
    for treatment in Treatment::ALL {
        let what = format!("  = {}", treatment.name());
        add(&what, counts.treatment(treatment), old.map(|old| old.treatment(treatment)));
    }
    add("  (would drop)", counts.would_drop, old.map(|old| old.would_drop));
    rows
}

fn row(service: &str, what: &str, count: Count, old: Option<Count>) -> [String; 5] {
    let rate = old.map_or_else(String::new, |old| (count.since(old).packets / INTERVAL.as_secs()).to_string());
    [service.into(), what.into(), count.packets.to_string(), count.bytes.to_string(), rate]
}
