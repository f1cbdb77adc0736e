//! What was attached in; the same attached anew where DNS, this host's addresses or the wall clock say otherwise, until a signal.

use std::time::{Duration, SystemTime};

use tokio::time::{MissedTickBehavior, interval};

use super::{Args, anchors, called::Called, put};
use crate::{
    command::{current::Current, end::End},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    kernel::{
        cgroup::Cgroup,
        client::{self as programs, Anchor},
    },
};

/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);
/// By how much the wall clock may have been set before that is noticed: clocks are slewed all the time.
const SET: Duration = Duration::from_secs(1);

/// Follows until a signal; what is attached stays then.
pub(super) async fn follow(
    context: &mut Context<'_>,
    args: &Args,
    cgroup: &Cgroup,
    mut current: Current<'_>,
    (mut called, mut have): (Called, Vec<Anchor>),
    mut end: End,
) -> Outcome {
    let mut offset = programs::offset(SystemTime::now())?;
    // Whether it is known by what programs call the service, as it was found last.
    let (mut is_known, mut told) = (true, None);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = end.wanted() => return Ok(Exit::Done),
            _ = look.tick() => {}
        }
        if Cgroup::open(&args.cgroup).map_or(true, |now| now.id != cgroup.id) {
            return Err(Failure::new(Code::Failed, format!("the cgroup {} is gone", cgroup.path.display())));
        }
        let now = SystemTime::now();
        let changed = async {
            if current.refresh().await {
                is_known = false;
                let found = Called::find(args, &current).await?;
                called.replace(context, found);
                is_known = true;
            }
            if !is_known {
                return Ok(None);
            }
            let new = anchors(args, &current, &called.addresses)?;
            let shift = programs::offset(now)?.abs_diff(offset);
            let Some(what) = reason(new != have, Duration::from_nanos(shift)) else { return Ok(None) };
            put(context, cgroup, &current, new.clone(), now)?;
            offset = programs::offset(now)?;
            have = new;
            Ok::<_, Failure>(Some(what))
        };
        let Some(changed) = end.or(changed).await else { return Ok(Exit::Done) };
        match changed {
            Ok(None) if is_known => told = None,
            Ok(None) => {}
            Ok(Some(what)) => {
                told = None;
                say(context, &format!("attached anew: {what}"));
            }
            // Said once, until it is over or another.
            Err(failure) => {
                let why = format!("warning: {:#}; what is attached stays as it is", failure.error);
                if told.as_ref() != Some(&why) {
                    say(context, &why);
                    told = Some(why);
                }
            }
        }
    }
}

/// Why to attach anew, if at all: the anchors differ, or the wall clock was set by so much.
fn reason(differ: bool, shift: Duration) -> Option<&'static str> {
    if differ {
        return Some("what its calls need has changed");
    }
    (shift >= SET).then_some("the wall clock was set")
}

/// Says something to whoever is there: it goes on when nobody reads any more.
fn say(context: &mut Context<'_>, what: &str) {
    let _ = writeln!(context.err, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_set_is_a_reason() {
        let slewed = Duration::from_millis(999);
        assert_eq!((reason(false, Duration::ZERO), reason(false, slewed)), (None, None));
        assert_eq!(reason(false, SET), Some("the wall clock was set"));
        assert_eq!(reason(true, Duration::ZERO), Some("what its calls need has changed"));
    }
}
