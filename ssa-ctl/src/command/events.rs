//! `events`: frames that were not plainly good, as the program has kept them, out: to read, as JSON, or as a capture.

mod file;
mod pcapng;
mod show;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use ssa_common::verdict::Reason;

use self::file::File;
use super::{pause::Pause, reason};
use crate::{
    config,
    context::Context,
    failure::{Exit, Failure, Outcome},
    observe::events::{Batch, Event, Reader},
};

/// Show frames that were not plainly good: which, why, and what became of them
///
/// The filter keeps the first 128 octets of frames that fail the rule, are dropped or get low priority, as they came in, but
/// never more than `events` of [host] a second; `stats` says how many there were. Without options, what is kept is printed,
/// the oldest first. Any number of readers may read at once: none takes anything away.
#[derive(clap::Args)]
pub struct Args {
    /// Go on with what comes, until interrupted; with --json one object a line
    #[arg(long)]
    follow: bool,
    /// With --follow: stop after this many events
    #[arg(long, value_name = "N", requires = "follow", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// With --follow: stop after this many seconds
    #[arg(long, value_name = "N", requires = "follow", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    seconds: Option<u64>,
    /// Only events of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only events with this reason; may be given several times
    #[arg(long, value_name = "REASON", value_parser = reason(&Reason::ALL))]
    reason: Vec<Reason>,
    /// Write a capture for Wireshark instead, in which each frame has the reason as a comment; - is standard output
    #[arg(long, value_name = "FILE.pcapng")]
    write: Option<PathBuf>,
    /// With --write: replace the file if there is one
    #[arg(long, requires = "write")]
    force: bool,
}

/// Shows the events.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let mut reader = Reader::open(&context.pin_root)?;
    if let Some(wanted) = &args.service {
        config::known(wanted, reader.services()).map_err(Failure::refused)?;
    }
    let mut sink = Sink::new(args)?;
    let rate = reader.rate()?;
    if rate == 0 {
        let hint = "set events in [host] of the config, such as events = 100, and apply it";
        writeln!(context.err, "no events are kept: {hint}")?;
    }
    if args.follow {
        follow(context, args, &mut reader, &mut sink)?;
    } else {
        let batch = wanted(args, reader.look()?);
        sink.take(context, args, &batch)?;
        if context.json && args.write.is_none() {
            let events: Vec<Value> = batch.events.iter().map(show::object).collect();
            context.object(&json!({ "events": events, "overwritten": batch.overwritten, "rate": rate }))?;
        }
    }
    sink.end(context)?;
    Ok(Exit::Done)
}

/// Looks again and again.
fn follow(context: &mut Context<'_>, args: &Args, reader: &mut Reader, sink: &mut Sink) -> Result<(), Failure> {
    let mut pause = Pause::new()?;
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut refused = reader.refused()?;
    loop {
        refused.tell(reader.refused()?);
        // What was there when the time was over is still told.
        let is_over = end.is_some_and(|end| Instant::now() >= end);
        let mut batch = wanted(args, reader.look()?);
        let left = args.count.map(|count| count - sink.told);
        if let Some(left) = left.and_then(|left| usize::try_from(left).ok()) {
            batch.events.truncate(left);
        }
        sink.take(context, args, &batch)?;
        if is_over || args.count.is_some_and(|count| sink.told >= count) || !pause.wait() {
            return Ok(());
        }
    }
}

/// The events that are asked for.
fn wanted(args: &Args, mut batch: Batch) -> Batch {
    let of_service = |event: &Event| args.service.is_none() || args.service == event.service;
    let of_reason = |event: &Event| args.reason.is_empty() || args.reason.contains(&event.reason);
    batch.events.retain(|event| of_service(event) && of_reason(event));
    batch
}

/// Where events go.
struct Sink {
    file: Option<File>,
    told: u64,
    overwritten: u64,
}

impl Sink {
    fn new(args: &Args) -> Result<Self, Failure> {
        let file = args.write.as_deref().map(|path| File::open(path, args.follow, args.force)).transpose()?;
        Ok(Self { file, told: 0, overwritten: 0 })
    }

    /// Tells a batch, all at once.
    fn take(&mut self, context: &mut Context<'_>, args: &Args, batch: &Batch) -> Result<(), Failure> {
        self.told += batch.events.len() as u64;
        self.overwritten += batch.overwritten;
        if let Some(file) = &mut self.file {
            return file.take(context.out, &batch.events);
        }
        if context.json && !args.follow {
            // One object for all of them.
            return Ok(());
        }
        if context.json {
            if batch.overwritten > 0 {
                writeln!(context.out, "{}", json!({ "overwritten": batch.overwritten }))?;
            }
            for event in &batch.events {
                writeln!(context.out, "{}", show::object(event))?;
            }
        } else {
            if batch.overwritten > 0 {
                writeln!(context.err, "{}", show::overwritten(batch.overwritten))?;
            }
            for event in &batch.events {
                writeln!(context.out, "{}", show::line(event))?;
            }
        }
        context.out.flush()?;
        Ok(())
    }

    fn end(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Some(file) = self.file else { return Ok(()) };
        let path = file.end()?;
        let shown = path.as_ref().map(|path| path.display().to_string());
        if context.json
            && let Some(path) = &shown
        {
            context.object(&json!({ "file": path, "written": self.told, "overwritten": self.overwritten }))?;
            return Ok(());
        }
        if self.overwritten > 0 {
            writeln!(context.err, "{}", show::overwritten(self.overwritten))?;
        }
        let (events, path) = (show::events(self.told), shown.as_deref().unwrap_or("standard output"));
        writeln!(context.err, "{events} written to {path}")?;
        Ok(())
    }
}
