//! The maps of an instance: what is in force, read; another bank, written and put in force.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytemuck::Zeroable as _;
use ssa_common::{
    layout,
    rows::{
        ActiveRow, BankRow, Cell, ClockRow, EndpointRow, HopRow, MetaRow, PrefixRow, PreviousRow, ServiceRow, SliceWord,
    },
};

use super::{
    counters::{self, Counters},
    document::{self, Chunk},
    map::Map,
    object::{self, Object},
    pins::Pins,
    slices::{Owners, SliceCounters},
    sys,
};
use crate::{
    failure::{Code, Failure},
    plan::{
        numbers::Numbers,
        shape::Shape,
        slices::{Place, Slices},
        tables::Tables,
    },
};

/// The maps, and what they are.
pub struct Instance {
    /// Layout, sizes, owner.
    pub meta: MetaRow,
    active: Map<ActiveRow>,
    prefixes: Map<PrefixRow>,
    previous: Map<PreviousRow>,
    services: Map<ServiceRow>,
    clock: Map<ClockRow>,
    counters: Counters,
    document: Map<Chunk>,
    endpoints: Map<EndpointRow>,
    hops: Map<HopRow>,
    owners: Owners,
    slice_counters: SliceCounters,
    meta_map: Map<MetaRow>,
}

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
    /// Opens the instance in force below `pins`, for reading alone or for writing too.
    ///
    /// # Errors
    /// [`Code::NotLoaded`] where there is none; another layout version and another network namespace are refused by name.
    pub fn open(pins: &Pins, read_only: bool) -> Result<Self, Failure> {
        let shown = pins.root().display();
        match pins.are_there() {
            Ok(true) => {}
            Ok(false) => {
                return Err(Failure::new(Code::NotLoaded, format!("nothing is loaded at {shown}"))
                    .hint("load a config: ssa-ctl apply FILE"));
            }
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(Failure::new(Code::NotPermitted, format!("{shown} may not be entered")).hint("run as root"));
            }
            Err(error) => return Err(anyhow::Error::new(error).context(format!("cannot examine {shown}")).into()),
        }
        pins.check()?;
        let meta_map: Map<MetaRow> = open_first(pins, read_only)?;
        let meta = meta_map.get(0)?;
        if meta.version != layout::VERSION {
            return Err(Failure::new(
                Code::Failed,
                format!("{shown} has the layout version {}, and this ssa-ctl knows {}", meta.version, layout::VERSION),
            )
            .hint("use the ssa-ctl that made it, or take it down with `ssa-ctl down` and apply again"));
        }
        if meta.netns != sys::netns_cookie().context("cannot ask for the network namespace")? {
            return Err(Failure::new(Code::Failed, format!("{shown} belongs to another network namespace"))
                .hint("enter that namespace, or give this one a --pin-root of its own"));
        }
        if !pins.probe().try_exists().is_ok_and(|is_there| is_there) {
            let missing = anyhow::Error::new(std::io::Error::from(std::io::ErrorKind::NotFound));
            return Err(not_whole(missing.context(format!("cannot open the pin {}", pins.probe().display()))));
        }
        let active: Map<ActiveRow> = open(pins, layout::ACTIVE, read_only)?;
        if active.get(0)?.in_force().magic != layout::BANK_MAGIC {
            let missing = anyhow::Error::new(std::io::Error::from(std::io::ErrorKind::NotFound));
            return Err(not_whole(missing.context(format!("nothing was ever put in force at {shown}"))));
        }
        Ok(Self {
            meta,
            active,
            prefixes: open(pins, layout::PREFIXES, read_only)?,
            previous: open(pins, layout::PREVIOUS, read_only)?,
            services: open(pins, layout::SERVICES, read_only)?,
            clock: open(pins, layout::CLOCK, read_only)?,
            counters: Counters::new(open(pins, layout::COUNTERS, false)?, meta.cpus, read_only)?,
            document: open(pins, layout::DOCUMENT, read_only)?,
            endpoints: open(pins, layout::ENDPOINTS, read_only)?,
            hops: open(pins, layout::HOPS, read_only)?,
            owners: Owners::new(&open(pins, layout::SLICES, false)?, meta.slices, read_only)?,
            slice_counters: SliceCounters::new(&open(pins, layout::SLICE_COUNTERS, false)?, meta.slice_cells)?,
            meta_map,
        })
    }

    /// Takes the maps of an object that was just loaded, and writes what they are.
    pub fn of_object(object: &Object, shape: Shape, cpus: u32, hertz: u32) -> anyhow::Result<Self> {
        fn map<R: bytemuck::Pod>(object: &Object, name: &str) -> anyhow::Result<Map<R>> {
            Map::new(object.map(name)?, name)
        }
        let meta = MetaRow {
            version: layout::VERSION,
            cpus,
            services: shape.services,
            prefixes: shape.prefixes,
            chunks: shape.chunks,
            slices: shape.slices,
            slice_cells: shape.slice_cells,
            endpoints: shape.endpoints,
            reserved: 0,
            hertz,
            netns: sys::netns_cookie().context("cannot ask for the network namespace")?,
            build: object::build(),
        };
        let meta_map: Map<MetaRow> = map(object, layout::META)?;
        meta_map.write(0, &[meta])?;
        Ok(Self {
            meta,
            active: map(object, layout::ACTIVE)?,
            prefixes: map(object, layout::PREFIXES)?,
            previous: map(object, layout::PREVIOUS)?,
            services: map(object, layout::SERVICES)?,
            clock: map(object, layout::CLOCK)?,
            counters: Counters::new(map(object, layout::COUNTERS)?, cpus, false)?,
            document: map(object, layout::DOCUMENT)?,
            endpoints: map(object, layout::ENDPOINTS)?,
            hops: map(object, layout::HOPS)?,
            owners: Owners::new(&map(object, layout::SLICES)?, meta.slices, false)?,
            slice_counters: SliceCounters::new(&map(object, layout::SLICE_COUNTERS)?, meta.slice_cells)?,
            meta_map,
        })
    }

    /// The sizes of the maps.
    pub const fn shape(&self) -> Shape {
        let MetaRow { services, prefixes, chunks, slices, slice_cells, endpoints, .. } = self.meta;
        Shape { services, prefixes, chunks, slices, slice_cells, endpoints }
    }

    /// Octets of kernel memory that the maps take.
    pub const fn octets(&self) -> u64 {
        self.active.octets()
            + self.prefixes.octets()
            + self.previous.octets()
            + self.services.octets()
            + self.clock.octets()
            + self.counters.octets()
            + self.document.octets()
            + self.endpoints.octets()
            + self.hops.octets()
            + self.owners.octets()
            + self.slice_counters.octets()
            + self.meta_map.octets()
    }

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
        row = BankRow { first_prefix: 0, first_service: 0, first_slice: 0, first_endpoint: 0, place: 0, ..row };
        let mut rows = self.prefixes.read(bank * prefixes, prefixes)?;
        for row in &mut rows {
            row.first_cell = 0;
        }
        let services = self.services.read(bank * services, services)?;
        let mut endpoint_rows = self.endpoints.read(bank * endpoints, endpoints)?;
        for row in &mut endpoint_rows {
            row.first_hop = 0;
        }
        let slices = Slices { places: places(&rows, &services), words: self.owners.read(slice_bank(active))? };
        Ok(Running {
            tables: Tables {
                bank: row,
                prefixes: rows,
                previous: self.previous.read(bank * prefixes, prefixes)?,
                services,
                endpoints: endpoint_rows,
                slices,
            },
            document: document::read(&self.document, bank, self.meta.chunks)?,
            generation,
        })
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
        self.start_new_counters(tables)?;
        // Frames that began before the last change may still read the bank that is to be written.
        sys::wait_for_readers();
        self.services.write(other * services, &tables.services)?;
        self.prefixes.write(other * prefixes, &self.placed(&tables.prefixes))?;
        self.previous.write(other * prefixes, &tables.previous)?;
        document::write(&self.document, other, self.meta.chunks, document)?;
        self.owners.write(other_slices, &tables.slices.words)?;
        let first_endpoint = other * endpoints;
        self.endpoints.write(first_endpoint, &self.with_hops(first_endpoint, &tables.endpoints))?;
        // What the program has asked for the endpoints that were there says nothing of these.
        let asked = endpoints * self.meta.cpus;
        self.hops.write(other * asked, &vec![HopRow::zeroed(); asked as usize])?;
        let row = BankRow {
            first_prefix: other * prefixes,
            first_service: other * services,
            first_slice: other_slices * slices,
            first_endpoint,
            generation,
            ..tables.bank
        };
        self.flip(&mut active, other | other_slices << 1, row)
    }

    /// Puts other owners of the slices in force, and nothing else. Every frame is steered by the one or the other.
    ///
    /// Waits in the end, and not before: the bank that was in force must be nobody's when it is written next.
    pub fn replace_slices(&self, words: &[SliceWord]) -> anyhow::Result<()> {
        self.put_slices_in_force(words)?;
        self.settle();
        Ok(())
    }

    /// The same without the wait: [`Self::settle`] before anything is written again.
    pub fn put_slices_in_force(&self, words: &[SliceWord]) -> anyhow::Result<()> {
        let mut active = self.active.get(0)?;
        let other = 1 - slice_bank(&active);
        self.owners.write(other, words)?;
        let row = active.in_force();
        let row = BankRow { first_slice: other * self.meta.slices, generation: row.generation + 1, ..*row };
        let place = config_bank(&active) | other << 1;
        self.flip(&mut active, place, row)
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

    /// Lets the program believe in a way to every endpoint of the bank in force, and never ask the kernel: where it runs
    /// on no interface, there is nobody to ask. What the controller found is believed, or that the next frame goes back.
    pub fn believe(&self, tables: &Tables) -> anyhow::Result<()> {
        const LOOPBACK: u32 = 1;
        let first = config_bank(&self.active.get(0)?) * self.meta.endpoints;
        for (place, endpoint) in (first..).zip(&tables.endpoints) {
            let known = if endpoint.hop.interface == 0 {
                HopRow { interface: LOOPBACK, mtu: u32::MAX, ..HopRow::default() }
            } else {
                endpoint.hop
            };
            let cpus = self.meta.cpus;
            self.hops.write(place * cpus, &vec![HopRow { until: u64::MAX, ..known }; cpus as usize])?;
        }
        Ok(())
    }

    fn flip(&self, active: &mut ActiveRow, place: u32, row: BankRow) -> anyhow::Result<()> {
        active.banks[place as usize] = BankRow { place, ..row };
        self.active.write(0, &[*active])?;
        active.number = place.into();
        self.active.write(0, &[*active])
    }

    /// The endpoint rows with the places of what the program asks for them.
    fn with_hops(&self, first: u32, rows: &[EndpointRow]) -> Vec<EndpointRow> {
        (first..).zip(rows).map(|(place, row)| EndpointRow { first_hop: place * self.meta.cpus, ..*row }).collect()
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

    /// A service that is new begins with zero, whoever had its number before.
    fn start_new_counters(&self, tables: &Tables) -> anyhow::Result<()> {
        let known = self.numbers()?;
        for (number, row) in (0..).zip(&tables.services) {
            if let Some(name) = name(row)
                && known.get(&name) != Some(number)
            {
                self.counters.clear(number)?;
            }
        }
        Ok(())
    }

    /// Waits until no frame is on its way through a program, or by rows, that were just replaced.
    pub fn settle(&self) {
        sys::wait_for_readers();
    }

    /// Notes that the program is now the one of this binary.
    pub fn set_build(&self) -> anyhow::Result<()> {
        self.meta_map.write(0, &[MetaRow { build: object::build(), ..self.meta }])
    }

    /// The clock as it was last published.
    pub fn clock(&self) -> anyhow::Result<ClockRow> {
        self.clock.get(0)
    }

    /// Publishes the clock.
    pub fn publish(&self, clock: ClockRow) -> anyhow::Result<()> {
        self.clock.write(0, &[clock])
    }

    /// The cells of one service, summed over CPUs and what was carried over.
    pub fn cells(&self, service: u32) -> anyhow::Result<Vec<Cell>> {
        self.counters.cells(service)
    }

    /// Writes what an earlier instance had counted to the carried-over row of a service.
    pub fn carry(&self, service: u32, cells: &[Cell]) -> anyhow::Result<()> {
        self.counters.carry(service, cells)
    }
}

/// A map of an instance whose first map is there.
fn open<R: bytemuck::Pod>(pins: &Pins, name: &str, read_only: bool) -> Result<Map<R>, Failure> {
    Map::open(&pins.map(name), read_only).map_err(not_whole)
}

fn not_whole(error: anyhow::Error) -> Failure {
    Failure::from(error).hint("the pins are not whole: apply the config again, or take them down with `ssa-ctl down`")
}

/// An instance whose first map cannot be read has another layout, or is no instance.
fn open_first(pins: &Pins, read_only: bool) -> Result<Map<MetaRow>, Failure> {
    Map::open(&pins.map(layout::META), read_only).map_err(|error| {
        let denied = error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
        if denied {
            Failure::from(error).code(Code::NotPermitted).hint("run as root, or with CAP_BPF")
        } else {
            not_whole(error)
        }
    })
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
