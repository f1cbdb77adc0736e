//! In: the path of `ssa-ctl`, and what is to be measured. Out: a table, and what of it is wanted in files; exit code 0
//! where all could be measured, whether the goals are met or not.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Error, Result, ensure};
use clap::Parser;
use ssa_tests::{
    bench::{self, Context, Output, Report, Section},
    stop::{Interrupted, Stop},
};

/// Measures the filter, with peers beside it in the same run, and says how it stands to its goals
///
/// Exit codes: 0 all was measured, whether the goals are met or not; 1 something could not be measured, or is not what
/// was to be measured: what else was measured is printed and written; 130 interrupted.
#[derive(Parser)]
#[command(name = "ssa-bench")]
struct Args {
    /// The sections; without any, all of them
    #[arg(value_enum)]
    sections: Vec<Section>,
    /// The ssa-ctl to measure
    #[arg(long, value_name = "FILE")]
    ssa_ctl: PathBuf,
    /// How many rounds; without, what each section thinks best
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Write the whole run to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the section micro into this file
    #[arg(long, value_name = "FILE.svg")]
    chart: Option<PathBuf>,
    /// Compare with an earlier run, as --json wrote it
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// As few rounds as show that everything works, of the section micro alone unless others are named
    #[arg(long)]
    brief: bool,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tell(&error);
            if error.is::<Interrupted>() { ExitCode::from(130) } else { ExitCode::FAILURE }
        }
    }
}

fn tell(error: &Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
}

/// Whether all was measured and written. What was not is said by then.
fn run(args: Args) -> Result<bool> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the bench makes network namespaces and loads programs, for which it must be root: run it with sudo"
    );
    // Before there is any other thread.
    let stop = Stop::watch()?;
    let sections = match (args.sections.as_slice(), args.brief) {
        ([], false) => Section::all().to_vec(),
        ([], true) => vec![Section::Micro],
        (named, _) => each_once(named),
    };
    ensure!(args.chart.is_none() || sections.contains(&Section::Micro), "the chart is of the section micro");
    ensure!(!args.brief || args.against.is_none(), "a brief run cannot be compared: its figures say nothing");
    // What cannot be read, written or run is said before anything is measured.
    let before = args.against.as_deref().map(read).transpose()?;
    let json = args.json.as_deref().map(Output::new).transpose()?;
    let chart = args.chart.as_deref().map(Output::new).transpose()?;
    let context = Context { ssa_ctl: args.ssa_ctl, rounds: args.rounds, brief: args.brief, stop };
    Section::require(&sections, &context)?;

    let report = measure(&sections, &context)?;
    if report.figures.is_empty() {
        return Ok(false);
    }
    let comparison = before.map(|before| bench::compare(&before, &report));
    let parts = [Some(bench::table(&report)), comparison, Some(bench::summary(&report))];
    // Before anything is written, which may fail. Whoever reads no more misses only this.
    let _ = writeln!(io::stdout(), "{}", parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
    let mut whole = report.failed.is_empty();
    let written = json.map(|json| json.write(&report.json()));
    // Where micro has failed there is nothing to draw.
    let chart = chart.filter(|_| !report.failed.iter().any(|failed| failed == Section::Micro.name()));
    let drawn = chart.map(|chart| bench::chart(&report).and_then(|picture| chart.write(&picture)));
    for error in [written, drawn].into_iter().flatten().filter_map(Result::err) {
        tell(&error);
        whole = false;
    }
    Ok(whole)
}

/// What could be measured: a section that fails is said at once, and takes nothing from the others.
fn measure(sections: &[Section], context: &Context) -> Result<Report> {
    let (mut figures, mut failed) = (vec![], vec![]);
    for section in sections {
        context.stop.check()?;
        match section.run(context) {
            Ok(measured) => figures.extend(measured),
            // Everything is taken down by now.
            Err(error) if error.is::<Interrupted>() => return Err(Interrupted.into()),
            Err(error) => {
                tell(&error);
                failed.push(section.name().to_owned());
            }
        }
    }
    Ok(Report { failed, ..Report::new(context.brief, figures) })
}

/// In the order in which they are named first.
fn each_once(named: &[Section]) -> Vec<Section> {
    let new = |(at, section): &(usize, &Section)| !named[..*at].contains(*section);
    named.iter().enumerate().filter(new).map(|(_, section)| *section).collect()
}

fn read(path: &Path) -> Result<Report> {
    let shown = || format!("cannot compare with {}", path.display());
    let report = Report::from_json(&fs::read_to_string(path).with_context(shown)?).with_context(shown)?;
    ensure!(!report.brief, "cannot compare with {}: that run was brief, and its figures say nothing", path.display());
    Ok(report)
}
