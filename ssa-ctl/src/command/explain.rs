//! `explain`: an address pair in; what the filter makes of it, and why, out.

mod blocks;
mod frame;
mod host;

use std::{net::Ipv6Addr, path::PathBuf};

use self::blocks::Blocks;
pub use self::{
    blocks::Blocked,
    frame::{LINK_OCTETS, Question},
    host::{Epoch, Explanation, Field, Kernel, explain},
};
use anyhow::Context as _;
use aya::programs::ProgramInfo;
use ssa_common::verdict::{Reason, Treatment};

use crate::{
    change::ticks,
    config::{Allow, Config, keys::KeyRings},
    context::{Context, unix},
    failure::{Code, Exit, Failure, Outcome},
    kernel::{clock, instance::Instance, netlink::Host, object, permission, pins::Pins, sandbox::Sandbox, ways},
    plan::{
        ground::{Ground, Neighbourhood},
        numbers::Numbers,
        shape::Shape,
        slices::Before,
        tables::Tables,
    },
};

/// Say what the filter makes of an address pair, and why
///
/// Shows the service, the reason, and each field of the rule with what it should hold and what it holds; for a field
/// with epochs, the one in which it would be valid; and for a slice its endpoint, the one before while that keeps its
/// connections, and the way there; for a blocked source the entry of the block list. With `--config` the law of that file
/// alone is asked, which needs no privilege, and every way is taken for known; else the loaded program too, and the two must
/// agree.
///
/// Exit codes: 0 explained, whatever the verdict; 3 the program and the law of this host differ; 4 nothing is loaded.
#[derive(clap::Args)]
pub struct Args {
    /// The client's address
    source: Ipv6Addr,
    /// The address it used
    destination: Ipv6Addr,
    /// What it speaks: tcp/443, udp/53, icmpv6, or a protocol number; if not given, what the service takes first
    #[arg(long, value_name = "PROTO")]
    proto: Option<Allow>,
    /// When it did, in Unix seconds; now, if not given
    #[arg(long, value_name = "UNIXTIME", value_parser = super::unix_time())]
    at: Option<u64>,
    /// Take this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Explains a pair.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let (config, rings) = super::config_and_keys(context, args.config.as_deref())?;
    // To load the program takes a while: the time is taken behind it, so that both are asked about the same moment.
    let loaded = if args.config.is_none() {
        let blocks = Blocks::read(context, args.at)?;
        let standing = blocks.standing()?;
        let (instance, sandbox) = sandbox(context, |tables| tables.with_blocks(standing.clone()))?;
        Some((instance, sandbox, blocks, standing))
    } else {
        None
    };
    let question = question(context, args, &config);
    let explanation = match loaded {
        None => explain(&config, &rings, &tables_by_itself(&config, &rings)?, None, &question),
        Some((instance, sandbox, blocks, standing)) => {
            let running = instance.running()?.tables;
            let ways = ways::in_force(&config, &Host::ask()?, &running)?;
            let tables = tables_of(&instance, &running, &ways, &config, &rings)?.with_blocks(standing);
            sandbox.instance().believe(tables.endpoints.iter().map(|row| (*row, row.hop)))?;
            let mut explanation = explain(&config, &rings, &tables, Some(&ways), &question);
            let now = unix(clock::now(context.now));
            let hertz = instance.meta.hertz;
            let ticks = ticks(&Pins::new(&context.pin_root))?.now();
            let ticks =
                ticks.saturating_add_signed((question.time.cast_signed() - now.cast_signed()) * i64::from(hertz));
            explanation.note_blocked(blocks.blocking(args.source));
            explanation.note_handover(&config, &running, (ticks, hertz));
            let (reason, treatment) = ask_program(&instance, sandbox, &question, args.at)?;
            explanation.with_kernel(reason, treatment)
        }
    };
    if context.json {
        context.object(&explanation)?;
    } else {
        text(context, &explanation)?;
    }
    Ok(if explanation.agree == Some(false) { Exit::Differs } else { Exit::Done })
}

/// The rows of the running config for a clock of one tick a second: of this host, and with the slices as they are.
fn tables_of(
    instance: &Instance,
    running: &Tables,
    ways: &Neighbourhood,
    config: &Config,
    rings: &KeyRings,
) -> anyhow::Result<Tables> {
    let config = config.clone().without_owners();
    let before = Before { config: &config, slices: &running.slices, ticks: 0, rebalance: None };
    let numbers = instance.numbers()?;
    let ground = Ground { before: Some(before), host: Some(ways), ..Ground::new(1, instance.shape(), &numbers) };
    Tables::compile_for(&config, rings, &ground)
}

/// The rows of a config by itself, for a clock of one tick a second: with this host as the endpoint that it would be.
fn tables_by_itself(config: &Config, rings: &KeyRings) -> anyhow::Result<Tables> {
    // Whoever may not ask has a host without addresses.
    let host = Host::ask().unwrap_or_default();
    let host = Neighbourhood { endpoint: ways::own(config, &host), ..Neighbourhood::default() };
    let numbers = Numbers::default().next(config, u32::MAX);
    let ground = Ground { host: Some(&host), ..Ground::new(1, Shape::of(config, 0), &numbers) };
    Tables::compile_for(config, rings, &ground)
}

/// What the program makes of the question, over copies of the rows in force: nothing of the instance moves.
fn ask_program(
    instance: &Instance,
    mut sandbox: Sandbox,
    question: &Question,
    at: Option<u64>,
) -> Result<(Reason, Treatment), Failure> {
    match at {
        Some(unix) => sandbox.set_clock(unix)?,
        // The clock as it was published is the one that packets are judged by.
        None => sandbox.instance().publish(instance.clock()?)?,
    }
    let verdict = sandbox.judge(&question.frame(), None)?;
    Ok((verdict.reason, verdict.treatment))
}

/// The instance, and the program that it runs over copies of the rows in force, changed as wished. Another build's program
/// is refused.
pub(super) fn sandbox(
    context: &Context<'_>,
    change: impl FnOnce(Tables) -> Tables,
) -> Result<(Instance, Sandbox), Failure> {
    permission::check()?;
    let another = || {
        Failure::new(Code::Failed, "the loaded program is of another build than this ssa-ctl")
            .hint("apply the config to bring this build into force; explain --config FILE needs none")
    };
    let pins = Pins::new(&context.pin_root);
    let instance = Instance::open(&pins, true)?;
    if instance.meta.build != object::build() {
        return Err(another());
    }
    let mut sandbox = Sandbox::new(&change(instance.running()?.tables.forgetting()))?;
    let pinned = ProgramInfo::from_pin(pins.filter()).context("cannot ask about the pinned program")?;
    if pinned.tag() == sandbox.tag()? { Ok((instance, sandbox)) } else { Err(another()) }
}

fn question(context: &Context<'_>, args: &Args, config: &Config) -> Question {
    let has = |prefixes: &[ipnet::Ipv6Net]| prefixes.iter().any(|prefix| prefix.contains(&args.destination));
    let service = config.services.iter().find(|service| has(&service.prefixes));
    let first = service.and_then(|service| service.allow.as_ref()?.first().copied());
    Question {
        source: args.source,
        destination: args.destination,
        proto: args.proto.or(first).unwrap_or(Allow { protocol: ssa_common::parse::protocol::TCP, port: None }),
        time: args.at.unwrap_or_else(|| unix(clock::now(context.now))),
    }
}

fn text(context: &mut Context<'_>, explanation: &Explanation) -> std::io::Result<()> {
    let Explanation { reason, class, treatment, .. } = explanation;
    let service = explanation.service.as_deref().unwrap_or("none: the destination is outside all services");
    writeln!(context.out, "service    {service}\nreason     {reason}\nclass      {class}")?;
    let would_drop = if explanation.would_drop { " (not enforced: it would be dropped)" } else { "" };
    writeln!(context.out, "treatment  {treatment}{would_drop}")?;
    if let Some(Blocked { prefix, origin, reason, seconds }) = &explanation.blocked {
        let time = seconds.map_or_else(|| "for ever".to_owned(), |seconds| format!("for {seconds} s more"));
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        writeln!(context.out, "blocked    {prefix} by the {}, {time}{why}", origin.name())?;
    }
    if let Some(slice) = explanation.slice {
        writeln!(context.out, "slice      {slice}")?;
    }
    if let Some(endpoint) = &explanation.endpoint {
        writeln!(context.out, "endpoint   {endpoint}")?;
    }
    if let Some((previous, seconds)) = explanation.previous.as_ref().zip(explanation.seconds) {
        writeln!(context.out, "previous   {previous} keeps its connections for {seconds} s more")?;
    }
    match (&explanation.way, &explanation.no_way) {
        (Some(way), _) => writeln!(context.out, "way        {way}")?,
        (None, Some(why)) => writeln!(context.out, "way        none: {why}")?,
        (None, None) => {}
    }
    if let Some(Kernel { reason, treatment }) = explanation.kernel {
        let verdict = if explanation.agree == Some(true) { "agrees" } else { "DIFFERS" };
        writeln!(context.out, "program    {verdict}: {reason}, {treatment}")?;
    }
    if explanation.first_packet {
        writeln!(context.out, "asked as   a first packet: known connections and shares are not looked up")?;
    }
    if explanation.rule == Some("previous") {
        writeln!(context.out, "rule       the previous one")?;
    }
    if explanation.fields.is_empty() {
        return Ok(());
    }
    writeln!(context.out)?;
    let row = |field: &Field| {
        let epoch = field.epoch.map_or_else(String::new, |epoch| {
            format!("{} (Unix seconds {} to {})", epoch.number, epoch.from, epoch.until - 1)
        });
        let ok = if field.ok { "yes" } else { "NO" };
        [field.field.clone(), field.expected.clone(), field.found.clone(), ok.to_owned(), epoch]
    };
    context.table(["FIELD", "EXPECTED", "FOUND", "RIGHT", "VALID IN EPOCH"], explanation.fields.iter().map(row))
}
