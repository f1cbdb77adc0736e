//! Numbers of services in; how long their rows take to write, to put in force and to count, out.

use std::time::Instant;

use anyhow::Result;
use ssa_common::{layout, rows::ActiveRow};
use ssa_ctl::{
    config::{self, Checked, keys::KeyRings},
    kernel::{
        clock,
        create::{self, Made},
        map::Map,
    },
    observe::counters::Counts,
    plan::{ground::Ground, numbers::Numbers, shape::Shape, tables::Tables},
};

use super::{Context, Figure, figure};
use crate::bench::site::{checked, text};

/// Services, as many as a config may have.
const MOST: usize = 4095;
/// Flips in one round: one alone is too short for the clock.
const FLIPS: u32 = 1000;

/// A config ready to be put in force.
pub(super) struct Ready {
    tables: Tables,
    document: String,
    shape: Shape,
}

impl Ready {
    pub(super) fn new(checked: &Checked) -> Result<Self> {
        let config = &checked.config;
        let document = config::to_toml(config);
        let shape = Shape::of(config, document.len());
        let numbers = Numbers::default().next(config, shape.services);
        let ground = Ground::new(clock::hertz()?, shape, &numbers);
        let tables = Tables::compile_for(config, &KeyRings::default(), &ground)?;
        Ok(Self { tables, document, shape })
    }

    /// The program loaded over it.
    pub(super) fn load(&self) -> Result<Made> {
        let made = create::make(self.shape)?;
        made.instance.put_in_force(&self.tables, &self.document, 1)?;
        Ok(made)
    }
}

pub(super) fn run(context: &Context) -> Result<Vec<Figure>> {
    let rounds = context.rounds(15);
    let phase = context.phase(&format!("control: {rounds} rounds of map writes and reads"), u64::from(rounds) * 4);
    let made = |services, source_bits| {
        phase.check()?;
        Ready::new(&checked(text(services, source_bits))?)
    };
    let configs = [made(MOST, 48)?, made(MOST, 56)?];
    let most = configs[0].load()?;
    let counted = [16, 256].map(|services| made(services, 48).and_then(|ready| ready.load()));
    let [some, many] = counted;
    let (some, many) = (some?, many?);
    let [mut put, mut flip, mut of_some, mut of_many] = [const { Vec::new() }; 4];
    for round in 0..u64::from(rounds) {
        let Ready { tables, document, .. } = &configs[usize::from(round % 2 == 0)];
        put.push(milliseconds(|| most.instance.put_in_force(tables, document, round + 2))?);
        phase.step()?;
        flip.push(flips(&most)? * 1e6);
        phase.step()?;
        of_some.push(milliseconds(|| Counts::read(&some.instance).map(drop))? * 1e3);
        phase.step()?;
        of_many.push(milliseconds(|| Counts::read(&many.instance).map(drop))? * 1e3);
        phase.step()?;
    }
    let of = |id: &str, name: &str, unit, took| figure(id, name.into(), unit, took, None);
    Ok(vec![
        of("put-in-force/4095", "another config of 4,095 services written and put in force", "ms", put),
        of("flip", "flip of the bank", "ns", flip),
        of("counters/16", "all counters of 16 services read", "µs", of_some),
        of("counters/256", "all counters of 256 services read", "µs", of_many),
    ])
}

/// Milliseconds for one flip of the bank, as a config is put in force: the row is written whole, with the other number.
fn flips(made: &Made) -> Result<f64> {
    let map: Map<ActiveRow> = Map::new(made.object.map(layout::ACTIVE)?, layout::ACTIVE)?;
    let mut row = map.get(0)?;
    let took = milliseconds(|| {
        (0..FLIPS).try_for_each(|_| {
            row.number ^= 1;
            map.write(0, &[row])
        })
    })?;
    Ok(took / f64::from(FLIPS))
}

fn milliseconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}
