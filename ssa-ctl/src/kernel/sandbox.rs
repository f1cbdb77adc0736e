//! Rows and a frame in; what the program makes of it out. Nothing is pinned, attached, or counted where it shows.

use std::time::SystemTime;

use anyhow::{Context as _, bail};
use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use ssa_common::{
    rows::{Cell, ClockRow, EndpointRow, FLAG_FLOWS, HopRow},
    verdict::{Reason, Treatment, Verdict},
};

use super::{
    clock::Ticks,
    create::{self, Made},
    instance::Instance,
    stopwatch,
};
use crate::plan::{blocks, shape::Shape, tables::Tables};

/// Flows that it remembers, where its rows want that.
const FLOWS: u32 = 4096;

/// The program with maps of its own.
pub struct Sandbox {
    made: Made,
    ticks: Ticks,
}

/// What the program made of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The XDP action.
    pub action: u32,
    /// The frame as the program left it.
    pub frame: Vec<u8>,
}

impl Sandbox {
    /// Loads the program over copies of these rows.
    pub fn new(tables: &Tables) -> anyhow::Result<Self> {
        let list = tables.blocks.list();
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        let shape = Shape {
            services: count(tables.services.len()),
            prefixes: count(tables.prefixes.len()),
            chunks: 1,
            slices: count(tables.slices.words.len()),
            slice_cells: tables.prefixes.iter().map(|row| row.slices.cells).max().unwrap_or(0),
            endpoints: count(tables.endpoints.len()),
            flows: if tables.prefixes.iter().any(|row| row.flags & FLAG_FLOWS != 0) { FLOWS } else { 0 },
            shares: tables.services.iter().map(|row| row.fair.rows).max().unwrap_or(0),
            blocks: blocks::slots(&list),
        };
        let mut made = create::make(shape)?;
        made.instance.put_in_force(tables, "", 1)?;
        made.instance.put_blocks(&list)?;
        made.instance.believe(tables.endpoints.iter().map(|endpoint| (*endpoint, believed(endpoint))))?;
        let ticks = Ticks::read(made.object.probe()?)?;
        let sandbox = Self { made, ticks };
        sandbox.instance().publish(ticks.row(SystemTime::now()))?;
        Ok(sandbox)
    }

    /// The maps.
    pub const fn instance(&self) -> &Instance {
        &self.made.instance
    }

    /// The program and its maps: for those who run the one while they change the other.
    pub fn parts(&mut self) -> anyhow::Result<(&Xdp, &Instance)> {
        let Made { object, instance } = &mut self.made;
        Ok((object.filter()?, instance))
    }

    /// Sets the program's clock: it is the middle of this second, and goes on from there.
    pub fn set_clock(&self, unix: u64) -> anyhow::Result<()> {
        let hertz = u64::from(self.ticks.hertz());
        let jiffies = self.ticks.now();
        let offset = (unix * hertz + hertz / 2).wrapping_sub(jiffies);
        self.instance().publish(ClockRow { offset, published: jiffies })
    }

    /// How the program's ticks lie to other clocks.
    pub const fn ticks(&self) -> &Ticks {
        &self.ticks
    }

    /// Runs the program on a frame; `linear` octets of it in the linear part (Linux 6.18), the rest in fragments.
    pub fn run(&mut self, frame: &[u8], linear: Option<u32>) -> anyhow::Result<Ran> {
        let mut out = vec![0; frame.len() + 64];
        // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        let context =
            linear.map(|linear| [0, linear, 0, 0, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<u8>>());
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ctx_in: context.as_deref(),
            ..TestRunOptions::default()
        };
        let result = self.made.object.filter()?.test_run(options).context("cannot run the filter")?;
        out.truncate(result.data_size_out as usize);
        Ok(Ran { action: result.return_value, frame: out })
    }

    /// Runs the program on a frame and says what it counted.
    pub fn judge(&mut self, frame: &[u8], linear: Option<u32>) -> anyhow::Result<Verdict> {
        let all = 0..self.instance().meta.services;
        self.judge_of(frame, linear, all)?.context("the program counted the frame in no cell")
    }

    /// The same, where only the cells of these services are looked at. None: it counted in none of them.
    pub fn judge_of(
        &mut self,
        frame: &[u8],
        linear: Option<u32>,
        services: impl IntoIterator<Item = u32>,
    ) -> anyhow::Result<Option<Verdict>> {
        let cells = |sandbox: &Self, service| sandbox.instance().cells(service);
        let before = services.into_iter().map(|service| Ok((service, cells(self, service)?)));
        let before = before.collect::<anyhow::Result<Vec<_>>>()?;
        self.run(frame, linear)?;
        let mut moved = Vec::new();
        for (service, before) in before {
            let pairs = (0..).zip(before.into_iter().zip(cells(self, service)?));
            moved.extend(pairs.filter(|(_, (before, after))| before != after).map(|(cell, _)| (service, cell)));
        }
        let (service, cell) = match moved[..] {
            [] => return Ok(None),
            [place] => place,
            _ => bail!("the program counted the frame in several cells"),
        };
        let (reason, treatment, would_drop) = Verdict::of_cell(cell).context("no such cell")?;
        Ok(Some(Verdict { service, reason, treatment, would_drop }))
    }

    /// Runs the program on a frame many times; nanoseconds a run. How often that was, its counters say.
    pub fn time(&mut self, frame: &[u8]) -> anyhow::Result<f64> {
        stopwatch::time(self.made.object.filter()?.fd()?, frame).context("cannot run the filter")
    }

    /// The tag by which the kernel knows the program's instructions.
    pub fn tag(&mut self) -> anyhow::Result<u64> {
        Ok(self.made.object.filter()?.info()?.tag())
    }

    /// The cells of all services.
    pub fn counts(&self) -> anyhow::Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for service in 0..self.instance().meta.services {
            cells.extend(self.instance().cells(service)?);
        }
        Ok(cells)
    }
}

/// What the controller found of a way, or that the next frame goes back.
fn believed(endpoint: &EndpointRow) -> HopRow {
    const LOOPBACK: u32 = 1;
    match endpoint.hop {
        HopRow { interface: 0, .. } => HopRow { interface: LOOPBACK, mtu: u32::MAX, ..HopRow::default() },
        known => known,
    }
}

/// What a verdict is called.
pub fn words(reason: Reason, treatment: Treatment) -> (&'static str, &'static str) {
    (reason.name(), treatment.name())
}
