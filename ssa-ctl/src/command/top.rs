//! `top`: the counters and the slices out as a screen that is always of now, until somebody has enough.
//!
//! A look goes to the state, and the state to a screen; both are pure. `watch` alone waits, and `look` alone reads.

mod counted;
mod draw;
mod history;
mod interval;
mod keys;
mod look;
mod rows;
#[cfg(test)]
mod samples;
mod screen;
mod sliced;
mod sourced;
mod state;
mod view;
mod watch;

use std::{
    env,
    io::{IsTerminal as _, stdin, stdout},
    time::Instant,
};

use self::{draw::Paint, interval::Interval, state::State, watch::Watch};
use crate::{
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    output,
};

/// Show rates of services, reasons, treatments, slices and endpoints on the whole terminal
///
/// Keys 1 to 6 or Tab switch between them and the sources of events, up and down choose a service, p pauses, q quits, and ?
/// shows all keys. Rates are differences of counters over the time between two looks. It changes nothing, and waits while
/// nothing is loaded.
#[derive(clap::Args)]
pub struct Args {
    /// The time between two looks: 1s to 1h
    #[arg(long, value_name = "TIME", default_value = "1s")]
    interval: Interval,
    /// Only this service
    service: Option<String>,
}

/// Shows the screen.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    if context.json {
        let failure = Failure::new(Code::Invalid, "top draws a screen, and has no JSON");
        return Err(failure.hint("take one object a second from: ssa-ctl stats --watch --json"));
    }
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    if !stdout().is_terminal() || !stdin().is_terminal() || is_dumb {
        let failure = Failure::new(Code::Invalid, "top needs a terminal with a screen that it can draw on");
        return Err(failure.hint("without one: ssa-ctl stats --watch, or ssa-ctl stats --json"));
    }
    let mut watch = Watch {
        pin_root: &context.pin_root.clone(),
        state: State::new(args.interval, args.service.clone()),
        paint: Paint { colours: output::has_colours() },
        start: Instant::now(),
        events: None,
    };
    // What will not mend by itself is said now; what may be loaded later is waited for.
    if let Err(failure) = look::at_counters(&context.pin_root, args.service.as_deref())
        && failure.code != Code::NotLoaded
    {
        return Err(failure);
    }
    watch.look();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch.run())?;
    Ok(Exit::Done)
}
