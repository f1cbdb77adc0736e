//! The maps of an instance, opened or just made: what they are, the clock and the counters.

mod banks;
mod blocks;
mod counts;

use anyhow::Context as _;
use ssa_common::{
    bits::Words,
    layout,
    rows::{
        ActiveRow, ClockRow, EndpointRow, FlowGateRow, HopRow, MetaRow, PrefixRow, PreviousRow, RefusedRow, ServiceRow,
        ShareRow, SuspectsRow,
    },
    siphash,
};

pub use self::{banks::Running, blocks::block_table};
use super::{
    blocks::BlockMaps,
    counters::Counters,
    document::Chunk,
    events::Gates,
    flows::{self, Flows},
    map::Map,
    object::{self, Object},
    pins::Pins,
    queues::Queues,
    slices::{Owners, SliceCounters},
    sys,
};
use crate::{
    failure::{Code, Failure},
    plan::shape::Shape,
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
    flows: Flows,
    flow_gates: Map<FlowGateRow>,
    shares: Map<ShareRow>,
    share_key: Map<[u64; 4]>,
    blocks: BlockMaps,
    events: Gates,
    suspects: Map<SuspectsRow>,
    refused: Map<RefusedRow>,
    /// The queues of frames that wait for a CPU.
    pub queues: Queues,
    meta_map: Map<MetaRow>,
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
            owners: Owners::new(
                &open(pins, layout::SLICES, false)?,
                &open(pins, layout::HANDOVERS, false)?,
                meta.slices,
                read_only,
            )?,
            slice_counters: SliceCounters::new(
                open(pins, layout::SLICE_COUNTERS, false)?,
                meta.slice_cells,
                read_only,
            )?,
            flows: Flows::new(
                sys::open_pin(&pins.map(layout::FLOWS), read_only).map_err(|error| not_whole(error.into()))?,
                meta.flows,
            )?,
            flow_gates: open(pins, layout::FLOW_GATES, read_only)?,
            shares: open(pins, layout::SHARES, read_only)?,
            share_key: open(pins, layout::SHARE_KEY, read_only)?,
            blocks: BlockMaps {
                banks: open(pins, layout::BLOCK_BANKS, read_only)?,
                sieve: open(pins, layout::BLOCKED_SIEVE, read_only)?,
                index: open(pins, layout::BLOCKED_INDEX, read_only)?,
                rows: open(pins, layout::BLOCKED, read_only)?,
                texts: open(pins, layout::BLOCK_TEXTS, read_only)?,
                slots: meta.blocks,
            },
            events: Gates::new(
                open(pins, layout::EVENTS, read_only)?,
                open(pins, layout::EVENT_GATES, read_only)?,
                open(pins, layout::EVENT_RATE, read_only)?,
            ),
            suspects: open(pins, layout::SUSPECTS, read_only)?,
            refused: open(pins, layout::REFUSED, read_only)?,
            queues: Queues::open(&pins.map(layout::CPUS), meta.cpus, read_only).map_err(not_whole)?,
            meta_map,
        })
    }

    /// Whether it is still the one that is pinned there.
    pub fn is_pinned(&self, pins: &Pins) -> bool {
        Map::<MetaRow>::open(&pins.map(layout::META), true).is_ok_and(|pinned| pinned.id() == self.meta_map.id())
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
            flows: shape.flows,
            shares: shape.shares,
            blocks: shape.blocks,
            hertz,
            netns: sys::netns_cookie().context("cannot ask for the network namespace")?,
            build: object::build(),
        };
        let meta_map: Map<MetaRow> = map(object, layout::META)?;
        meta_map.write(0, &[meta])?;
        let (flow_gates, share_key) = (map(object, layout::FLOW_GATES)?, map(object, layout::SHARE_KEY)?);
        flow_gates.write(0, &flows::gates(shape.flows, cpus, hertz))?;
        share_key.write(0, &[siphash::start(Words::from_u128(rand::random()))])?;
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
            owners: Owners::new(&map(object, layout::SLICES)?, &map(object, layout::HANDOVERS)?, meta.slices, false)?,
            slice_counters: SliceCounters::new(map(object, layout::SLICE_COUNTERS)?, meta.slice_cells, false)?,
            flows: Flows::new(object.map(layout::FLOWS)?, meta.flows)?,
            flow_gates,
            shares: map(object, layout::SHARES)?,
            share_key,
            blocks: BlockMaps {
                banks: map(object, layout::BLOCK_BANKS)?,
                sieve: map(object, layout::BLOCKED_SIEVE)?,
                index: map(object, layout::BLOCKED_INDEX)?,
                rows: map(object, layout::BLOCKED)?,
                texts: map(object, layout::BLOCK_TEXTS)?,
                slots: meta.blocks,
            },
            events: Gates::new(
                map(object, layout::EVENTS)?,
                map(object, layout::EVENT_GATES)?,
                map(object, layout::EVENT_RATE)?,
            ),
            suspects: map(object, layout::SUSPECTS)?,
            refused: map(object, layout::REFUSED)?,
            queues: Queues::new(object.map(layout::CPUS)?, cpus),
            meta_map,
        })
    }

    /// The sizes of the maps.
    pub const fn shape(&self) -> Shape {
        let MetaRow { services, prefixes, chunks, slices, slice_cells, endpoints, flows, shares, blocks, .. } =
            self.meta;
        Shape { services, prefixes, chunks, slices, slice_cells, endpoints, flows, shares, blocks }
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
            + self.flows.octets()
            + self.flow_gates.octets()
            + self.shares.octets()
            + self.share_key.octets()
            + self.blocks.octets()
            + self.events.octets()
            + self.suspects.octets()
            + self.refused.octets()
            + self.queues.octets()
            + self.meta_map.octets()
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
