//! `detect`: frames that fail the rule, watched; source prefixes that send too many of them blocked, and said, out.

mod round;
mod show;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssa_common::verdict::Reason;

use self::round::Round;
use super::{pause::Pause, reason};
use crate::{
    config::{self, Refusal, Seconds, WordError},
    context::Context,
    detect::{LEAST, Spared, Tally},
    failure::{Code, Exit, Failure, Outcome},
    observe::samples::Samples,
};

/// Block source prefixes that send too many frames that fail the rule
///
/// Watches until it is interrupted. Events show where a part of such frames comes from, and counters say how many there are:
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
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = over)]
    over: Seconds,
    /// For how long: more is given when half of it is over
    #[arg(long = "for", value_name = "TIME", default_value = "10m")]
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
    /// End after this many seconds
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
    let spared = spared(args).map_err(Failure::refused)?;
    let reasons = if args.reason.is_empty() { REASONS[..OF_RULE].to_vec() } else { args.reason.clone() };
    let mut samples = Samples::open(&context.pin_root, args.service.clone(), reasons)?;
    if let Some(wanted) = &args.service {
        config::known(wanted, samples.services()).map_err(Failure::refused)?;
    }
    greet(context, args, kept(&samples)?)?;
    let mut round = Round::new(args, spared);
    watch(context, args, &mut samples, &mut round)
}

fn spared(args: &Args) -> Result<Spared, Refusal> {
    let mut spared = Spared::default();
    for text in &args.never {
        spared.say(text)?;
    }
    for path in &args.never_file {
        let refuse =
            |message: String, help: String| Refusal { message: format!("{}: {message}", path.display()), help };
        let text = fs::read_to_string(path).context("cannot be read");
        let text = text.map_err(|error| refuse(format!("{error:#}"), "name a file of prefixes, one a line".into()))?;
        spared.say_all(&text).map_err(|Refusal { message, help }| refuse(message, help))?;
    }
    Ok(spared)
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

/// Looks again and again, and decides when it is time.
fn watch(context: &mut Context<'_>, args: &Args, samples: &mut Samples, round: &mut Round<'_>) -> Outcome {
    let mut pause = Pause::new()?;
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let over = Duration::from_secs(args.over.0.into());
    let mut refused = samples.refused()?;
    let (mut begin, mut tally) = (Instant::now(), Tally::new(args.prefix));
    while pause.wait() {
        samples.look()?.into_iter().for_each(|sample| tally.add(sample));
        // The next round begins here: to write takes time too.
        let now = Instant::now();
        if now - begin >= over {
            kept(samples)?;
            refused.tell(samples.refused()?);
            round.end(context, &std::mem::replace(&mut tally, Tally::new(args.prefix)), now - begin)?;
            begin = now;
        }
        let is_over = if args.once { round.has_ended() } else { end.is_some_and(|end| Instant::now() >= end) };
        if is_over {
            return Ok(if args.dry_run && round.has_found() { Exit::Differs } else { Exit::Done });
        }
    }
    Ok(Exit::Done)
}
