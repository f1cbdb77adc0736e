//! The maps of an instance: what is in force, read; another bank, written and put in force.

use anyhow::Context as _;
use ssa_common::{
    layout,
    rows::{ActiveRow, BankRow, Cell, ClockRow, MetaRow, PrefixRow, PreviousRow, ServiceRow},
};

use super::{
    counters::{self, Counters},
    document::{self, Chunk},
    map::Map,
    object::{self, Object},
    pins::Pins,
    sys,
};
use crate::{
    failure::{Code, Failure},
    plan::{numbers::Numbers, shape::Shape, tables::Tables},
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
        if in_force(&active.get(0)?).magic != layout::BANK_MAGIC {
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
            meta_map,
        })
    }

    /// The sizes of the maps.
    pub const fn shape(&self) -> Shape {
        Shape { services: self.meta.services, prefixes: self.meta.prefixes, chunks: self.meta.chunks }
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
            + self.meta_map.octets()
    }

    /// Reads what is in force. Waits for no writer: reads again where one came between.
    pub fn running(&self) -> anyhow::Result<Running> {
        loop {
            let active = self.active.get(0)?;
            let running = self.bank(&active)?;
            let after = self.active.get(0)?;
            // Two flips bring the same bank back with another generation.
            if after.number == active.number && in_force(&after).generation == running.generation {
                return Ok(running);
            }
        }
    }

    fn bank(&self, active: &ActiveRow) -> anyhow::Result<Running> {
        let Shape { services, prefixes, .. } = self.shape();
        let bank = number(active);
        let mut row = *in_force(active);
        let generation = std::mem::take(&mut row.generation);
        (row.first_prefix, row.first_service) = (0, 0);
        let mut rows = self.prefixes.read(bank * prefixes, prefixes)?;
        for row in &mut rows {
            row.first_cell = 0;
        }
        Ok(Running {
            tables: Tables {
                bank: row,
                prefixes: rows,
                previous: self.previous.read(bank * prefixes, prefixes)?,
                services: self.services.read(bank * services, services)?,
            },
            document: document::read(&self.document, bank, self.meta.chunks)?,
            generation,
        })
    }

    /// The services in force and their numbers.
    pub fn numbers(&self) -> anyhow::Result<Numbers> {
        let services = self.meta.services;
        let rows = self.services.read(number(&self.active.get(0)?) * services, services)?;
        Ok((0..).zip(&rows).filter_map(|(number, row)| Some((name(row)?, number))).collect())
    }

    /// Writes the bank that is not in force, and puts it in force. Every frame is judged by the one or the other.
    pub fn put_in_force(&self, tables: &Tables, document: &str, generation: u64) -> anyhow::Result<()> {
        let Shape { services, prefixes, .. } = self.shape();
        let mut active = self.active.get(0)?;
        let other = 1 - number(&active);
        self.start_new_counters(tables)?;
        // Frames that began before the last change may still read the bank that is to be written.
        sys::wait_for_readers();
        self.services.write(other * services, &tables.services)?;
        self.prefixes.write(other * prefixes, &self.placed(&tables.prefixes))?;
        self.previous.write(other * prefixes, &tables.previous)?;
        document::write(&self.document, other, self.meta.chunks, document)?;
        active.banks[other as usize] =
            BankRow { first_prefix: other * prefixes, first_service: other * services, generation, ..tables.bank };
        self.active.write(0, &[active])?;
        active.number = other.into();
        self.active.write(0, &[active])
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

    /// Waits until no frame is on its way through a program that was just replaced.
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

const fn number(active: &ActiveRow) -> u32 {
    (active.number & 1) as u32
}

const fn in_force(active: &ActiveRow) -> &BankRow {
    &active.banks[number(active) as usize]
}

fn name(row: &ServiceRow) -> Option<String> {
    let end = row.name.iter().position(|&octet| octet == 0).unwrap_or(row.name.len());
    (end > 0).then(|| String::from_utf8_lossy(&row.name[..end]).into_owned())
}
