//! The end of a round: a tally in; entries of the block list written, all at once, and what they are, out.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use ipnet::Ipv6Net;
use ssa_common::layout::BLOCKS;

use super::{
    Args,
    show::{self, Told},
};
use crate::{
    change::{InForce, Manner, edit_blocks},
    config::Seconds,
    context::Context,
    detect::{Action, Decision, Settings, Spared, Tally, decide},
    failure::{Code, Failure},
    kernel::netlink::Host,
    plan::blocks::{Edit, Entry, Origin, Place, Remove, Time},
};

/// How often an instance may be found changed while it is read.
const TRIES: u32 = 10;

/// Ends rounds.
pub(super) struct Round<'a> {
    args: &'a Args,
    /// What the user spares.
    spared: Spared,
    /// Spared prefixes that were told.
    told: HashSet<Ipv6Net>,
    /// What a dry run would have blocked, and until when.
    pretended: BTreeMap<Ipv6Net, Instant>,
    ended: u64,
    has_found: bool,
}

/// What a round is decided by.
struct Ground {
    /// What the detector blocks, with the seconds that are left.
    listed: BTreeMap<Ipv6Net, u64>,
    /// All that is never blocked.
    spared: Spared,
    /// Prefixes that the block list has room for.
    room: usize,
}

impl<'a> Round<'a> {
    pub(super) fn new(args: &'a Args, spared: Spared) -> Self {
        Self { args, spared, told: HashSet::new(), pretended: BTreeMap::new(), ended: 0, has_found: false }
    }

    /// Whether any round has ended.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended > 0
    }

    /// Whether anything was to be done in any.
    pub(super) const fn has_found(&self) -> bool {
        self.has_found
    }

    /// Ends a round that took so long.
    ///
    /// # Errors
    /// Where nothing is loaded any more, or nobody may write. What another round may not meet ends a single one alone.
    pub(super) fn end(&mut self, context: &mut Context<'_>, tally: &Tally, over: Duration) -> Result<(), Failure> {
        self.ended += 1;
        let (decision, is_full) = match self.decide(context, tally, over) {
            Ok(decided) => decided,
            Err(failure) if !self.args.once && matches!(failure.code, Code::Failed | Code::Invalid) => {
                writeln!(context.err, "nothing is blocked in this round: {:#}", failure.error)?;
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        let Args { dry_run, once, time: Seconds(seconds), most, .. } = *self.args;
        show::tell(context, &decision, &Told { dry_run, is_whole: once, seconds, most, is_full })?;
        Ok(())
    }

    /// What it comes to, and whether the list is full then.
    fn decide(
        &mut self,
        context: &mut Context<'_>,
        tally: &Tally,
        over: Duration,
    ) -> Result<(Decision, bool), Failure> {
        let Args { above, most, time: Seconds(seconds), .. } = *self.args;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let Ground { listed, spared, room } =
            InForce::steadily(&context.pin_root, TRIES, |in_force| self.ground(in_force))?;
        let settings = Settings { above: above.into(), seconds: seconds.into(), most, room };
        let mut decision = decide(tally, over.as_secs_f64(), &listed, &spared, settings);
        // Of those that are left alone nothing changes: once is enough.
        decision.found.retain(|found| found.action != Action::Spare || self.told.insert(found.prefix));
        self.write(context, &decision)?;
        let added = decision.found.iter().filter(|found| found.action == Action::Block).count();
        Ok((decision, added == room))
    }

    fn ground(&self, in_force: &InForce) -> Result<Ground, Failure> {
        let (ticks, hertz) = (in_force.now()?, in_force.instance.meta.hertz);
        let blocks = in_force.instance.blocks()?;
        let live = blocks.iter().filter(|block| block.is_live(ticks));
        let taken = live.clone().count();
        let ours = live.filter(|block| block.origin == Origin::Detector);
        let mut listed: BTreeMap<_, _> =
            ours.map(|block| (block.prefix, block.seconds(ticks, hertz).unwrap_or(u64::MAX))).collect();
        let now = Instant::now();
        let pretended = self.pretended.iter().filter(|(_, until)| **until > now);
        let written = listed.len();
        listed.extend(pretended.map(|(prefix, until)| (*prefix, (*until - now).as_secs())));
        let mut spared = self.spared.clone();
        let config = &in_force.config;
        for service in &config.services {
            for prefix in &service.prefixes {
                spared.add(*prefix, format!("{prefix} of the service {}", service.name));
            }
        }
        for endpoint in &config.endpoints {
            spared.add(endpoint.address.into(), format!("{} of the endpoint {}", endpoint.address, endpoint.name));
        }
        for (_, address) in Host::ask()?.addresses {
            spared.add(address.into(), format!("{address} of this host"));
        }
        let room = BLOCKS.saturating_sub(taken + listed.len() - written);
        Ok(Ground { listed, spared, room })
    }

    /// Writes all of a round at once.
    fn write(&mut self, context: &mut Context<'_>, decision: &Decision) -> Result<(), Failure> {
        let Seconds(seconds) = self.args.time;
        let found = decision.found.iter().filter(|found| found.action != Action::Spare);
        let add: Vec<_> = found
            .map(|found| Entry {
                prefix: found.prefix,
                time: Time::For(seconds.into()),
                origin: Origin::Detector,
                reason: found.reason.clone(),
                added: None,
                place: Place::Alone,
            })
            .collect();
        if add.is_empty() {
            return Ok(());
        }
        self.has_found = true;
        let edit = Edit { remove: Remove::Nothing, add };
        // What could not be done is not pretended either.
        edit_blocks(context, &edit, Manner { dry_run: self.args.dry_run, force: false })?;
        if self.args.dry_run {
            let until = Instant::now() + Duration::from_secs(seconds.into());
            self.pretended.extend(edit.add.into_iter().map(|entry| (entry.prefix, until)));
        }
        Ok(())
    }
}
