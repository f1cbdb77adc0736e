//! What is in force, read; another bank, written and put in force; slices, moved in place.

use std::collections::BTreeMap;

use bytemuck::Zeroable as _;
use ssa_common::{
    layout::BANK_MAGIC,
    rows::{ActiveRow, BankRow, EndpointRow, HopRow, PrefixRow, ServiceRow, SliceWord, SuspectsRow},
};

use super::{
    super::{counters, document, sys},
    Instance,
};
use crate::plan::{
    blocks::BlockTable,
    numbers::Numbers,
    shape::Shape,
    slices::{Place, Slices},
    tables::Tables,
};

/// A config in force: its rows, its text, its generation.
#[derive(Clone, Debug)]
pub struct Running {
    /// The rows.
    pub tables: Tables,
    /// The config as text.
    pub document: String,
    /// Counts up with every change; 0 where nothing was ever applied.
    pub generation: u64,
}

impl Instance {
    /// Reads what is in force. Waits for no writer: reads again where one came between.
    pub fn running(&self) -> anyhow::Result<Running> {
        loop {
            let active = self.active.get(0)?;
            let running = self.bank(&active)?;
            let after = self.active.get(0)?;
            // Two flips bring the same bank back with another generation.
            if after.number == active.number && after.in_force().generation == running.generation {
                return Ok(running);
            }
        }
    }

    fn bank(&self, active: &ActiveRow) -> anyhow::Result<Running> {
        let Shape { services, prefixes, endpoints, .. } = self.shape();
        let bank = config_bank(active);
        let mut row = *active.in_force();
        let generation = std::mem::take(&mut row.generation);
        row =
            BankRow { first_prefix: 0, first_service: 0, first_slice: 0, first_endpoint: 0, place: 0, hops: 0, ..row };
        // The block list is no part of the config.
        row.blocks = 0;
        let mut rows = self.prefixes.read(bank * prefixes, prefixes)?;
        for row in &mut rows {
            row.first_cell = 0;
        }
        let services = self.services.read(bank * services, services)?;
        let slices = Slices { places: places(&rows, &services), words: self.owners.read(slice_bank(active))? };
        Ok(Running {
            tables: Tables {
                bank: row,
                prefixes: rows,
                previous: self.previous.read(bank * prefixes, prefixes)?,
                services,
                endpoints: self.endpoints.read(bank * endpoints, endpoints)?,
                slices,
                blocks: BlockTable::default(),
            },
            document: document::read(&self.document, bank, self.meta.chunks)?,
            generation,
        })
    }

    /// The generation in force.
    pub fn generation(&self) -> anyhow::Result<u64> {
        Ok(self.active.get(0)?.in_force().generation)
    }

    /// Events a second that the config in force keeps at most.
    pub fn events_wanted(&self) -> anyhow::Result<u32> {
        Ok(self.active.get(0)?.in_force().events)
    }

    /// The services in force and their numbers.
    pub fn numbers(&self) -> anyhow::Result<Numbers> {
        let services = self.meta.services;
        let rows = self.services.read(config_bank(&self.active.get(0)?) * services, services)?;
        Ok((0..).zip(&rows).filter_map(|(number, row)| Some((name(row)?, number))).collect())
    }

    /// Writes the bank that is not in force, and puts it in force. Every frame is judged by the one or the other.
    pub fn put_in_force(&self, tables: &Tables, document: &str, generation: u64) -> anyhow::Result<()> {
        let Shape { services, prefixes, endpoints, slices, .. } = self.shape();
        let mut active = self.active.get(0)?;
        let (other, other_slices) = (1 - config_bank(&active), 1 - slice_bank(&active));
        self.start_new_counters(&active, tables)?;
        // Frames that began before the last change may still read the bank that is to be written.
        sys::wait_for_readers();
        self.services.write(other * services, &tables.services)?;
        self.prefixes.write(other * prefixes, &self.placed(&tables.prefixes))?;
        self.previous.write(other * prefixes, &tables.previous)?;
        document::write(&self.document, other, self.meta.chunks, document)?;
        self.owners.write(other_slices, &tables.slices.words)?;
        let first_endpoint = other * endpoints;
        self.endpoints.write(first_endpoint, &tables.endpoints)?;
        // What the program has asked for the endpoints that were there says nothing of these.
        let asked = endpoints * self.meta.cpus;
        self.hops.write(other * asked, &vec![HopRow::zeroed(); asked as usize])?;
        let row = BankRow {
            first_prefix: other * prefixes,
            first_service: other * services,
            first_slice: other_slices * slices,
            first_endpoint,
            hops: self.meta.cpus,
            blocks: active.in_force().blocks,
            generation,
            ..tables.bank
        };
        self.events.set(row.events, self.meta.cpus, self.meta.hertz)?;
        self.flip(&mut active, other | other_slices << 1, &row)
    }

    /// Puts other owners of the slices in force, and nothing else. Every frame is steered by the one or the other.
    pub fn replace_slices(&self, words: &[SliceWord]) -> anyhow::Result<()> {
        // Frames that began before the last change may still read the bank that is to be written.
        self.settle();
        self.put_slices_in_force(words)
    }

    /// The same at once, for whoever has waited since the last change: [`Self::settle`].
    pub fn put_slices_in_force(&self, words: &[SliceWord]) -> anyhow::Result<()> {
        let mut active = self.active.get(0)?;
        let other = 1 - slice_bank(&active);
        self.owners.write(other, words)?;
        let row = active.in_force();
        let row = BankRow { first_slice: other * self.meta.slices, generation: row.generation + 1, ..*row };
        let place = config_bank(&active) | other << 1;
        self.flip(&mut active, place, &row)
    }

    /// Moves slices in place: each of them by a store of one word.
    pub fn move_slices(&self, moves: &[(u32, SliceWord)]) -> anyhow::Result<u64> {
        let mut active = self.active.get(0)?;
        for (slice, word) in moves {
            self.owners.store(slice_bank(&active), *slice, *word)?;
        }
        let place = active.place();
        active.banks[place].generation += 1;
        self.active.write(0, &[active])?;
        Ok(active.in_force().generation)
    }

    /// Lets the program believe in these ways to the endpoints of the bank in force, which have these rows, and never ask
    /// the kernel: where it runs on no interface, there is nobody to ask.
    pub fn believe(&self, ways: impl IntoIterator<Item = (EndpointRow, HopRow)>) -> anyhow::Result<()> {
        let (first, cpus) = (config_bank(&self.active.get(0)?) * self.meta.endpoints, self.meta.cpus);
        for (place, (endpoint, way)) in (first..).zip(ways) {
            let known = HopRow { until: u64::MAX, ..endpoint.by(way) };
            self.hops.write(place * cpus, &vec![known; cpus as usize])?;
        }
        Ok(())
    }

    fn flip(&self, active: &mut ActiveRow, place: u32, row: &BankRow) -> anyhow::Result<()> {
        active.banks[place as usize] = BankRow { place, ..*row };
        self.active.write(0, &[*active])?;
        active.number = place.into();
        self.active.write(0, &[*active])
    }

    /// Frames of each slice of a service that went on; none where they are not counted.
    pub fn slice_frames(&self, place: Place) -> Option<Vec<u64>> {
        self.slice_counters.read(place.range())
    }

    /// The rows with the places that their services have among these counters.
    fn placed(&self, rows: &[PrefixRow]) -> Vec<PrefixRow> {
        let cells = counters::per_service(self.meta.cpus);
        rows.iter().map(|row| PrefixRow { first_cell: row.service * cells, ..*row }).collect()
    }

    /// A service that is new begins with zero, whoever had its number before; so do slices that are new.
    fn start_new_counters(&self, active: &ActiveRow, tables: &Tables) -> anyhow::Result<()> {
        if active.in_force().magic != BANK_MAGIC {
            // The maps were just made.
            return Ok(());
        }
        let known = self.numbers()?;
        for (number, row) in (0..).zip(&tables.services) {
            if let Some(name) = name(row)
                && known.get(&name) != Some(number)
            {
                self.counters.clear(number)?;
                let cpus = self.meta.cpus;
                self.suspects.write(number * cpus, &vec![SuspectsRow::zeroed(); cpus as usize])?;
            }
        }
        let Shape { services, prefixes, .. } = self.shape();
        let bank = config_bank(active);
        let rows = self.prefixes.read(bank * prefixes, prefixes)?;
        let had = places(&rows, &self.services.read(bank * services, services)?);
        let new = tables.slices.places.iter().filter(|(name, place)| had.get(*name) != Some(*place));
        new.into_iter().try_for_each(|(_, place)| self.slice_counters.clear(place.range()))
    }
}

/// Which copy of the config is in force.
const fn config_bank(active: &ActiveRow) -> u32 {
    (active.number & 1) as u32
}

/// Which copy of the slices is in force.
const fn slice_bank(active: &ActiveRow) -> u32 {
    (active.number >> 1 & 1) as u32
}

/// Where the slices of the services are, as their prefixes' rows say.
fn places(prefixes: &[PrefixRow], services: &[ServiceRow]) -> BTreeMap<String, Place> {
    let place = |row: &PrefixRow| {
        let bits = u8::try_from(row.slices.mask.count_ones()).unwrap_or(0);
        let name = name(services.get(row.service as usize)?)?;
        (bits > 0).then_some((name, Place { first: row.slices.first, bits }))
    };
    prefixes.iter().filter(|row| row.length != 0).filter_map(place).collect()
}

fn name(row: &ServiceRow) -> Option<String> {
    let end = row.name.iter().position(|&octet| octet == 0).unwrap_or(row.name.len());
    (end > 0).then(|| String::from_utf8_lossy(&row.name[..end]).into_owned())
}
