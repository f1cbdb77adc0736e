//! `bench`: the loaded program in; the nanoseconds that each kind of frame takes it out.

mod frames;
mod measure;
mod stages;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use ssa_common::verdict::Verdict;

use self::{
    measure::{Measured, Spread},
    stages::{Law, Skipped, Stage, Stages},
};
use super::{explain, progress::Progress};
use crate::{
    config::{Config, Service},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    kernel::sandbox::Sandbox,
    plan::{numbers::Numbers, tables::Tables},
};

/// Measure how long the loaded program takes for a frame
///
/// In nanoseconds above a program that passes everything unseen: for frames to no service, for an address of each service
/// that follows its rule and one that does not, and for other traffic to the first of them. Without a name these are the
/// first eight services of the config. A copy of the program over
/// copies of the tables is run, so that nothing is counted and no packet waits. What else runs on this host disturbs it: of
/// the figures, the least and the first quartile say the most.
///
/// Exit codes: 0 measured; 2 there is no such service; 3 the program and the law of this host differ; 4 nothing is loaded;
/// 5 a capability is missing.
#[derive(clap::Args)]
pub struct Args {
    /// These services, however many; without one, the first eight
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// How many times each frame is measured; fewer than nine say little
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
}

/// Services that are measured where none is named: each takes some tenths of a second a round.
const UNNAMED: usize = 8;

/// A stage with its figures.
#[derive(Serialize)]
struct Row<'a> {
    stage: &'a str,
    service: Option<&'a str>,
    reason: &'a str,
    treatment: &'a str,
    would_drop: bool,
    #[serde(flatten)]
    above: Spread,
}

/// Measures the loaded program.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let (config, rings) = super::config_and_keys(context, None)?;
    let (services, left_out) = chosen(&config, &args.services)?;
    // A frame that is sent on is another frame afterwards, and could not be measured twice.
    let mut steers = false;
    let (_, mut sandbox) = explain::sandbox(context, |tables| {
        steers = tables.steers();
        tables.staying()
    })?;
    let law = Law { tables: Tables::compile(&config, &rings, 1)?.staying(), time: context.unix() };
    let mut stages = Stages::new(&config, &rings, &law)?;
    let progress = Progress::new("making frames", context.terminal, services.len());
    for (place, service) in services.into_iter().enumerate() {
        stages.service(service, place == 0, context.terminal)?;
        progress.step();
    }
    drop(progress);
    let Stages { made, skipped, .. } = stages;
    let numbers = numbers(&config, &sandbox.instance().numbers()?);
    let progress = Progress::new("comparing with the law", context.terminal, made.len());
    let made = made
        .into_iter()
        .map(|stage| {
            progress.step();
            agreed(&mut sandbox, &numbers, law.time, stage)
        })
        .collect::<Result<Vec<_>, _>>()?;
    drop(progress);
    let Measured { empty, above } = measure::measure(&mut sandbox, law.time, &made, args.rounds, context.terminal)?;
    let rows: Vec<_> = made.iter().zip(above).map(|(stage, above)| Row::of(stage, above)).collect();
    if context.json {
        context.object(&json!({
            "rounds": args.rounds, "empty": empty, "stages": rows, "skipped": skipped, "left_out": left_out,
            "steering_left_out": steers,
        }))?;
    } else {
        text(context, &rows, &skipped, &empty)?;
        if steers {
            writeln!(context.out, "what it takes to send a frame on to its endpoint is left out")?;
        }
        if left_out > 0 {
            writeln!(
                context.out,
                "{left_out} services were left out after the first {UNNAMED}; ssa-ctl bench NAME measures one of them"
            )?;
        }
    }
    Ok(Exit::Done)
}

/// The services of these names, or the first ones if none are named; and how many others that leaves out.
fn chosen<'a>(config: &'a Config, names: &[String]) -> Result<(Vec<&'a Service>, usize), Failure> {
    if names.is_empty() {
        let first: Vec<_> = config.services.iter().take(UNNAMED).collect();
        let left_out = config.services.len() - first.len();
        return Ok((first, left_out));
    }
    let named = names.iter().map(|name| Ok(super::service(config, name)?.1)).collect::<Result<Vec<_>, Failure>>()?;
    Ok((named, 0))
}

/// What the services have for numbers where the program runs, by those that they have in the law of this host.
fn numbers(config: &Config, program: &Numbers) -> BTreeMap<u32, u32> {
    let law = Numbers::default().next(config, u32::MAX);
    config.services.iter().filter_map(|service| Some((law.get(&service.name)?, program.get(&service.name)?))).collect()
}

/// The stage with the verdict of the program, which must be that of the law. The services' numbers may differ.
fn agreed(sandbox: &mut Sandbox, numbers: &BTreeMap<u32, u32>, time: u64, stage: Stage) -> Result<Stage, Failure> {
    sandbox.set_clock(time)?;
    let services: BTreeSet<_> = numbers.get(&stage.verdict.service).copied().into_iter().chain([0]).collect();
    let verdict = sandbox.judge_of(&stage.frame, None, services)?;
    let words = |verdict: &Verdict| (verdict.reason, verdict.treatment, verdict.would_drop);
    if let Some(verdict) = verdict
        && words(&verdict) == words(&stage.verdict)
    {
        return Ok(Stage { verdict, ..stage });
    }
    let says = |verdict: &Verdict| format!("{}, {}", verdict.reason.name(), verdict.treatment.name());
    let Stage { name, service, verdict: law, .. } = &stage;
    let of = service.as_ref().map_or_else(String::new, |service| format!(" of {service}"));
    let program = verdict.as_ref().map_or_else(|| "that it is another service's".to_owned(), says);
    let message = format!("{name}{of}: the program says {}, and the law of this host {}", program, says(law));
    Err(Failure::new(Code::Differs, message).hint("apply the config again; ssa-ctl explain shows more"))
}

impl<'a> Row<'a> {
    fn of(stage: &'a Stage, above: Spread) -> Self {
        let Verdict { reason, treatment, would_drop, .. } = stage.verdict;
        let service = stage.service.as_deref();
        Self { stage: stage.name, service, reason: reason.name(), treatment: treatment.name(), would_drop, above }
    }
}

fn text(context: &mut Context<'_>, rows: &[Row<'_>], skipped: &[Skipped], empty: &Spread) -> std::io::Result<()> {
    let figures = |spread: &Spread| [spread.min, spread.p25, spread.median, spread.p75];
    let header = ["STAGE", "SERVICE", "REASON", "TREATMENT", "+NS", "25 %", "50 %", "75 %"];
    let rows = rows.iter().map(|row| {
        let [min, p25, median, p75] = figures(&row.above).map(|nanoseconds| format!("{nanoseconds:.1}"));
        let [stage, service, reason] = [row.stage, row.service.unwrap_or("-"), row.reason].map(str::to_owned);
        let would_drop = if row.would_drop { " (would drop)" } else { "" };
        let treatment = format!("{}{would_drop}", row.treatment);
        [stage, service, reason, treatment, min, p25, median, p75]
    });
    context.table(header, rows)?;
    for Skipped { stage, service, why } in skipped {
        writeln!(context.out, "{stage} of {service} was left out: {why}")?;
    }
    let [min, _, median, _] = figures(empty);
    writeln!(context.out, "above an empty program, which takes {min:.1} ns, mostly {median:.1}")
}
