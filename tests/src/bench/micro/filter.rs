//! A config and frames in; subjects whose frame was seen to go the way that is to be measured, out.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use aya::programs::ProgramFd;
use ssa_common::{
    rows::Cell,
    verdict::{Reason, Treatment, Verdict},
};
use ssa_ctl::{
    kernel::{instance::block_table, sandbox::Sandbox},
    plan::{blocks::Block, low::Queue, numbers::Numbers, tables::Tables},
};

use super::subject::Subject;
use crate::{
    frames::Case,
    run::{self, Config},
};

/// The program over the rows of a config.
pub(super) struct Filter {
    sandbox: Sandbox,
    numbers: Numbers,
    program: ProgramFd,
    before: Vec<Cell>,
}

impl Filter {
    /// Loads it; its clock begins at `time`.
    pub(super) fn new(config: &Config, time: u64) -> Result<Self> {
        Self::with_blocks(config, time, &[])
    }

    /// The same with a block list.
    pub(super) fn with_blocks(config: &Config, time: u64, list: &[Block]) -> Result<Self> {
        let (tables, numbers) = config.tables(&Numbers::default());
        Self::over(&tables.with_blocks(block_table(list)?), numbers, time)
    }

    /// The same over any rows.
    pub(super) fn over(tables: &Tables, numbers: Numbers, time: u64) -> Result<Self> {
        let mut sandbox = Sandbox::new(tables)?;
        sandbox.set_clock(time)?;
        let program = sandbox.parts()?.0.fd()?.try_clone()?;
        let before = sandbox.counts()?;
        Ok(Self { sandbox, numbers, program, before })
    }

    /// The program.
    pub(super) const fn program(&self) -> &ProgramFd {
        &self.program
    }

    /// Runs a case once. It must get the action of the case, and move the cell of the case alone.
    pub(super) fn subject(&mut self, case: &Case) -> Result<Subject> {
        let action = run::action(case.treatment);
        self.left(case, action)?;
        Ok(Subject::new(self.program.try_clone()?, case.frame.clone(), linear(case), action))
    }

    /// Runs a case once. It must get this action, and move the cell of the case alone. The frame as it is then.
    pub(super) fn left(&mut self, case: &Case, action: u32) -> Result<Vec<u8>> {
        self.check(case, action).with_context(|| case.name.clone())
    }

    /// From now on the slices of a service have had another owner, which keeps its connections for some seconds, or kept
    /// them until some seconds ago.
    pub(super) fn hand_over(&self, service: &str, previous: u32, seconds: i64) -> Result<()> {
        let (instance, ticks) = (self.sandbox.instance(), self.sandbox.ticks());
        let until = ticks.now().saturating_add_signed(seconds * i64::from(ticks.hertz()));
        let slices = instance.running()?.tables.slices;
        let (words, place) = slices.of(service).zip(slices.places.get(service)).context("a service without slices")?;
        let moves: Vec<_> = (place.first..).zip(words).map(|(at, word)| (at, word.after(previous, until))).collect();
        instance.move_slices(&moves).map(drop)
    }

    /// Frames of each slice of a service that went on.
    pub(super) fn slice_frames(&self, service: &str) -> Result<Vec<u64>> {
        let instance = self.sandbox.instance();
        let slices = instance.running()?.tables.slices;
        let place = slices.places.get(service).context("a service without slices")?;
        instance.slice_frames(*place).context("its slices are not counted")
    }

    /// Makes a queue for a CPU, in which suspects wait.
    pub(super) fn make_queue(&self, queue: Queue) -> Result<()> {
        self.sandbox.instance().queues.make(queue)
    }

    /// Sees that no suspect was left without the mark or the queue that its service wants.
    pub(super) fn check_served(&self) -> Result<()> {
        let instance = self.sandbox.instance();
        for service in 0..instance.meta.services {
            let (unmarked, unqueued) = instance.unserved(service)?;
            ensure!(
                (unmarked, unqueued) == (0, 0),
                "of the suspects of service {service}, {unmarked} have no mark and {unqueued} no queue, and none should"
            );
        }
        Ok(())
    }

    fn check(&mut self, case: &Case, action: u32) -> Result<Vec<u8>> {
        let number = |name| self.numbers.get(name).context("no such service");
        let service = case.service.map_or(Ok(0), number)?;
        let Case { reason, treatment, would_drop, .. } = *case;
        let wanted = run::cell(&Verdict { service, reason, treatment, would_drop });
        let before = self.sandbox.counts()?;
        let ran = self.sandbox.run(&case.frame, linear(case))?;
        let moved = run::moved(&before, &self.sandbox.counts()?);
        ensure!(ran.action == action, "the action is {}, and should be {action}", ran.action);
        if let [(place, 1, _)] = moved[..]
            && place == wanted
        {
            return Ok(ran.frame);
        }
        let moved: Vec<_> = moved.iter().map(|&(place, ..)| run::name(place)).collect();
        bail!("it should be counted by {}, and moved {moved:?}", run::name(wanted))
    }

    /// From here on is counted what is measured.
    pub(super) fn begin(&mut self) -> Result<()> {
        self.before = self.sandbox.counts()?;
        Ok(())
    }

    /// How often each reason and treatment was counted since, whatever the service, and for how many services.
    pub(super) fn counted(&self) -> Result<BTreeMap<u32, (u64, usize)>> {
        let mut sums = BTreeMap::new();
        for (place, packets, _) in run::moved(&self.before, &self.sandbox.counts()?) {
            let (sum, services) = sums.entry(u32::try_from(place)? % Verdict::CELLS).or_insert((0, 0));
            *sum += packets;
            *services += 1;
        }
        Ok(sums)
    }
}

/// Where a case is counted, whatever the service.
pub(super) fn cell(reason: Reason, treatment: Treatment, would_drop: bool) -> u32 {
    Verdict { service: 0, reason, treatment, would_drop }.cell()
}

fn linear(case: &Case) -> Option<u32> {
    case.linear.and_then(|linear| u32::try_from(linear).ok())
}
