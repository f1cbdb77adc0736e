//! `bench`: the loaded program in; the nanoseconds that each kind of frame takes it out.

mod frames;
mod measure;
mod stages;
mod wrong;

use serde::Serialize;
use serde_json::json;
use ssa_common::verdict::Verdict;

use self::{
    measure::{Measured, Spread},
    stages::{Law, Skipped, Stage, Stages},
};
use super::explain;
use crate::{
    config::{Config, Service},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    kernel::sandbox::Sandbox,
    plan::tables::Tables,
};

/// Measure how long the loaded program takes for a frame
///
/// In nanoseconds above a program that passes everything unseen: for frames to no service, for an address of each service
/// that follows its rule and one that does not, and for other traffic to the first of them. A copy of the program over
/// copies of the tables is run, so that nothing is counted and no packet waits. What else runs on this host disturbs it: of
/// the figures, the least and the first quartile say the most.
///
/// Exit codes: 0 measured; 2 there is no such service; 3 the program and the law of this host differ; 4 nothing is loaded;
/// 5 a capability is missing.
#[derive(clap::Args)]
pub struct Args {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// How many times each frame is measured; fewer than nine say little
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
}

/// A stage with its figures.
#[derive(Serialize)]
struct Row<'a> {
    stage: &'a str,
    service: Option<&'a str>,
    reason: &'a str,
    treatment: &'a str,
    #[serde(flatten)]
    above: Spread,
}

/// Measures the loaded program.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let (config, rings) = super::config_and_keys(context, None)?;
    let services = chosen(&config, &args.services)?;
    let (_, mut sandbox) = explain::sandbox(context)?;
    let law = Law { tables: Tables::compile(&config, &rings, 1)?, time: context.unix() };
    let mut stages = Stages::new(&config, &rings, &law)?;
    for (place, service) in services.into_iter().enumerate() {
        stages.service(service, place == 0, context.terminal)?;
    }
    let Stages { made, skipped, .. } = stages;
    let made = made.into_iter().map(|stage| agreed(&mut sandbox, law.time, stage)).collect::<Result<Vec<_>, _>>()?;
    let Measured { empty, above } = measure::measure(&mut sandbox, law.time, &made, args.rounds, context.terminal)?;
    let rows: Vec<_> = made.iter().zip(above).map(|(stage, above)| Row::of(stage, above)).collect();
    if context.json {
        context.object(&json!({ "rounds": args.rounds, "empty": empty, "stages": rows, "skipped": skipped }))?;
    } else {
        text(context, &rows, &skipped, &empty)?;
    }
    Ok(Exit::Done)
}

/// The services of these names; all, if none are named.
fn chosen<'a>(config: &'a Config, names: &[String]) -> Result<Vec<&'a Service>, Failure> {
    if names.is_empty() {
        return Ok(config.services.iter().collect());
    }
    names.iter().map(|name| Ok(super::service(config, name)?.1)).collect()
}

/// The stage with the verdict of the program, which must be that of the law. The services' numbers may differ.
fn agreed(sandbox: &mut Sandbox, time: u64, stage: Stage) -> Result<Stage, Failure> {
    sandbox.set_clock(time)?;
    let verdict = sandbox.judge(&stage.frame, None)?;
    let words = |verdict: &Verdict| (verdict.reason, verdict.treatment, verdict.would_drop);
    if words(&verdict) == words(&stage.verdict) {
        return Ok(Stage { verdict, ..stage });
    }
    let says = |verdict: &Verdict| format!("{}, {}", verdict.reason.name(), verdict.treatment.name());
    let Stage { name, service, verdict: law, .. } = &stage;
    let of = service.as_ref().map_or_else(String::new, |service| format!(" of {service}"));
    let message = format!("{name}{of}: the program says {}, and the law of this host {}", says(&verdict), says(law));
    Err(Failure::new(Code::Differs, message).hint("apply the config again; ssa-ctl explain shows more"))
}

impl<'a> Row<'a> {
    fn of(stage: &'a Stage, above: Spread) -> Self {
        let Verdict { reason, treatment, .. } = stage.verdict;
        let service = stage.service.as_deref();
        Self { stage: stage.name, service, reason: reason.name(), treatment: treatment.name(), above }
    }
}

fn text(context: &mut Context<'_>, rows: &[Row<'_>], skipped: &[Skipped], empty: &Spread) -> std::io::Result<()> {
    let figures = |spread: &Spread| [spread.min, spread.p25, spread.median, spread.p75];
    let header = ["STAGE", "SERVICE", "REASON", "TREATMENT", "+NS", "25 %", "50 %", "75 %"];
    let rows = rows.iter().map(|row| {
        let [min, p25, median, p75] = figures(&row.above).map(|nanoseconds| format!("{nanoseconds:.1}"));
        let [stage, service, reason, treatment] =
            [row.stage, row.service.unwrap_or("-"), row.reason, row.treatment].map(str::to_owned);
        [stage, service, reason, treatment, min, p25, median, p75]
    });
    context.table(header, rows)?;
    for Skipped { stage, service, why } in skipped {
        writeln!(context.out, "{stage} of {service} was left out: {why}")?;
    }
    let [min, _, median, _] = figures(empty);
    writeln!(context.out, "above an empty program, which takes {min:.1} ns, mostly {median:.1}")
}
