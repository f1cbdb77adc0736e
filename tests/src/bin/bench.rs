//! In: the path of `ssa-ctl`, and what is to be measured. Out: a table, and what of it is wanted in files; exit code 0
//! where all could be measured, whether the goals are met or not.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use ssa_tests::bench::{self, Context, Report, Section};

/// Measures the filter, with peers beside it in the same run, and says how it stands to its goals
///
/// Exit codes: 0 all was measured, whether the goals are met or not; 1 something could not be measured, or is not what
/// was to be measured.
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
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the bench makes network namespaces and loads programs, for which it must be root: run it with sudo"
    );
    let sections = match (args.sections.as_slice(), args.brief) {
        ([], false) => Section::all(),
        ([], true) => &[Section::Micro],
        (named, _) => named,
    };
    ensure!(args.chart.is_none() || sections.contains(&Section::Micro), "the chart is of the section micro");
    ensure!(!args.brief || args.against.is_none(), "a brief run cannot be compared: its figures say nothing");
    // What cannot be read or written is said before anything is measured.
    let before = args.against.as_deref().map(read).transpose()?;
    let json = args.json.as_deref().map(open).transpose()?;
    let chart = args.chart.as_deref().map(open).transpose()?;

    let context = Context { ssa_ctl: args.ssa_ctl, rounds: args.rounds, brief: args.brief };
    let mut figures = vec![];
    for section in sections {
        figures.extend(section.run(&context)?);
    }
    let report = Report::new(args.brief, figures);
    if let Some(file) = json {
        fill(file, &report.json()).context("the run cannot be written")?;
    }
    if let Some(file) = chart {
        fill(file, &bench::chart(&report)?).context("the chart cannot be written")?;
    }
    let comparison = before.map(|before| bench::compare(&before, &report));
    let parts = [Some(bench::table(&report)), comparison, Some(bench::summary(&report))];
    // Whoever reads no more misses only this.
    let _ = writeln!(io::stdout(), "{}", parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
    Ok(())
}

fn read(path: &Path) -> Result<Report> {
    let shown = || format!("cannot compare with {}", path.display());
    let report = Report::from_json(&fs::read_to_string(path).with_context(shown)?).with_context(shown)?;
    ensure!(!report.brief, "cannot compare with {}: that run was brief, and its figures say nothing", path.display());
    Ok(report)
}

/// What is there stays until there is something to put in its place: it may be the run to compare with.
fn open(path: &Path) -> Result<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    file.with_context(|| format!("cannot write {}", path.display()))
}

fn fill(mut file: File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}
