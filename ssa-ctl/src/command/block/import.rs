//! `block import`: a file of prefixes in; all of them blocked at once, or what is wrong in it, out.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use super::{
    Done, Dry, How,
    listed::{self, Item},
    source,
    when::USUAL,
};
use crate::{
    change::{Manner, edit_blocks},
    config::{Refusal, WordError},
    context::Context,
    failure::{Code, Failure, Outcome},
    plan::blocks::{Edit, Entry, Origin, Place, Remove, Time},
    sources,
};

/// Faults that are told one by one, at most.
const TOLD: usize = 20;

/// Block all prefixes of a file
///
/// A line has a prefix, or an address, and behind `#` or `;` the reason; other lines are empty or comments. What `block list
/// --json` prints is taken too, with its own times, origins and reasons, where no option says otherwise; what is over is left
/// out. Where one line is wrong, nothing is changed.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The file, of 32 MiB at most; - is standard input
    file: PathBuf,
    #[command(flatten)]
    how: How,
    /// Who says so; operator, if neither this nor the file says
    #[arg(long, value_enum)]
    origin: Option<Origin>,
    #[command(flatten)]
    instead: Instead,
    /// Leave lines with IPv4 out, and say how many they are
    #[arg(long)]
    skip_ipv4: bool,
    #[command(flatten)]
    manner: Dry,
    /// Block even addresses of this host and of endpoints
    #[arg(long)]
    force: bool,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let text = sources::read(&args.file)?;
    let said = args.how.said(context.unix())?;
    let mut import = Import { args, said, add: Vec::new(), left_out: 0, is_usual: false, faults: Vec::new(), wrong: 0 };
    let is_json = text.trim_start().starts_with('{');
    if is_json {
        for (number, item) in (1..).zip(listed::read(&text, &args.file)?) {
            import.take(Place::Entry(number), item).map_err(Failure::refused)?;
        }
    } else {
        for (number, prefix, reason) in sources::lines(&text) {
            let item = Item { prefix: prefix.into(), reason: reason.into(), ..Item::default() };
            import.take(Place::Line(number), item).map_err(Failure::refused)?;
        }
    }
    import.finish(context, is_json)
}

/// Whether the file stands for all that there was.
#[derive(Clone, Copy, clap::Args)]
struct Instead {
    /// Take all away that this origin has blocked before, at the same moment; of JSON without --origin, all there is
    #[arg(long)]
    replace: bool,
    /// With --replace: take all away even where the file has no prefix
    #[arg(long, requires = "replace")]
    allow_empty: bool,
}

/// What is read of a file.
struct Import<'a> {
    args: &'a Args,
    /// Until when, if an option says so.
    said: Option<Time>,
    add: Vec<Entry>,
    /// IPv4 lines.
    left_out: usize,
    /// Nobody has said for how long.
    is_usual: bool,
    /// The first faults, and how many there are.
    faults: Vec<String>,
    wrong: usize,
}

impl Import<'_> {
    /// Takes one line or entry.
    fn take(&mut self, place: Place, item: Item) -> Result<(), Refusal> {
        if self.args.skip_ipv4 && sources::is_ipv4(&item.prefix) {
            self.left_out += 1;
            return Ok(());
        }
        if self.add.len() + self.wrong == sources::MOST {
            return Err(sources::too_many());
        }
        self.is_usual |= self.said.is_none() && item.time.is_none();
        match self.entry(place, item) {
            Ok(entry) => self.add.push(entry),
            Err(Refusal { message, help }) => {
                self.wrong += 1;
                if self.wrong <= TOLD {
                    self.faults.push(format!("{place}: {message}: {help}"));
                }
            }
        }
        Ok(())
    }

    fn entry(&self, place: Place, Item { prefix: text, time, origin, reason, added }: Item) -> Result<Entry, Refusal> {
        let prefix = source::parse(&text).map_err(|refusal| {
            let is_ipv4 = sources::is_ipv4(&text);
            let help = if is_ipv4 { "say --skip-ipv4 to leave such lines out".into() } else { refusal.help };
            Refusal { help, ..refusal }
        })?;
        let reason = self.args.how.reason.as_ref().map_or_else(|| source::reason(&reason), |reason| Ok(reason.clone()));
        let reason = reason.map_err(|WordError(form)| Refusal {
            message: format!("the reason of {prefix} cannot be kept"),
            help: format!("{form}; or say --reason TEXT for all lines"),
        })?;
        Ok(Entry {
            prefix,
            time: self.said.or(time).unwrap_or(USUAL),
            origin: self.args.origin.or(origin).unwrap_or(Origin::Operator),
            reason,
            added,
            place,
        })
    }

    fn finish(self, context: &mut Context<'_>, is_json: bool) -> Outcome {
        let Self { args, add, left_out, is_usual, .. } = self;
        if self.wrong > 0 {
            return Err(refused(&args.file, &self.faults, self.wrong));
        }
        let Instead { replace, allow_empty } = args.instead;
        if replace && add.is_empty() && !allow_empty {
            let message = format!("{} has no prefix, and --replace would take all away", args.file.display());
            return Err(Failure::new(Code::Invalid, message).hint("if that is meant, say --allow-empty"));
        }
        let remove = match (replace, args.origin) {
            (false, _) => Remove::Nothing,
            (true, None) if is_json => Remove::All,
            (true, origin) => Remove::Of(origin.unwrap_or(Origin::Operator)),
        };
        let manner = Manner { dry_run: args.manner.dry_run, force: args.force };
        let changes = edit_blocks(context, &Edit { remove, add }, manner)?;
        Done { changes, dry_run: manner.dry_run, is_usual, left_out: args.skip_ipv4.then_some(left_out) }
            .report(context)
    }
}

fn refused(file: &Path, faults: &[String], wrong: usize) -> Failure {
    let are = if wrong == 1 { "1 line is".to_owned() } else { format!("{wrong} lines are") };
    let mut message = format!("{}: {are} wrong, and nothing was changed", file.display());
    for fault in faults {
        // Writing to a string does not fail.
        let _ = write!(message, "\n  {fault}");
    }
    if wrong > faults.len() {
        let _ = write!(message, "\n  and {} more", wrong - faults.len());
    }
    Failure::new(Code::Invalid, message).hint("mend the file, and import it again")
}
