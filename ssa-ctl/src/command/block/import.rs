//! `block import`: a file of prefixes in; all of them blocked at once, or what is wrong in it, out.

use std::{
    fmt::Write as _,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Deserializer};

use super::{
    Done, Dry, How, source,
    when::{For, USUAL},
};
use crate::{
    change::{Manner, edit_blocks},
    config::{Refusal, WordError},
    context::Context,
    failure::{Code, Failure, Outcome},
    plan::blocks::{Edit, Entry, Origin, Remove},
};

/// Faults that are told one by one, at most.
const TOLD: usize = 20;

/// Block all prefixes of a file
///
/// A line has a prefix, or an address, and behind `#` or `;` the reason; other lines are empty or comments. What `block list
/// --json` prints is taken too, with its own times, origins and reasons, where no option says otherwise. Where one line is
/// wrong, nothing is changed.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The file; - is standard input
    file: PathBuf,
    #[command(flatten)]
    how: How,
    /// Who says so; operator, if neither this nor the file says
    #[arg(long, value_enum)]
    origin: Option<Origin>,
    /// Take all away that this origin has blocked before, at the same moment; of JSON without --origin, all there is
    #[arg(long)]
    replace: bool,
    /// Leave lines with IPv4 out, and say how many they are
    #[arg(long)]
    skip_ipv4: bool,
    #[command(flatten)]
    manner: Dry,
    /// Block even addresses of this host and of endpoints
    #[arg(long)]
    force: bool,
}

/// A prefix of a file, where it stands, and what the file says of it.
struct Line {
    place: String,
    prefix: String,
    /// For how long, if the file says so.
    time: Option<For>,
    origin: Option<Origin>,
    reason: String,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let text = read(&args.file)?;
    let is_json = text.trim_start().starts_with('{');
    let lines = if is_json { objects(&text, &args.file)? } else { lines(&text) };
    let said = args.how.said(context.unix())?;
    let (add, left_out) = entries(&lines, args, said).map_err(|faults| refused(&args.file, &faults))?;
    let remove = match (args.replace, args.origin) {
        (false, _) => Remove::Nothing,
        (true, None) if is_json => Remove::All,
        (true, origin) => Remove::Of(origin.unwrap_or(Origin::Operator)),
    };
    let manner = Manner { dry_run: args.manner.dry_run, force: args.force };
    let is_usual = said.is_none() && lines.iter().any(|line| line.time.is_none());
    let changes = edit_blocks(context, &Edit { remove, add }, manner)?;
    Done { changes, dry_run: manner.dry_run, is_usual, left_out: args.skip_ipv4.then_some(left_out) }.report(context)
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn lines(text: &str) -> Vec<Line> {
    let line = |(number, line): (usize, &str)| {
        let (prefix, reason) = line.split_once(['#', ';']).unwrap_or((line, ""));
        let (prefix, reason) = (prefix.trim().to_owned(), reason.trim().to_owned());
        let place = || format!("line {number}");
        (!prefix.is_empty()).then(|| Line { place: place(), prefix, time: None, origin: None, reason })
    };
    (1..).zip(text.lines()).filter_map(line).collect()
}

/// What `block list --json` prints.
#[derive(Deserialize)]
struct Listed {
    blocks: Vec<Item>,
}

/// One of its prefixes.
#[derive(Deserialize)]
struct Item {
    prefix: String,
    #[serde(default, deserialize_with = "given", rename = "seconds")]
    time: Option<For>,
    origin: Option<Origin>,
    #[serde(default)]
    reason: String,
}

/// Seconds, or null for ever, where there is such a value.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<For>, D::Error> {
    Option::deserialize(from).map(|seconds| Some(For(seconds)))
}

fn objects(text: &str, file: &Path) -> Result<Vec<Line>, Failure> {
    let listed = serde_json::from_str(text).with_context(|| format!("{} is no block list", file.display()));
    let Listed { blocks } = listed.map_err(|error| {
        Failure::from(error).code(Code::Invalid).hint("give it the JSON that `block list --json` prints, or lines")
    })?;
    let line = |(number, item): (usize, Item)| {
        let Item { prefix, time, origin, reason } = item;
        Line { place: format!("entry {number}"), prefix, time, origin, reason }
    };
    Ok((1..).zip(blocks).map(line).collect())
}

/// The entries, and how many lines with IPv4 were left out; else all that is wrong.
fn entries(lines: &[Line], args: &Args, said: Option<For>) -> Result<(Vec<Entry>, usize), Vec<String>> {
    let (mut entries, mut faults, mut left_out) = (Vec::with_capacity(lines.len()), Vec::new(), 0);
    for line in lines {
        if args.skip_ipv4 && source::is_ipv4(&line.prefix) {
            left_out += 1;
            continue;
        }
        match line.entry(args, said) {
            Ok(entry) => entries.push(entry),
            Err(Refusal { message, help }) => faults.push(format!("{}: {message}: {help}", line.place)),
        }
    }
    if faults.is_empty() { Ok((entries, left_out)) } else { Err(faults) }
}

impl Line {
    fn entry(&self, args: &Args, said: Option<For>) -> Result<Entry, Refusal> {
        let prefix = source::parse(&self.prefix).map_err(|refusal| {
            let help = if source::is_ipv4(&self.prefix) {
                "say --skip-ipv4 to leave such lines out".into()
            } else {
                refusal.help
            };
            Refusal { help, ..refusal }
        })?;
        let reason = args.how.reason.as_ref().map_or_else(|| source::reason(&self.reason), |reason| Ok(reason.clone()));
        let reason = reason.map_err(|WordError(form)| Refusal {
            message: format!("the reason of {prefix} cannot be kept"),
            help: format!("{form}; or say --reason TEXT for all lines"),
        })?;
        Ok(Entry {
            prefix,
            seconds: said.or(self.time).unwrap_or(USUAL).0,
            origin: args.origin.or(self.origin).unwrap_or(Origin::Operator),
            reason,
        })
    }
}

fn refused(file: &Path, faults: &[String]) -> Failure {
    let count = faults.len();
    let are = if count == 1 { "1 line is".to_owned() } else { format!("{count} lines are") };
    let mut message = format!("{}: {are} wrong, and nothing was changed", file.display());
    for fault in faults.iter().take(TOLD) {
        // Writing to a string does not fail.
        let _ = write!(message, "\n  {fault}");
    }
    if count > TOLD {
        let _ = write!(message, "\n  and {} more", count - TOLD);
    }
    Failure::new(Code::Invalid, message).hint("mend the file, and import it again")
}
