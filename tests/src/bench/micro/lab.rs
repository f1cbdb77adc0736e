//! Nothing in; everything that is measured out: loaded, and each frame seen to go its way.

use std::{collections::BTreeMap, net::Ipv6Addr, ops::Range};

use anyhow::{Context as _, Result, ensure};
use aya::programs::ProgramFd;

use super::{
    blocks, cases, filter,
    filter::Filter,
    low,
    peer::Peer,
    services::{self, COUNTS},
    slices::{self, BITS, FLOODED},
    steer,
    subject::Subject,
    worst,
};
use crate::{
    bench::{Context, instruction::leave, program::Program},
    frames::Case,
    run::{Config, DROP, PASS},
};

/// The filter's clock: a quarter past an hour, which is the period of what has one.
const TIME: u64 = 1_700_000_100;
/// Where the destination is in a frame without tags.
const DESTINATION: Range<usize> = 38..54;

/// What is measured, and above which base.
pub(super) struct Row {
    /// Its id, without the section's name.
    pub(super) id: String,
    /// For people.
    pub(super) name: String,
    pub(super) subject: Subject,
    /// Which of the bases is what it costs above.
    pub(super) base: usize,
    /// The filter that counts it, and the cell.
    counted: Option<(usize, u32)>,
}

/// All of it.
pub(super) struct Lab {
    /// Programs that do nothing; the first by itself, the others behind a flood.
    pub(super) bases: Vec<Subject>,
    pub(super) rows: Vec<Row>,
    filters: Vec<Filter>,
    /// In force as long as they are measured.
    peers: Vec<Peer>,
}

impl Lab {
    /// Loads everything.
    pub(super) fn new(context: &Context) -> Result<Self> {
        let empty = Program::with_fragments(&leave(PASS.cast_signed()))?.as_xdp()?.fd()?.try_clone()?;
        let mut lab = Self { bases: vec![], rows: vec![], filters: vec![], peers: vec![] };
        let frame = services::frame(1, TIME).frame;
        lab.bases.push(Subject::new(empty.try_clone()?, frame.clone(), None, PASS));
        let filters = 8 + COUNTS.len() + BITS.len() + FLOODED.len();
        let phase = context.phase("micro: loading the filter", filters as u64);
        for group in cases::groups(TIME) {
            let mut config = Config::keyed(&group.services, group.keys, 0);
            if let Some(events) = group.events {
                config = config.events(events);
            }
            let filter = Filter::new(&config, TIME)?;
            let frames = group.frames.into_iter().map(|measured| (measured.id.to_owned(), measured.case));
            lab.filter(filter, frames)?;
            phase.step()?;
        }
        lab.low(&empty)?;
        phase.step()?;
        lab.peers(&frame)?;
        for count in COUNTS {
            lab.services(&empty, count)?;
            phase.step()?;
        }
        lab.steered(&empty)?;
        phase.step()?;
        let base = lab.bases.len();
        lab.bases.push(services::flood_base(&empty, 1, true)?);
        for is_full in [false, true] {
            lab.blocks(is_full, base)?;
            phase.step()?;
        }
        let slices = [(&BITS[..], false), (&FLOODED, true)];
        for (bits, counted) in slices.into_iter().flat_map(|(of, counted)| of.iter().map(move |bits| (*bits, counted)))
        {
            lab.slices(bits, counted, base)?;
            phase.step()?;
        }
        drop(phase);
        lab.worst(context)?;
        lab.begin()?;
        Ok(lab)
    }

    /// What was run so far was to see that it works.
    fn begin(&mut self) -> Result<()> {
        for row in &mut self.rows {
            row.subject.begin();
        }
        self.filters.iter_mut().try_for_each(Filter::begin)
    }

    /// A filter, and frames for it.
    fn filter(&mut self, mut filter: Filter, cases: impl IntoIterator<Item = (String, Case)>) -> Result<()> {
        for (id, case) in cases {
            let subject = filter.subject(&case)?;
            let cell = filter::cell(case.reason, case.treatment, case.would_drop);
            self.rows.push(Row { id, name: case.name, subject, base: 0, counted: Some((self.filters.len(), cell)) });
        }
        self.filters.push(filter);
        Ok(())
    }

    /// Services with suspects, known connections and shares.
    fn low(&mut self, empty: &ProgramFd) -> Result<()> {
        let mut filter = low::filter(TIME)?;
        let marked = self.bases.len();
        self.bases.push(low::base(empty)?);
        for treated in low::frames(TIME) {
            let subject = treated.subject(&mut filter)?;
            let base = if treated.is_marked { marked } else { 0 };
            let Case { name, reason, treatment, .. } = treated.case;
            let counted = Some((self.filters.len(), filter::cell(reason, treatment, false)));
            self.rows.push(Row { id: treated.id.into(), name, subject, base, counted });
        }
        self.filters.push(filter);
        Ok(())
    }

    /// The filter over so many services, with one frame, and with floods to the least and the most services.
    fn services(&mut self, empty: &ProgramFd, count: u16) -> Result<()> {
        self.filter(services::filter(count, TIME)?, [(format!("services/{count}"), services::frame(count, TIME))])?;
        if ![COUNTS[0], COUNTS[COUNTS.len() - 1]].contains(&count) {
            return Ok(());
        }
        let number = self.filters.len() - 1;
        for (conforming, which) in [(true, "conforming"), (false, "not-conforming")] {
            let (subject, cell) = services::flood(&mut self.filters[number], count, conforming)?;
            let of = services::frame(count, TIME).name;
            let name = format!("flood to {of}, {}", which.replace('-', " "));
            let (base, counted) = (self.bases.len(), Some((number, cell)));
            self.rows.push(Row { id: format!("flood/{count}/{which}"), name, subject, base, counted });
            self.bases.push(services::flood_base(empty, count, conforming)?);
        }
        Ok(())
    }

    /// Slices of this host and of others.
    fn steered(&mut self, empty: &ProgramFd) -> Result<()> {
        let own = steer::own(TIME).map(|measured| (measured.id.to_owned(), measured.case));
        self.filter(steer::filter(TIME)?, own)?;
        let number = self.filters.len() - 1;
        for change in steer::changes(TIME) {
            let base = self.bases.len();
            self.bases.push(change.base(empty)?);
            for changed in &change.frames {
                let subject = change.subject(changed, &mut self.filters[number])?;
                let Case { name, reason, treatment, .. } = &changed.case;
                let counted = Some((number, filter::cell(*reason, *treatment, false)));
                self.rows.push(Row { id: changed.id.into(), name: name.clone(), subject, base, counted });
            }
        }
        Ok(())
    }

    /// The filter with a block list, and a flood of sources that are not on it.
    fn blocks(&mut self, is_full: bool, base: usize) -> Result<()> {
        self.filter(blocks::filter(is_full, TIME)?, blocks::frames(is_full, TIME))?;
        if is_full {
            let number = self.filters.len() - 1;
            let (subject, cell) = services::flood(&mut self.filters[number], 1, true)?;
            let name = "flood of sources that are not blocked".to_owned();
            self.rows.push(Row { id: "flood-blocks".into(), name, subject, base, counted: Some((number, cell)) });
        }
        Ok(())
    }

    /// The filter over so many slices, with one frame, and with a flood to many, which costs above its own base.
    fn slices(&mut self, bits: u8, counted: bool, base: usize) -> Result<()> {
        let id = format!("slices{}/{}", if counted { "-counted" } else { "" }, 1 << bits);
        self.filter(slices::filter(bits, counted, TIME)?, [(id.clone(), slices::frame(bits, counted, TIME))])?;
        if FLOODED.contains(&bits) {
            let number = self.filters.len() - 1;
            let (subject, cell) = slices::flood(&mut self.filters[number], bits, counted)?;
            let name = format!("flood to {}", slices::name(bits, counted));
            self.rows.push(Row { id: format!("flood-{id}"), name, subject, base, counted: Some((number, cell)) });
        }
        Ok(())
    }

    fn worst(&mut self, context: &Context) -> Result<()> {
        let (filter, [worst, with_work]) = worst::of_the_table(TIME, context)?;
        let named =
            |id: &str, what, case: Case| (id.to_owned(), Case { name: format!("{what}: {}", case.name), ..case });
        self.filter(
            filter,
            [named("worst/table", "worst frame", worst), named("worst/table-pow", "worst frame with pow", with_work)],
        )?;
        let (filter, [mac, work]) = worst::built(TIME)?;
        self.filter(filter, [("worst/mac".to_owned(), mac), ("worst/pow".to_owned(), work)])
    }

    /// xdp-filter, with the destination on its list and with its neighbour.
    fn peers(&mut self, frame: &[u8]) -> Result<()> {
        let listed = frame[DESTINATION].first_chunk().map(|octets| Ipv6Addr::from(*octets)).context("a short frame")?;
        let mut other = frame.to_vec();
        other[DESTINATION][15] ^= 1;
        for (features, words) in [("ipv6", "xdp-filter"), ("all", "xdp-filter, all features")] {
            let peer = Peer::load(features, listed)?;
            for (frame, action, which) in [(frame, DROP, "listed"), (&other[..], PASS, "not-listed")] {
                let mut subject = Subject::new(peer.program.try_clone()?, frame.to_vec(), None, action);
                let name = format!("{words}, {}", which.replace('-', " "));
                subject.run(1).with_context(|| name.clone())?;
                let id = format!("xdp-filter/{features}/{which}");
                self.rows.push(Row { id, name, subject, base: 0, counted: None });
            }
            self.peers.push(peer);
        }
        Ok(())
    }

    /// Whether every run that was measured went the way of the one that was checked.
    pub(super) fn check_counters(&self) -> Result<()> {
        for (number, filter) in self.filters.iter().enumerate() {
            let mut wanted = BTreeMap::new();
            for row in &self.rows {
                if let Some((_, cell)) = row.counted.filter(|(of, _)| *of == number) {
                    *wanted.entry(cell).or_insert(0) += row.subject.runs();
                }
            }
            let counted = filter.counted()?.into_iter().map(|(cell, (packets, _))| (cell, packets));
            let counted: BTreeMap<u32, u64> = counted.collect();
            ensure!(counted == wanted, "while it was measured the filter counted {counted:?}, and not {wanted:?}");
            filter.check_served()?;
        }
        Ok(())
    }
}
