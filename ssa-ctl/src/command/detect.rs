//! `detect`: frames that fail the rule, watched; source prefixes that send too many of them blocked, and said, out.

mod round;
mod show;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssa_common::verdict::Reason;

use self::round::Round;
use super::{pause::Pause, reason};
use crate::{
    change::{Manner, edit_blocks},
    config::{self, Seconds, WordError},
    context::Context,
    detect::{LEAST, Spared, Tally},
    failure::{Code, Exit, Failure, Outcome},
    observe::{refused::Diagnostics, samples::Samples},
    plan::blocks::Edit,
    sources,
};

/// Block source prefixes that send too many frames that fail the rule
///
/// Watches until it is interrupted, and waits while nothing is loaded. Events show where a part of such frames comes from, and counters say how many there are:
/// from both the rate of each prefix is estimated. One that is above gets an entry on the block list, of origin `detector`
/// and for a time; while it goes on sending, it gets more. A source can be forged: begin with --dry-run, and name with
/// --never who must get through.
///
/// Prefixes of services, of this host and of endpoints are never blocked. Exit code 3 if --dry-run with --once or --seconds
/// finds something to do.
#[derive(clap::Args)]
pub struct Args {
    /// Only frames to this service; what is blocked is blocked for all
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Bits of the prefixes that are told apart and blocked
    #[arg(long, value_name = "BITS", default_value = "48", value_parser = bits())]
    prefix: u8,
    /// Block what sends more frames a second
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    above: u32,
    /// Over this time, 1s to 10m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = over, allow_hyphen_values = true)]
    over: Seconds,
    /// For how long: more is given when half of it is over
    #[arg(long = "for", value_name = "TIME", default_value = "10m", allow_hyphen_values = true)]
    time: Seconds,
    /// Block no more prefixes than these at once
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    most: u32,
    /// Never block what covers this prefix or address, or is in it; may be given several times
    #[arg(long, value_name = "PREFIX")]
    never: Vec<String>,
    /// The same for each line of a file; behind # or ; is a comment
    #[arg(long, value_name = "FILE")]
    never_file: Vec<PathBuf>,
    /// Only frames with this reason; may be given several times. If not given: all by which a frame fails the rule
    #[arg(long, value_name = "REASON", value_parser = reason(&REASONS))]
    reason: Vec<Reason>,
    /// Measure once, and end
    #[arg(long, conflicts_with = "seconds")]
    once: bool,
    /// End after this many seconds, as many as --over at least
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    seconds: Option<u64>,
    /// Say what would be blocked, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What a source can be blocked for: what a frame that fails its rule counts as, and others behind.
const REASONS: [Reason; 8] = [
    Reason::FieldMismatch,
    Reason::MacMismatch,
    Reason::PowMissing,
    Reason::ReplicaRange,
    Reason::UnknownKey,
    Reason::BadIcmpError,
    Reason::Protocol,
    Reason::Unparsable,
];
/// How many of these are of the rule.
const OF_RULE: usize = 5;
/// The longest time to measure over.
const LONGEST: u32 = 600;

fn bits() -> impl TypedValueParser<Value = u8> {
    PossibleValuesParser::new(["48", "56", "64"]).map(|bits| bits.parse().unwrap_or(48))
}

fn over(text: &str) -> Result<Seconds, WordError> {
    let parsed: Result<Seconds, _> = text.parse();
    parsed.ok().filter(|Seconds(seconds)| *seconds <= LONGEST).ok_or(WordError("write a time from 1s to 10m"))
}

/// Watches, and blocks.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let spared = spared(args)?;
    if let Some(seconds) = args.seconds.filter(|seconds| *seconds < args.over.0.into()) {
        let message = format!("--seconds {seconds} ends before --over {} is measured once", args.over);
        return Err(Failure::new(Code::Invalid, message).hint("give --seconds more, or --over less"));
    }
    if !args.dry_run {
        // Who may not write now may not later: an edit of nothing says so.
        may_fail(edit_blocks(context, &Edit::default(), Manner::default()), args)?;
    }
    let watched = may_fail(Watched::begin(context, args), args)?;
    if watched.is_none() {
        writeln!(context.err, "{WAITING}")?;
    }
    watch(context, args, watched, &mut Round::new(args, spared))
}

/// What is said where there is nothing to watch.
const WAITING: &str = "nothing is loaded: waiting until something is";

/// None where nothing is loaded, and it is worth waiting for.
fn may_fail<T>(result: Result<T, Failure>, args: &Args) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.code == Code::NotLoaded && !args.once => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn spared(args: &Args) -> Result<Spared, Failure> {
    let mut spared = Spared::default();
    for text in &args.never {
        spared.say(text).map_err(Failure::refused)?;
    }
    for path in &args.never_file {
        spared.say_all(&sources::read(path)?).map_err(|mut refusal| {
            refusal.message = format!("{}: {}", path.display(), refusal.message);
            Failure::refused(refusal)
        })?;
    }
    Ok(spared)
}

/// An instance that is watched, in rounds.
struct Watched {
    samples: Samples,
    tally: Tally,
    begin: Instant,
    refused: Diagnostics,
}

impl Watched {
    fn begin(context: &mut Context<'_>, args: &Args) -> Result<Self, Failure> {
        let reasons = if args.reason.is_empty() { REASONS[..OF_RULE].to_vec() } else { args.reason.clone() };
        let samples = Samples::open(&context.pin_root, args.service.clone(), reasons)?;
        if let Some(wanted) = &args.service {
            config::known(wanted, samples.services()).map_err(Failure::refused)?;
        }
        greet(context, args, kept(&samples)?)?;
        let refused = samples.refused()?;
        Ok(Self { samples, tally: Tally::new(args.prefix), begin: Instant::now(), refused })
    }

    /// Looks, and decides when it is time.
    fn look(&mut self, context: &mut Context<'_>, args: &Args, round: &mut Round<'_>) -> Result<(), Failure> {
        self.samples.look()?.into_iter().for_each(|sample| self.tally.add(sample));
        // The next round begins here: to write takes time too.
        let now = Instant::now();
        let over = now - self.begin;
        if over >= Duration::from_secs(args.over.0.into()) {
            kept(&self.samples)?;
            self.refused.tell(self.samples.refused()?);
            let tally = std::mem::replace(&mut self.tally, Tally::new(args.prefix));
            round.end(context, &tally, over)?;
            self.begin = now;
        }
        Ok(())
    }
}

/// How many events are kept a second, which must be some.
fn kept(samples: &Samples) -> Result<u32, Failure> {
    match samples.rate()? {
        0 => Err(Failure::new(Code::Failed, "no events are kept: nobody knows where frames come from")
            .hint("set events in [host] of the config, such as events = 1000, and apply it")),
        rate => Ok(rate),
    }
}

/// Says what can be found at all.
fn greet(context: &mut Context<'_>, args: &Args, rate: u32) -> std::io::Result<()> {
    let (kept, over) = (u64::from(rate) * u64::from(args.over.0), args.over);
    write!(context.err, "watching, {over} at a time: {kept} frames are kept then at most, ")?;
    writeln!(context.err, "and a prefix of which {LEAST} are is judged")
}

/// Looks again and again.
fn watch(context: &mut Context<'_>, args: &Args, mut watched: Option<Watched>, round: &mut Round<'_>) -> Outcome {
    let mut pause = Pause::new()?;
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    while pause.wait() {
        match &mut watched {
            Some(present) => {
                if may_fail(present.look(context, args, round), args)?.is_none() {
                    writeln!(context.err, "{WAITING}")?;
                    watched = None;
                }
            }
            // Of one that is being put together, something may be missing.
            None => match Watched::begin(context, args) {
                Err(failure) if failure.is_passing() => tracing::debug!("not yet: {:#}", failure.error),
                begun => watched = may_fail(begun, args)?,
            },
        }
        let is_over = if args.once { round.has_ended() } else { end.is_some_and(|end| Instant::now() >= end) };
        if is_over {
            return Ok(if args.dry_run && round.has_found() { Exit::Differs } else { Exit::Done });
        }
    }
    Ok(Exit::Done)
}
